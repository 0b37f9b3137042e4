// BatchRunner: runs a batch over its items, through restarts of the
// coordinator, with a bounded number of them under way. Main thread only:
// answers of the client come by way of the event queue. What it is given is
// borrowed, and the client must be gone before it.
#ifndef VIGIL_CLIENT_CLI_BATCH_RUNNER_H_
#define VIGIL_CLIENT_CLI_BATCH_RUNNER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "client/cc/client.h"
#include "client/cli/batch_summary.h"
#include "client/cli/event_queue.h"
#include "client/cli/item_source.h"
#include "client/cli/item_splitter.h"
#include "client/cli/output_saver.h"
#include "client/cli/placeholder.h"
#include "client/cli/progress_bar.h"
#include "client/cli/resume_file.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/batch_service.pb.h"

namespace vigil::cli {

struct BatchOptions {
  // What makes the batch; its job lacks only its items.
  v1::OpenBatch open;
  v1::ResultOrder order = v1::RESULT_ORDER_AS_COMPLETED;
  // Becomes each job's input, with its item in it.
  std::optional<InputTemplate> input;
  // Items that succeeded before, and are left out.
  ResumeFile resume;
  // How long the coordinator may be away.
  absl::Duration reconnect;
};

class BatchRunner {
 public:
  // `saver` may be null: outputs are not saved.
  BatchRunner(BatchOptions options, client::Client* client, EventQueue* events,
              const Clock* clock, ItemSource* source, OutputSaver* saver);

  // Called on the main thread for each item when it has come to its end, in
  // the order in which results come.
  std::function<void(const ItemResult& result)> on_result;
  // Something for a person to know, as one line.
  std::function<void(const std::string& line)> on_note;

  // Does what can be done and waits for the next thing to happen, up to
  // `until`. Returns the signal that came meanwhile; 0: none.
  int Step(absl::Time until);

  // Nothing is under way, and nothing more will be.
  bool finished() const;

  // Cancels the batch; it is finished when its jobs have ended.
  void Cancel();

  // Why the batch could not go on; OK if it could. When the coordinator is gone
  // it is finished() at once, and the coordinator stops the batch when it is
  // back.
  const absl::Status& failure() const { return failure_; }

  // The batch as last heard of; without an id: it was never made.
  const v1::Batch& batch() const { return batch_; }
  // All but `failed` and the rate.
  BatchProgress progress() const;
  // Items that were given to the batch and have not come to their end.
  int64_t in_flight() const { return static_cast<int64_t>(sent_.size()); }
  // Items that the last results say have succeeded, and were left out.
  int64_t skipped() const { return skipped_; }
  int64_t missing_output_bytes() const { return missing_output_bytes_; }

 private:
  // The batch has an item, and so a stream.
  bool begun() const { return next_index_ > 0; }
  bool WantsItems() const;
  void ReadItems();
  void SendSome();
  void Begin();
  absl::StatusOr<v1::BatchItem> ItemFor(const Item& item) const;
  void OnEvent(v1::BatchEvent event);
  void OnResult(v1::BatchResult result);
  void OnEnd(const absl::StatusOr<v1::Batch>& batch);
  // Asks what runs when it is time to; returns when that is next.
  absl::Time AskStatus();
  void OnStatus(const absl::StatusOr<v1::GetStatusResponse>& status);
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

  // Read and not given to the batch, and bytes of their texts.
  std::deque<Item> waiting_;
  size_t waiting_bytes_ = 0;
  client::BatchStream stream_;
  // The stream has told its end.
  bool ended_ = false;
  v1::Batch batch_;
  // Items of the batch that have no result yet, by their index in the batch,
  // which leaves out what never got there.
  std::map<int64_t, Item> sent_;
  int64_t next_index_ = 0;
  // What the coordinator says of all jobs of the kind, and when it is next
  // asked.
  int64_t running_ = 0;
  std::string waits_;
  absl::Time status_time_ = absl::InfinitePast();
  bool status_asked_ = false;
  // Ended jobs whose output is to be saved, and those under way.
  std::deque<ItemResult> to_save_;
  int saving_ = 0;
  int64_t missing_output_bytes_ = 0;

  int64_t read_ = 0;
  int64_t done_ = 0;
  int64_t skipped_ = 0;
  bool stopping_ = false;
  bool abandoned_ = false;
  absl::Time last_note_ = absl::InfinitePast();
  absl::Status failure_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_BATCH_RUNNER_H_
