#include "client/cc/batch_operation.h"

#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>

namespace vigil::client {

// One gRPC stream.
class BatchOperation::Call
    : public Stream,
      public grpc::ClientBidiReactor<v1::RunBatchRequest,
                                     v1::RunBatchResponse> {
 public:
  Call(std::shared_ptr<BatchOperation> operation, v1::RunBatchRequest first)
      : Stream(operation->NewContext()),
        operation_(std::move(operation)),
        request_(std::move(first)) {}

  void Begin(Channel& channel) override {
    channel.batches().async()->RunBatch(&context(), this);
    // Reads and writes are started by others than gRPC's callbacks, so that the
    // call must not end before a read has failed.
    AddHold();
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }

  void Read() override {
    response_.Clear();
    StartRead(&response_);
  }

  void Write(v1::RunBatchRequest request) {
    request_ = std::move(request);
    if (request_.close()) {
      StartWriteLast(&request_, grpc::WriteOptions());
    } else {
      StartWrite(&request_);
    }
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&operation_->mu_);
    operation_->writing_ = false;
    if (ok) operation_->WriteSome();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        // From here on nothing may be written to it.
        absl::MutexLock lock(&operation_->mu_);
        operation_->opened_ = false;
      }
      RemoveHold();
      return;
    }
    operation_->OnEvent(response_.event());
    if (operation_->ReadsOn()) Read();
  }

  void OnDone(const grpc::Status& status) override {
    // The operation may free this stream from here on, before it returns.
    const std::shared_ptr<BatchOperation> operation = std::move(operation_);
    operation->OnStreamDone(FromGrpc(status), PushbackOf(context()));
  }

 private:
  std::shared_ptr<BatchOperation> operation_;
  v1::RunBatchRequest request_;
  v1::RunBatchResponse response_;
};

BatchStream BatchOperation::Run(Channel& channel, v1::OpenBatch open,
                                v1::ResultOrder order, BatchObserver observer,
                                const StreamOptions& options) {
  v1::RunBatchRequest first;
  *first.mutable_open() = std::move(open);
  first.set_order(order);
  auto operation = std::make_shared<BatchOperation>(
      channel, std::move(first), std::move(observer), options);
  operation->Start();
  return BatchStream(std::move(operation));
}

BatchOperation::BatchOperation(Channel& channel, v1::RunBatchRequest first,
                               BatchObserver observer,
                               const StreamOptions& options)
    : ResumableStream(
          channel, std::move(observer), options,
          {"the stream was abandoned",
           "the coordinator ended the stream before the batch had ended"}),
      first_(std::move(first)) {}

std::unique_ptr<BatchOperation::Stream> BatchOperation::NewStream() {
  close_sent_ = false;
  next_index_ = 0;
  // The first request.
  writing_ = true;
  return std::make_unique<Call>(
      std::static_pointer_cast<BatchOperation>(shared_from_this()), first_);
}

void BatchOperation::OnEvent(const v1::BatchEvent& event) {
  backoff_.Reset();
  first_.set_cursor(event.cursor());
  {
    absl::MutexLock lock(&mu_);
    for (; first_index_ < event.accepted() && !items_.empty(); ++first_index_) {
      bytes_ -= static_cast<int64_t>(items_.front().ByteSizeLong());
      items_.pop_front();
    }
    opened_ = true;
    // Also while it is open: an older stream's items may be accepted since.
    next_index_ = std::max(next_index_, first_index_);
    if (event.has_batch() && id_.empty()) Know(event.batch().batch_id());
    WriteSome();
  }
  if (event.has_batch() && event.batch().state() == v1::Batch::STATE_ENDED) {
    result_ = event.batch();
  }
  if (observer_.on_event) observer_.on_event(event);
}

void BatchOperation::WriteSome() {
  if (!opened_ || writing_ || close_sent_) return;
  v1::RunBatchRequest request;
  request.set_first_index(next_index_);
  size_t bytes = 0;
  size_t at = static_cast<size_t>(next_index_ - first_index_);
  for (; at < items_.size() && request.items_size() < kBatchItemsPerMessageMax;
       ++at) {
    bytes += items_[at].ByteSizeLong();
    if (bytes > kBatchMessageBytesMax && !request.items().empty()) break;
    *request.add_items() = items_[at];
  }
  next_index_ += request.items_size();
  if (closed_ && at == items_.size()) {
    request.set_close(true);
    close_sent_ = true;
  } else if (request.items().empty()) {
    return;
  }
  writing_ = true;
  static_cast<Call&>(*stream_).Write(std::move(request));
}

void BatchOperation::Add(v1::BatchItem item) {
  absl::MutexLock lock(&mu_);
  if (ended_) return;
  bytes_ += static_cast<int64_t>(item.ByteSizeLong());
  items_.push_back(std::move(item));
  WriteSome();
}

void BatchOperation::Close() {
  absl::MutexLock lock(&mu_);
  closed_ = true;
  WriteSome();
}

int64_t BatchOperation::held_items() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int64_t>(items_.size());
}

int64_t BatchOperation::held_bytes() const {
  absl::MutexLock lock(&mu_);
  return bytes_;
}

void BatchOperation::Free() {
  items_.clear();
  bytes_ = 0;
}

void BatchOperation::SendCancel() {
  v1::CancelBatchRequest request;
  request.set_namespace_(first_.open().namespace_());
  request.set_batch_id(id_);
  SendCancelBy<v1::CancelBatchRequest, v1::CancelBatchResponse>(
      std::move(request), [](Channel& on, auto... call) {
        on.batches().async()->CancelBatch(call...);
      });
}

}  // namespace vigil::client
