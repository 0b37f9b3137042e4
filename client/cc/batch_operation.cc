#include "client/cc/batch_operation.h"

#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>

#include "client/cc/random_id.h"
#include "client/cc/unary_call.h"

namespace vigil::client {

// One gRPC stream. Freed by the operation when a later one has taken its place,
// or with it.
class BatchOperation::Stream
    : public grpc::ClientBidiReactor<v1::RunBatchRequest,
                                     v1::RunBatchResponse> {
 public:
  Stream(std::shared_ptr<BatchOperation> operation, v1::RunBatchRequest first)
      : context_(operation->channel_.NewContext()),
        operation_(std::move(operation)),
        request_(std::move(first)) {}

  void Begin(Channel& channel) {
    channel.batches().async()->RunBatch(context_.get(), this);
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }

  void TryCancel() { context_->TryCancel(); }

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
      // From here on the call may end, and nothing may be written to it. Until
      // here this read was under way, which kept it.
      absl::MutexLock lock(&operation_->mu_);
      operation_->opened_ = false;
      return;
    }
    operation_->OnEvent(response_.event());
    response_.Clear();
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    // The operation may free this stream from here on, before it returns.
    const std::shared_ptr<BatchOperation> operation = std::move(operation_);
    operation->OnStreamDone(FromGrpc(status), PushbackOf(*context_));
  }

 private:
  const std::unique_ptr<grpc::ClientContext> context_;
  std::shared_ptr<BatchOperation> operation_;
  v1::RunBatchRequest request_;
  v1::RunBatchResponse response_;
};

BatchStream BatchOperation::Run(Channel& channel, v1::OpenBatch open,
                                v1::ResultOrder order, BatchObserver observer) {
  v1::RunBatchRequest first;
  *first.mutable_open() = std::move(open);
  first.set_order(order);
  auto operation = std::make_shared<BatchOperation>(channel, std::move(first),
                                                    std::move(observer));
  operation->Start();
  return BatchStream(std::move(operation));
}

BatchOperation::BatchOperation(Channel& channel, v1::RunBatchRequest first,
                               BatchObserver observer)
    : channel_(channel),
      first_(std::move(first)),
      observer_(std::move(observer)),
      backoff_(channel_.options().backoff) {}

BatchOperation::~BatchOperation() = default;

void BatchOperation::Start() {
  if (channel_.operations().Add(shared_from_this())) {
    Open();
  } else if (observer_.on_end) {
    observer_.on_end(absl::CancelledError("the client is going away"));
  }
}

void BatchOperation::Open() {
  Stream* stream = nullptr;
  {
    absl::MutexLock lock(&mu_);
    // Its function holds this operation: a spent timer must not stay.
    timer_.reset();
    previous_ = std::move(stream_);
    if (!abandoned_) {
      close_sent_ = false;
      next_index_ = 0;
      // The first request.
      writing_ = true;
      stream_ = std::make_unique<Stream>(shared_from_this(), first_);
      stream = stream_.get();
    }
  }
  if (stream == nullptr) {
    End(absl::CancelledError("the stream was abandoned"));
    return;
  }
  stream->Begin(channel_);
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
    if (event.has_batch() && batch_id_.empty()) {
      batch_id_ = event.batch().batch_id();
      if (cancel_wanted_) SendCancel();
    }
    WriteSome();
  }
  if (event.has_batch() && event.batch().state() == v1::Batch::STATE_ENDED) {
    final_batch_ = event.batch();
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
  stream_->Write(std::move(request));
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

void BatchOperation::OnStreamDone(absl::Status status,
                                  std::optional<absl::Duration> pushback) {
  if (final_batch_.has_value()) {
    End(*std::move(final_batch_));
    return;
  }
  bool abandoned = false;
  {
    absl::MutexLock lock(&mu_);
    abandoned = abandoned_;
  }
  if (abandoned) {
    End(absl::CancelledError("the stream was abandoned"));
    return;
  }
  // A coordinator that stops ends its streams by OK or CANCELLED.
  const bool cut = status.ok() || absl::IsCancelled(status);
  if (cut) {
    status = absl::UnavailableError(
        "the coordinator ended the stream before the batch had ended");
  }
  std::optional<absl::Duration> wait;
  if (cut || IsTransient(status, pushback)) {
    wait = backoff_.Next(channel_.clock().Now(), pushback, RandomFraction());
  }
  if (!wait.has_value()) {
    End(status);
    return;
  }
  if (observer_.on_retry) observer_.on_retry(status, *wait);
  absl::MutexLock lock(&mu_);
  timer_ = StartTimer(abandoned_ ? absl::ZeroDuration() : *wait,
                      [self = shared_from_this()] { self->Open(); });
}

void BatchOperation::End(absl::StatusOr<v1::Batch> batch) {
  if (observer_.on_end) observer_.on_end(std::move(batch));
  // What the functions hold is freed now, not with the last handle.
  observer_ = BatchObserver();
  {
    absl::MutexLock lock(&mu_);
    ended_ = true;
    items_.clear();
    bytes_ = 0;
    timer_.reset();
    stream_.reset();
    previous_.reset();
  }
  channel_.operations().Remove(this);
}

void BatchOperation::CancelBatch() {
  absl::MutexLock lock(&mu_);
  if (cancel_wanted_ || ended_) return;
  cancel_wanted_ = true;
  if (!batch_id_.empty()) SendCancel();
}

void BatchOperation::SendCancel() {
  v1::CancelBatchRequest request;
  request.set_namespace_(first_.open().namespace_());
  request.set_batch_id(batch_id_);
  CallOptions options;
  options.retry_for = channel_.options().backoff.give_up_after;
  std::make_shared<UnaryCall<v1::CancelBatchRequest, v1::CancelBatchResponse>>(
      channel_,
      [](Channel& on, auto... call) {
        on.batches().async()->CancelBatch(call...);
      },
      std::move(request),
      // Whatever hinders it ends the stream too, and is told there.
      [](const absl::StatusOr<v1::CancelBatchResponse>&) {}, options)
      ->Start();
}

void BatchOperation::Abandon() {
  absl::MutexLock lock(&mu_);
  abandoned_ = true;
  if (stream_) stream_->TryCancel();
  if (timer_) timer_->Cancel();
}

std::string BatchOperation::batch_id() const {
  absl::MutexLock lock(&mu_);
  return batch_id_;
}

}  // namespace vigil::client
