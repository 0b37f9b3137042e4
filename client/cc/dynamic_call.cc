#include "client/cc/dynamic_call.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "client/cc/channel.h"
#include "client/cc/default_address.h"
#include "client/cc/message_call.h"

namespace vigil::client {
namespace {

using ::google::protobuf::Message;

// Under which a status carries the server's wish, in nanoseconds.
constexpr char kRetryDelayUrl[] = "vigil.dev/retry-delay-ns";

absl::Status WithRetryDelay(absl::Status status,
                            std::optional<absl::Duration> delay) {
  if (!status.ok() && delay.has_value()) {
    status.SetPayload(
        kRetryDelayUrl,
        absl::Cord(absl::StrCat(absl::ToInt64Nanoseconds(*delay))));
  }
  return status;
}

// One stream. Kept alive by itself until its end is told, then by handles.
class StreamCall
    : public Operation,
      public DynamicStream::Control,
      public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public std::enable_shared_from_this<StreamCall> {
 public:
  StreamCall(Channel& channel, const Message& prototype,
             DynamicObserver observer)
      : channel_(channel),
        prototype_(prototype.New()),
        observer_(std::move(observer)),
        context_(channel.NewContext()) {}

  void Begin(const std::string& method, absl::Duration timeout) {
    if (!channel_.operations().Add(shared_from_this())) {
      observer_.on_end(absl::CancelledError("the client is going away"));
      return;
    }
    if (timeout != absl::InfiniteDuration()) SetTimeout(*context_, timeout);
    channel_.methods().PrepareBidiStreamingCall(context_.get(), method, {},
                                                this);
    // Reads and writes are started by others than gRPC's callbacks, so that
    // the call must not end by itself. Lifted when nothing more is read.
    AddHold();
    {
      absl::MutexLock lock(&mu_);
      open_ = true;
      reading_ = true;
      // The client went away meanwhile.
      if (abandoned_) context_->TryCancel();
      StartRead(&incoming_);
    }
    StartCall();
  }

  void Write(const Message& message) override {
    absl::MutexLock lock(&mu_);
    if (!open_) return;
    absl::StatusOr<grpc::ByteBuffer> bytes = Serialized(message);
    VIGIL_CHECK(bytes.ok(), bytes.status().ToString());
    outgoing_ = *std::move(bytes);
    StartWrite(&outgoing_);
  }

  void WritesDone() override {
    absl::MutexLock lock(&mu_);
    if (open_) StartWritesDone();
  }

  void Next() override {
    absl::MutexLock lock(&mu_);
    if (!open_ || reading_) return;
    reading_ = true;
    StartRead(&incoming_);
  }

  void Abandon() override {
    absl::MutexLock lock(&mu_);
    abandoned_ = true;
    if (!open_) return;
    context_->TryCancel();
    // A read is what notices the end.
    if (reading_) return;
    reading_ = true;
    StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    if (ok) observer_.on_written();
  }

  void OnReadDone(bool ok) override {
    if (ok && Deliver()) return;
    {
      absl::MutexLock lock(&mu_);
      open_ = false;
    }
    RemoveHold();
  }

  void OnDone(const grpc::Status& status) override {
    absl::Status end = FromGrpc(status);
    if (!problem_.ok()) end = problem_;
    observer_.on_end(WithRetryDelay(std::move(end), PushbackOf(*context_)));
    // What the functions hold is freed now, not with the last handle.
    observer_ = DynamicObserver();
    context_.reset();
    channel_.operations().Remove(this);
  }

 private:
  // Hands on what was read; false when nothing more is to be read.
  bool Deliver() {
    auto message = std::shared_ptr<Message>(prototype_->New());
    problem_ = Parse(&incoming_, message.get());
    if (!problem_.ok()) {
      context_->TryCancel();
      return false;
    }
    {
      absl::MutexLock lock(&mu_);
      if (abandoned_) {
        StartRead(&incoming_);
        return true;
      }
      reading_ = false;
    }
    observer_.on_message(std::move(message));
    return true;
  }

  Channel& channel_;
  const std::unique_ptr<Message> prototype_;
  DynamicObserver observer_;
  // Only gRPC's callbacks free it, after the last use.
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::ByteBuffer incoming_;
  absl::Status problem_;

  absl::Mutex mu_;
  grpc::ByteBuffer outgoing_ ABSL_GUARDED_BY(mu_);
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  bool reading_ ABSL_GUARDED_BY(mu_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DynamicCalls>> DynamicCalls::Connect(
    const std::string& address, const ClientOptions& options) {
  if (absl::Status status = CheckAddress(address); !status.ok()) return status;
  return std::unique_ptr<DynamicCalls>(
      new DynamicCalls(std::make_unique<Channel>(address, options)));
}

DynamicCalls::DynamicCalls(std::unique_ptr<Channel> channel)
    : channel_(std::move(channel)) {}

DynamicCalls::~DynamicCalls() { channel_->operations().Close(); }

void DynamicCalls::Call(const std::string& method, const Message& request,
                        MessagePtr response, Callback<MessagePtr> callback,
                        CallOptions options) {
  Message* filled = response.get();
  StartMessageCall(
      *channel_, method, request, filled,
      [response = std::move(response), callback = std::move(callback)](
          const absl::Status& status,
          std::optional<absl::Duration> delay) mutable {
        if (status.ok()) {
          callback(std::move(response));
        } else {
          callback(WithRetryDelay(status, delay));
        }
      },
      options);
}

DynamicStream DynamicCalls::Open(const std::string& method,
                                 const Message& prototype,
                                 DynamicObserver observer,
                                 absl::Duration timeout) {
  auto call =
      std::make_shared<StreamCall>(*channel_, prototype, std::move(observer));
  call->Begin(method, timeout);
  return DynamicStream(std::move(call));
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRetryDelayUrl);
  int64_t nanoseconds = 0;
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &nanoseconds)) {
    return std::nullopt;
  }
  return absl::Nanoseconds(nanoseconds);
}

}  // namespace vigil::client
