// UnaryCall: one call with its deadline, tried again while that can help.
// Thread-safe. Owned by its channel's set of operations until its own callback
// has returned, and by gRPC's callbacks.
#ifndef VIGIL_CLIENT_CC_UNARY_CALL_H_
#define VIGIL_CLIENT_CC_UNARY_CALL_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "client/cc/backoff.h"
#include "client/cc/call_options.h"
#include "client/cc/channel.h"
#include "client/cc/limits.h"
#include "client/cc/random_id.h"

namespace vigil::client {

template <typename Request, typename Response>
class UnaryCall
    : public Operation,
      public std::enable_shared_from_this<UnaryCall<Request, Response>> {
 public:
  // Starts one try; calls back when it is over.
  using Method = std::function<void(
      Channel& channel, grpc::ClientContext* context, const Request* request,
      Response* response, std::function<void(grpc::Status)> done)>;

  // What Abandon does to a try that is under way.
  enum class OnAbandon {
    kCancel,
    // Gives it kLastWishMax more: for what is to be heard even if nobody waits.
    kLetItEnd,
  };

  UnaryCall(Channel& channel, Method method, Request request,
            Callback<Response> callback, CallOptions options,
            OnAbandon on_abandon = OnAbandon::kCancel)
      : channel_(channel),
        method_(std::move(method)),
        request_(std::move(request)),
        callback_(std::move(callback)),
        options_(options),
        on_abandon_(on_abandon),
        deadline_(channel_.FromWallClock(options.deadline)),
        backoff_(BackoffFor(channel_, options)) {}

  void Start() {
    if (!channel_.operations().Add(this->shared_from_this())) {
      callback_(absl::CancelledError("the client is going away"));
      return;
    }
    Try();
  }

  void Abandon() override {
    absl::MutexLock lock(&mu_);
    abandoned_ = true;
    if (context_ && on_abandon_ == OnAbandon::kLetItEnd) {
      last_wish_ = StartTimer(kLastWishMax, [self = this->shared_from_this()] {
        absl::MutexLock lock(&self->mu_);
        if (self->context_) self->context_->TryCancel();
      });
    } else if (context_) {
      context_->TryCancel();
    }
    if (timer_) timer_->Cancel();
  }

 private:
  static BackoffOptions BackoffFor(const Channel& channel,
                                   const CallOptions& options) {
    BackoffOptions backoff = channel.options().backoff;
    backoff.give_up_after = options.retry_for;
    return backoff;
  }

  void Try() {
    {
      absl::MutexLock lock(&mu_);
      // Its function holds this call: a spent timer must not stay.
      timer_.reset();
      context_.reset();
      // What is to be heard even if nobody waits is tried once in any case.
      const bool last_wish =
          abandoned_ && !tried_ && on_abandon_ == OnAbandon::kLetItEnd;
      if (!abandoned_ || last_wish) {
        tried_ = true;
        context_ = channel_.NewContext();
        const absl::Duration timeout =
            std::min(options_.timeout, deadline_ - channel_.clock().Now());
        SetTimeout(*context_,
                   last_wish ? std::min(timeout, kLastWishMax) : timeout);
      }
    }
    // Only this chain of calls replaces context_, so it stays what it is.
    if (!context_) {
      Finish(absl::CancelledError("the call was abandoned"));
      return;
    }
    method_(channel_, context_.get(), &request_, &response_,
            [self = this->shared_from_this()](grpc::Status status) {
              self->OnDone(FromGrpc(status));
            });
  }

  void OnDone(const absl::Status& status) {
    if (status.ok()) {
      Finish(std::move(response_));
      return;
    }
    const std::optional<absl::Duration> pushback = PushbackOf(*context_);
    std::optional<absl::Duration> wait;
    if (IsTransient(status, pushback)) {
      wait = backoff_.Next(channel_.clock().Now(), pushback, RandomFraction());
    }
    if (!wait.has_value()) {
      Finish(status);
      return;
    }
    if (channel_.clock().Now() + *wait >= deadline_) {
      Finish(NoTimeLeft(status));
      return;
    }
    absl::MutexLock lock(&mu_);
    timer_ = StartTimer(abandoned_ ? absl::ZeroDuration() : *wait,
                        [self = this->shared_from_this()] { self->Try(); });
  }

  void Finish(absl::StatusOr<Response> response) {
    callback_(std::move(response));
    callback_ = nullptr;
    {
      absl::MutexLock lock(&mu_);
      timer_.reset();
      last_wish_.reset();
      context_.reset();
    }
    channel_.operations().Remove(this);
  }

  Channel& channel_;
  const Method method_;
  const Request request_;
  Response response_;
  Callback<Response> callback_;
  const CallOptions options_;
  const OnAbandon on_abandon_;
  // On the channel's clock.
  const absl::Time deadline_;
  Backoff backoff_;

  absl::Mutex mu_;
  bool abandoned_ = false;
  bool tried_ = false;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::Alarm> timer_;
  std::unique_ptr<grpc::Alarm> last_wish_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_UNARY_CALL_H_
