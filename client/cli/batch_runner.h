// BatchRunner: submits a job for each item and sees each to its end, with a
// bounded number of them submitted and not ended, through restarts of the
// coordinator. Main thread only: answers of the client come by way of the event
// queue. What it is given is borrowed, and the client must be gone before it.
#ifndef VIGIL_CLIENT_CLI_BATCH_RUNNER_H_
#define VIGIL_CLIENT_CLI_BATCH_RUNNER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "client/cc/client.h"
#include "client/cli/batch_summary.h"
#include "client/cli/event_queue.h"
#include "client/cli/item_source.h"
#include "client/cli/item_splitter.h"
#include "client/cli/limits.h"
#include "client/cli/output_saver.h"
#include "client/cli/placeholder.h"
#include "client/cli/progress_bar.h"
#include "vigil/v1/job.pb.h"

namespace vigil::cli {

struct BatchOptions {
  std::string job_namespace;
  // The job, without its item.
  v1::JobSpec spec;
  // Becomes each job's input, with its item in it.
  std::optional<InputTemplate> input;
  // Prefix of each job's request_id: random, so that no other batch has it.
  std::string batch_id;
  // Jobs that are submitted and have not ended, at most.
  int window = kBatchWindowDefault;
  // Jobs that are watched, at most; the oldest ones.
  int watches = kBatchWatchesMin;
  // How long the coordinator may be away.
  absl::Duration reconnect;
};

class BatchRunner {
 public:
  // `saver` may be null: outputs are not saved.
  BatchRunner(BatchOptions options, client::Client* client, EventQueue* events,
              const Clock* clock, ItemSource* source, OutputSaver* saver);

  // Called on the main thread for each item when it has come to its end, in
  // order of ends.
  std::function<void(const ItemResult& result)> on_result;
  // Something for a person to know, as one line.
  std::function<void(const std::string& line)> on_note;

  // Does what can be done and waits for the next thing to happen, up to
  // `until`. Returns the signal that came meanwhile; 0: none.
  int Step(absl::Time until);

  // Nothing is in flight, and nothing more will be.
  bool finished() const;

  // Cancels every job that has not ended and submits no more; the batch is
  // finished when all of them have ended.
  void Cancel();

  // Why the batch could not go on; OK if it could. When the coordinator is gone
  // it is finished() at once, and jobs may go on.
  const absl::Status& failure() const { return failure_; }

  // All but `failed` and the rate.
  BatchProgress progress() const;
  int64_t in_flight() const;
  int64_t missing_output_bytes() const { return missing_output_bytes_; }

 private:
  struct Watched {
    Item item;
    client::JobStream stream;
    v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
    v1::Job::WaitingReason waiting = v1::Job::WAITING_REASON_UNSPECIFIED;
  };

  bool WantsItems() const;
  void SubmitSome();
  std::vector<Item> TakeChunk(v1::SubmitJobsRequest* request);
  absl::StatusOr<v1::SubmitJobRequest> RequestFor(const Item& item) const;
  void OnSubmitted(std::vector<Item> chunk,
                   const absl::StatusOr<v1::SubmitJobsResponse>& response);
  void OnRefused(Item item, const v1::SubmitJobsResponse::Refusal& refusal,
                 std::deque<Item>* again);
  void WatchSome();
  void OnState(int64_t index, v1::Job::State state,
               v1::Job::WaitingReason waiting);
  void OnEnd(int64_t index, const absl::StatusOr<v1::Job>& job);
  void CancelSome();
  void SaveSome();
  void Finish(const ItemResult& result);
  void FailBatch(absl::Status status);
  void NoteRetry(const absl::Status& error);

  const BatchOptions options_;
  client::Client* const client_;
  EventQueue* const events_;
  const Clock* const clock_;
  ItemSource* const source_;
  OutputSaver* const saver_;

  // Read and not submitted, or to be submitted again.
  std::deque<Item> waiting_;
  // Bytes of their texts.
  size_t waiting_bytes_ = 0;
  // No submission before this time.
  absl::Time submit_time_ = absl::InfinitePast();
  // In the submission that is under way; 0: none is.
  size_t submitting_ = 0;
  // Accepted jobs that are not watched yet, and those that are, by index.
  std::map<int64_t, std::pair<Item, std::string>> accepted_;
  std::map<int64_t, Watched> watched_;
  // Jobs to be cancelled, and calls for that under way.
  std::deque<std::string> to_cancel_;
  int cancelling_ = 0;
  // Ended jobs whose output is to be saved, and those under way.
  std::deque<ItemResult> to_save_;
  int saving_ = 0;
  int64_t missing_output_bytes_ = 0;

  int64_t read_ = 0;
  int64_t done_ = 0;
  bool stopping_ = false;
  bool abandoned_ = false;
  absl::Time last_note_ = absl::InfinitePast();
  absl::Status failure_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_BATCH_RUNNER_H_
