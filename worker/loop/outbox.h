// Outbox: everything a worker has to tell its coordinator, until it is told or,
// where it matters, until the coordinator says it has it: output by
// acknowledged bytes, ends by acknowledgement. Thread-compatible. Owns windows
// and ends.
//
// The end of an attempt is sent after all of its output, also when both are
// sent again after a loss of the stream.
#ifndef VIGIL_WORKER_LOOP_OUTBOX_H_
#define VIGIL_WORKER_LOOP_OUTBOX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/attempt.h"
#include "base/ids.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "worker/loop/output_window.h"

namespace vigil::worker {

class Outbox {
 public:
  // --- what happened
  void AddUpdate(AttemptUpdate update, absl::Time now);
  void AddOutput(const AttemptId& attempt, OutputStream stream,
                 absl::string_view data);
  // Takes the place of the attempt's last checkpoint. Sent at once, but not
  // sooner than kCheckpointInterval after the one before, unless the attempt
  // ends.
  void AddCheckpoint(const AttemptId& attempt,
                     std::shared_ptr<const std::string> state, absl::Time now);
  void AddEnd(const AttemptEnd& end);

  // --- what the coordinator has
  void OutputAcknowledged(const AttemptId& attempt, int64_t total_bytes);
  // Drops end and output of `attempt`.
  void Forget(const AttemptId& attempt);

  // --- the stream
  // A stream is opened: fills in Attach.running and Attach.ended. `running` are
  // the attempts that have no end yet. An end whose output is not all
  // acknowledged, or that has a checkpoint, is listed as running, and follows
  // them. All that is not
  // acknowledged is unsent again.
  void Open(const std::vector<AttemptId>& running, v1::Attach* attach);
  // The stream is lost: updates are not collected until the next Open, only
  // the last of each attempt is kept.
  void Close();
  // Moves what is to be sent into `request`, about kMessageFillBytes at most.
  // Returns false if there is nothing.
  bool Fill(absl::Time now, v1::AttachRequest* request);
  // When a checkpoint that waits may be sent.
  absl::Time NextDeadline() const {
    return open_ ? checkpoint_time_ : absl::InfiniteFuture();
  }

  // Bytes of output of `attempt` that are held; 0 if it has none.
  int64_t HeldBytes(const AttemptId& attempt) const;
  bool HasEnd(const AttemptId& attempt) const;
  // Whether there is something to send, all of it of attempts that have ended.
  bool only_ends() const;
  // Whether every end was acknowledged.
  bool no_ends() const { return end_count_ == 0; }

 private:
  struct TimedUpdate {
    AttemptUpdate update;
    absl::Time time;
  };
  struct Entry {
    OutputWindow window;
    // The last update, to be told anew after a loss of the stream.
    std::optional<TimedUpdate> last_update;
    // The last one; kept to be sent again, since nothing acknowledges it.
    std::shared_ptr<const std::string> checkpoint;
    bool checkpoint_sent = false;
    // When one may be sent again.
    absl::Time checkpoint_time = absl::InfinitePast();
    std::optional<v1::AttemptEnd> end;
    bool end_sent = false;
    // It is in ready_.
    bool ready = false;
  };

  void MakeReady(const AttemptId& attempt, Entry* entry);
  // Moves what fits of one attempt; returns whether nothing is left.
  bool FillFrom(const AttemptId& attempt, absl::Time now, Entry* entry,
                size_t* bytes, v1::AttachRequest* request);
  // Makes entries ready whose checkpoint may be sent.
  void ReadyCheckpoints(absl::Time now);
  static void WriteUpdate(const TimedUpdate& update, absl::Time now,
                          v1::AttemptUpdate* proto);

  bool open_ = false;
  std::vector<TimedUpdate> updates_;
  // Those of updates_ that carry an observed clock.
  size_t observed_ = 0;
  absl::btree_map<AttemptId, Entry> entries_;
  // Attempts that have output or an end to send, in order.
  std::vector<AttemptId> ready_;
  int end_count_ = 0;
  // When the first checkpoint that waits may be sent, or earlier.
  absl::Time checkpoint_time_ = absl::InfiniteFuture();
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_OUTBOX_H_
