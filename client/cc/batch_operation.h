// BatchOperation: a RunBatch stream, taken up again when it breaks: results go
// on behind the last event, items from the first that was not accepted.
// Thread-safe; its observer is called by one thread at a time. Owned by its
// channel's set of operations and by gRPC's callbacks until on_end has
// returned, then by handles alone.
#ifndef VIGIL_CLIENT_CC_BATCH_OPERATION_H_
#define VIGIL_CLIENT_CC_BATCH_OPERATION_H_

#include <deque>
#include <memory>
#include <string>

#include "client/cc/batch_observer.h"
#include "client/cc/batch_stream.h"
#include "client/cc/channel.h"
#include "client/cc/resumable_stream.h"
#include "vigil/v1/batch_service.pb.h"

namespace vigil::client {

class BatchOperation
    : public ResumableStream<BatchStreamControl, BatchObserver, v1::Batch> {
 public:
  // Starts a batch. open.request_id is set.
  static BatchStream Run(Channel& channel, v1::OpenBatch open,
                         v1::ResultOrder order, BatchObserver observer,
                         const StreamOptions& options);

  BatchOperation(Channel& channel, v1::RunBatchRequest first,
                 BatchObserver observer, const StreamOptions& options);

  // BatchStreamControl:
  void Add(v1::BatchItem item) override;
  void Close() override;
  int64_t held_items() const override;
  int64_t held_bytes() const override;

 private:
  class Call;

  std::unique_ptr<Stream> NewStream() override;
  void SendCancel() override;
  void Free() override;
  void OnEvent(const v1::BatchEvent& event);
  // Has the open stream write what there is, unless it writes already.
  void WriteSome() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // What opens the stream, with the cursor of the last event.
  v1::RunBatchRequest first_;
  // Items that are not known to be accepted, and the index of the first.
  std::deque<v1::BatchItem> items_ ABSL_GUARDED_BY(mu_);
  int64_t first_index_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  // Of the open stream: the first event came, so that items may go; the index
  // of the next one; a write is under way; the last was written.
  bool opened_ ABSL_GUARDED_BY(mu_) = false;
  int64_t next_index_ ABSL_GUARDED_BY(mu_) = 0;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool close_sent_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BATCH_OPERATION_H_
