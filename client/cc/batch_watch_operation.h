// BatchWatchOperation: a batch's stream of events from WatchBatch, resumed when
// it breaks. Threads and ownership as ResumableStream.
#ifndef VIGIL_CLIENT_CC_BATCH_WATCH_OPERATION_H_
#define VIGIL_CLIENT_CC_BATCH_WATCH_OPERATION_H_

#include <memory>
#include <string>

#include "client/cc/batch_observer.h"
#include "client/cc/batch_watch.h"
#include "client/cc/channel.h"
#include "client/cc/resumable_stream.h"
#include "vigil/v1/batch_service.pb.h"

namespace vigil::client {

class BatchWatchOperation
    : public ResumableStream<StreamControl, BatchObserver, v1::Batch> {
 public:
  static BatchWatch Watch(Channel& channel, v1::WatchBatchRequest request,
                          BatchObserver observer, const StreamOptions& options);

  BatchWatchOperation(Channel& channel, v1::WatchBatchRequest request,
                      BatchObserver observer, const StreamOptions& options);

  // What the open stream read.
  void OnEvent(const v1::BatchEvent& event);

 private:
  std::unique_ptr<Stream> NewStream() override;
  void SendCancel() override;

  const std::string namespace_;
  // What opens the next stream, with the cursor of the last event.
  v1::WatchBatchRequest request_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BATCH_WATCH_OPERATION_H_
