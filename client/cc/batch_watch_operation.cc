#include "client/cc/batch_watch_operation.h"

#include <utility>

#include "client/cc/read_stream.h"

namespace vigil::client {

BatchWatch BatchWatchOperation::Watch(Channel& channel,
                                      v1::WatchBatchRequest request,
                                      BatchObserver observer,
                                      const StreamOptions& options) {
  auto operation = std::make_shared<BatchWatchOperation>(
      channel, std::move(request), std::move(observer), options);
  operation->Start();
  return BatchWatch(std::move(operation));
}

BatchWatchOperation::BatchWatchOperation(Channel& channel,
                                         v1::WatchBatchRequest request,
                                         BatchObserver observer,
                                         const StreamOptions& options)
    : ResumableStream(
          channel, std::move(observer), options,
          {"the watching was abandoned",
           "the coordinator ended the stream before the batch had ended"}),
      namespace_(request.namespace_()),
      request_(std::move(request)) {
  absl::MutexLock lock(&mu_);
  id_ = request_.batch_id();
}

std::unique_ptr<BatchWatchOperation::Stream> BatchWatchOperation::NewStream() {
  return std::make_unique<ReadStream<BatchWatchOperation, v1::WatchBatchRequest,
                                     v1::WatchBatchResponse>>(
      std::static_pointer_cast<BatchWatchOperation>(shared_from_this()),
      [](Channel& on, auto... call) {
        on.batches().async()->WatchBatch(call...);
      },
      request_);
}

void BatchWatchOperation::OnEvent(const v1::BatchEvent& event) {
  backoff_.Reset();
  if (!event.cursor().empty()) request_.set_cursor(event.cursor());
  if (event.has_batch() && event.batch().state() == v1::Batch::STATE_ENDED) {
    result_ = event.batch();
  }
  if (observer_.on_event) observer_.on_event(event);
}

void BatchWatchOperation::SendCancel() {
  v1::CancelBatchRequest request;
  request.set_namespace_(namespace_);
  request.set_batch_id(id_);
  SendCancelBy<v1::CancelBatchRequest, v1::CancelBatchResponse>(
      std::move(request), [](Channel& on, auto... call) {
        on.batches().async()->CancelBatch(call...);
      });
}

}  // namespace vigil::client
