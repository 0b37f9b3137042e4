// ResumableStream: what every stream of events has in common as a client sees
// it: it is opened again when it breaks, with backoff, until its last event
// came, that cannot help any more or nobody wants it; and its end is told once.
// Thread-safe; its observer is called by one thread at a time. Owned by its
// channel's set of operations and by gRPC's callbacks until on_end has
// returned, then by handles alone. `Control` is a StreamControl, `Observer` has
// on_retry and on_end, and `Result` is what the latter is told of a good end.
// Internal to the library, as are the gRPC headers it brings.
#ifndef VIGIL_CLIENT_CC_RESUMABLE_STREAM_H_
#define VIGIL_CLIENT_CC_RESUMABLE_STREAM_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cc/backoff.h"
#include "client/cc/channel.h"
#include "client/cc/random_id.h"
#include "client/cc/stream_options.h"
#include "client/cc/unary_call.h"

namespace vigil::client {

template <typename Control, typename Observer, typename Result>
class ResumableStream : public Operation,
                        public Control,
                        public std::enable_shared_from_this<
                            ResumableStream<Control, Observer, Result>> {
 public:
  // One gRPC stream. Freed when a later one has taken its place, or with the
  // operation.
  class Stream {
   public:
    explicit Stream(std::unique_ptr<grpc::ClientContext> context)
        : context_(std::move(context)) {}
    virtual ~Stream() = default;
    virtual void Begin(Channel& channel) = 0;
    // Starts to read the next event.
    virtual void Read() = 0;
    grpc::ClientContext& context() { return *context_; }

   private:
    const std::unique_ptr<grpc::ClientContext> context_;
  };

  // To be called once, when it is owned by a shared_ptr.
  void Start() {
    if (channel_.operations().Add(this->shared_from_this())) {
      Open();
    } else if (observer_.on_end) {
      observer_.on_end(absl::CancelledError("the client is going away"));
    }
  }

  // Of Operation and of Control.
  void Abandon() override {
    absl::MutexLock lock(&mu_);
    abandoned_ = true;
    if (stream_) stream_->context().TryCancel();
    if (timer_) timer_->Cancel();
    ReadIfPaused();
  }

  // Of Control: a wish made before the id is known is sent when it is.
  void Cancel() override {
    absl::MutexLock lock(&mu_);
    if (cancel_wanted_ || ended_) return;
    cancel_wanted_ = true;
    if (!id_.empty()) SendCancel();
  }

  // Of Control.
  std::string id() const override {
    absl::MutexLock lock(&mu_);
    return id_;
  }

  // Of Control: has the next event read where that is asked for.
  void ReadNext() override {
    absl::MutexLock lock(&mu_);
    if (!ReadIfPaused()) next_wanted_ = true;
  }

  // Whether the open stream, whose event was told, is to read the next one at
  // once: behind the last event only the end comes.
  bool ReadsOn() {
    absl::MutexLock lock(&mu_);
    paused_ = options_.reading == StreamOptions::Reading::kOnDemand &&
              !next_wanted_ && !abandoned_ && !result_.has_value();
    next_wanted_ = false;
    return !paused_;
  }

  // Makes the context of the next stream.
  std::unique_ptr<grpc::ClientContext> NewContext() const {
    auto context = channel_.NewContext();
    if (deadline_ != absl::InfiniteFuture()) {
      SetTimeout(*context, deadline_ - channel_.clock().Now());
    }
    return context;
  }

  // A stream is over, and has no more callbacks to come than this one.
  void OnStreamDone(absl::Status status,
                    std::optional<absl::Duration> pushback) {
    if (result_.has_value()) {
      End(*std::move(result_));
      return;
    }
    bool abandoned = false;
    {
      absl::MutexLock lock(&mu_);
      abandoned = abandoned_;
    }
    if (abandoned) {
      End(absl::CancelledError(words_.abandoned));
      return;
    }
    // A coordinator that stops ends its streams by OK or CANCELLED.
    const bool cut = status.ok() || absl::IsCancelled(status);
    if (cut) status = absl::UnavailableError(words_.cut);
    std::optional<absl::Duration> wait;
    if (cut || IsTransient(status, pushback)) {
      wait = backoff_.Next(channel_.clock().Now(), pushback, RandomFraction());
    }
    if (!wait.has_value()) {
      End(status);
      return;
    }
    if (channel_.clock().Now() + *wait >= deadline_) {
      End(NoTimeLeft(status));
      return;
    }
    if (observer_.on_retry) observer_.on_retry(status, *wait);
    absl::MutexLock lock(&mu_);
    timer_ = StartTimer(abandoned_ ? absl::ZeroDuration() : *wait,
                        [self = this->shared_from_this()] { self->Open(); });
  }

 protected:
  // What is said of a stream that was abandoned, and of one that the
  // coordinator ended too early.
  struct Words {
    const char* abandoned;
    const char* cut;
  };

  ResumableStream(Channel& channel, Observer observer,
                  const StreamOptions& options, const Words& words)
      : channel_(channel),
        observer_(std::move(observer)),
        backoff_(channel_.options().backoff),
        options_(options),
        deadline_(channel_.FromWallClock(options.deadline)),
        words_(words) {}

  // The next stream, which goes on behind the last event.
  virtual std::unique_ptr<Stream> NewStream()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;
  // Asks the coordinator for the end of what has `id_`. That mu_ is held keeps
  // the operation, and so the channel, from ending.
  virtual void SendCancel() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;
  // Frees what only an operation that goes on needs.
  virtual void Free() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {}

  // Sends `request` by `method`, of which nobody hears: whatever hinders it
  // hinders the stream too. It is sent also when the client goes away.
  template <typename Request, typename Response, typename Method>
  void SendCancelBy(Request request, Method method) {
    using Call = UnaryCall<Request, Response>;
    CallOptions options;
    options.retry_for = channel_.options().backoff.give_up_after;
    std::make_shared<Call>(
        channel_, method, std::move(request),
        [](const absl::StatusOr<Response>&) {}, options,
        Call::OnAbandon::kLetItEnd)
        ->Start();
  }

  void Know(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    id_ = id;
    if (cancel_wanted_) SendCancel();
  }

  Channel& channel_;
  Observer observer_;
  Backoff backoff_;
  // What the last event told.
  std::optional<Result> result_;

  mutable absl::Mutex mu_;
  // Of the job or batch; empty until it is known.
  std::string id_ ABSL_GUARDED_BY(mu_);
  // Told its end; the channel may be gone.
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  // The stream that is open.
  std::unique_ptr<Stream> stream_ ABSL_GUARDED_BY(mu_);

 private:
  bool ReadIfPaused() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!paused_) return false;
    paused_ = false;
    stream_->Read();
    return true;
  }

  void Open() {
    Stream* stream = nullptr;
    {
      absl::MutexLock lock(&mu_);
      // Its function holds this operation: a spent timer must not stay.
      timer_.reset();
      previous_ = std::move(stream_);
      if (!abandoned_) {
        stream_ = NewStream();
        stream = stream_.get();
      }
    }
    if (stream == nullptr) {
      End(absl::CancelledError(words_.abandoned));
      return;
    }
    stream->Begin(channel_);
  }

  void End(absl::StatusOr<Result> result) {
    if (observer_.on_end) observer_.on_end(std::move(result));
    // What the functions hold is freed now, not with the last handle.
    observer_ = Observer();
    {
      absl::MutexLock lock(&mu_);
      ended_ = true;
      Free();
      timer_.reset();
      stream_.reset();
      previous_.reset();
    }
    channel_.operations().Remove(this);
  }

  const StreamOptions options_;
  // On the channel's clock.
  const absl::Time deadline_;
  const Words words_;
  // The open stream has told an event, and reads no other yet; one was asked
  // for before that.
  bool paused_ ABSL_GUARDED_BY(mu_) = false;
  bool next_wanted_ ABSL_GUARDED_BY(mu_) = false;
  bool cancel_wanted_ ABSL_GUARDED_BY(mu_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mu_) = false;
  // The one before, whose last callback may not quite have returned.
  std::unique_ptr<Stream> previous_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<grpc::Alarm> timer_ ABSL_GUARDED_BY(mu_);
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_RESUMABLE_STREAM_H_
