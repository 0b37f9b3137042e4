// BatchOperation: a RunBatch stream, taken up again when it breaks: results go
// on behind the last event, items from the first that was not accepted.
// Thread-safe; its observer is called by one thread at a time. Owned by its
// channel's set of operations and by gRPC's callbacks until on_end has
// returned, then by handles alone.
#ifndef VIGIL_CLIENT_CC_BATCH_OPERATION_H_
#define VIGIL_CLIENT_CC_BATCH_OPERATION_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/synchronization/mutex.h"
#include "client/cc/backoff.h"
#include "client/cc/batch_observer.h"
#include "client/cc/batch_stream.h"
#include "client/cc/channel.h"
#include "vigil/v1/batch_service.pb.h"

namespace vigil::client {

class BatchOperation : public Operation,
                       public BatchStreamControl,
                       public std::enable_shared_from_this<BatchOperation> {
 public:
  // Starts a batch. open.request_id is set.
  static BatchStream Run(Channel& channel, v1::OpenBatch open,
                         v1::ResultOrder order, BatchObserver observer);

  BatchOperation(Channel& channel, v1::RunBatchRequest first,
                 BatchObserver observer);
  ~BatchOperation() override;

  // BatchStreamControl:
  void Add(v1::BatchItem item) override;
  void Close() override;
  int64_t held_items() const override;
  int64_t held_bytes() const override;
  void CancelBatch() override;
  void Abandon() override;
  std::string batch_id() const override;

 private:
  class Stream;

  void Start();
  // Steps of the one chain of calls that drives the stream.
  void Open();
  void OnEvent(const v1::BatchEvent& event);
  void OnStreamDone(absl::Status status,
                    std::optional<absl::Duration> pushback);
  void End(absl::StatusOr<v1::Batch> batch);

  // Has the open stream write what there is, unless it writes already.
  void WriteSome() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SendCancel() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Channel& channel_;
  // What opens the stream, with the cursor of the last event.
  v1::RunBatchRequest first_;
  BatchObserver observer_;
  Backoff backoff_;
  // The batch when it had ended, once that was told.
  std::optional<v1::Batch> final_batch_;

  mutable absl::Mutex mu_;
  std::string batch_id_ ABSL_GUARDED_BY(mu_);
  // Items that are not known to be accepted, and the index of the first.
  std::deque<v1::BatchItem> items_ ABSL_GUARDED_BY(mu_);
  int64_t first_index_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool cancel_wanted_ ABSL_GUARDED_BY(mu_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mu_) = false;
  // Told its end; the channel may be gone.
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  // Of the open stream: the first event came, so that items may go; the index
  // of the next one; a write is under way; the last was written.
  bool opened_ ABSL_GUARDED_BY(mu_) = false;
  int64_t next_index_ ABSL_GUARDED_BY(mu_) = 0;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool close_sent_ ABSL_GUARDED_BY(mu_) = false;
  // The stream that is open, and the one before it, whose last callback may not
  // quite have returned.
  std::unique_ptr<Stream> stream_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<Stream> previous_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<grpc::Alarm> timer_ ABSL_GUARDED_BY(mu_);
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BATCH_OPERATION_H_
