// Effects: what the core wants done after it applied events. The caller hands
// the rows of `save` to the store and performs `after_commit` when they are
// durable; `at_once` needs no durability. Values, thread-compatible.
#ifndef VIGIL_COORDINATOR_CORE_EFFECTS_H_
#define VIGIL_COORDINATOR_CORE_EFFECTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "base/reason.h"

namespace vigil::coordinator {

// One stream of a worker; numbered by the caller, never reused. 0 is none.
using StreamId = uint64_t;

// Runs an attempt. `close_deadline` is the end of schedule_to_close.
struct SendAssignment {
  StreamId stream;
  AttemptId attempt;
  absl::Time close_deadline;
};
struct SendStop {
  StreamId stream;
  AttemptId attempt;
  Reason reason;
};
// The end of an attempt is durable: the worker may forget it.
struct SendEndAck {
  StreamId stream;
  AttemptId attempt;
};
struct SendHeartbeatAck {
  StreamId stream;
  int64_t number;
};
struct SendSlots {
  StreamId stream;
  int slots;
};
// Has the worker finish what it runs within `grace`, by default as long as it
// says itself, and leave.
struct SendDrain {
  StreamId stream;
  std::optional<absl::Duration> grace;
};
// Ends a stream that was replaced or fenced, or whose worker has left.
struct CloseStream {
  StreamId stream;
  absl::Status status;
};
// SIGKILLs a worker that this coordinator started; answered by WorkerDead.
struct KillLocalWorker {
  SessionId session;
};

using Effect =
    std::variant<SendAssignment, SendStop, SendEndAck, SendHeartbeatAck,
                 SendSlots, SendDrain, CloseStream, KillLocalWorker>;

// A clock that would have fired, for those who watch the job.
struct Notice {
  JobId job_id;
  Failure failure;
};

// What is to take the place of what the store holds as the job's result.
struct ResultBlob {
  JobId job_id;
  std::shared_ptr<const std::string> bytes;
};

// An item of a batch came to its end, stored together with the batch's row.
struct ItemEnd {
  BatchId batch;
  int64_t index = 0;
  // 1, 2, 3... in order of ends.
  int64_t number = 0;
  // Empty, if it never became a job...
  JobId job;
  // ...and why not.
  absl::Status refusal;
};

// What became of a worker, for those who keep account of it.
struct WorkerNews {
  enum class Kind {
    kAttached,
    // Given up, or proved dead, for `cause`.
    kLost,
    // Drained; gone in good order.
    kLeft,
    // It uses `slots` of `slots_max` from now on, for `cause`.
    kUsableSlots,
  };
  Kind kind = Kind::kAttached;
  WorkerId worker;
  SessionId session;
  std::string hostname;
  int slots = 0;
  int slots_max = 0;
  std::string cause;
};

struct Effects {
  // Jobs whose rows changed; may name one twice.
  std::vector<JobId> save;
  // Batches whose rows changed; may name one twice.
  std::vector<BatchId> save_batches;
  std::vector<ItemEnd> item_ends;
  // Stored together with the rows of their jobs; the last one of a job counts.
  std::vector<ResultBlob> results;
  std::vector<Effect> after_commit;
  std::vector<Effect> at_once;
  // Jobs of which something changed that is not durable: phase, progress.
  std::vector<JobId> touched;
  std::vector<Notice> notices;
  // Attempts that ended in this turn, but for those taken back unstarted.
  std::vector<AttemptId> ended;
  std::vector<WorkerNews> workers;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_EFFECTS_H_
