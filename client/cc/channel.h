// Channel: what all calls of one client share: the gRPC channel and its stubs,
// the options and the calls in flight; beside it the few helpers that every
// call needs. Thread-safe. Internal to the library, as are the gRPC headers it
// brings.
#ifndef VIGIL_CLIENT_CC_CHANNEL_H_
#define VIGIL_CLIENT_CC_CHANNEL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "client/cc/call_options.h"
#include "client/cc/operation.h"
#include "vigil/v1/batch_service.grpc.pb.h"
#include "vigil/v1/job_service.grpc.pb.h"

namespace vigil::client {

class Channel {
 public:
  Channel(const std::string& address, const ClientOptions& options);

  const ClientOptions& options() const { return options_; }
  const Clock& clock() const { return clock_; }
  // An instant of the system's clock as it is set now, on clock().
  absl::Time FromWallClock(absl::Time instant) const {
    return clock_.Now() + (instant - Clock().Now());
  }
  OperationSet& operations() { return operations_; }
  v1::JobService::Stub& jobs() { return jobs_; }
  v1::BatchService::Stub& batches() { return batches_; }
  // Calls methods by their paths.
  grpc::GenericStub& methods() { return methods_; }

  // Makes the context of one call. Within a task it says which: the coordinator
  // refuses what a task may not do.
  std::unique_ptr<grpc::ClientContext> NewContext() const;

 private:
  ClientOptions options_;
  // Empty outside of tasks.
  const std::string task_token_;
  Clock clock_;
  OperationSet operations_;
  std::shared_ptr<grpc::Channel> channel_;
  v1::JobService::Stub jobs_;
  v1::BatchService::Stub batches_;
  grpc::GenericStub methods_;
};

// The same code and message.
absl::Status FromGrpc(const grpc::Status& status);

// When the server asks to be called again; negative: never.
std::optional<absl::Duration> PushbackOf(const grpc::ClientContext& context);

// Sets the deadline, counted from now on a clock that nobody sets.
void SetTimeout(grpc::ClientContext& context, absl::Duration timeout);

// Whether the call may succeed when it is made again.
bool IsTransient(const absl::Status& status,
                 std::optional<absl::Duration> pushback);

// What is said when a try failed by `status` and the deadline is too near for
// another one.
absl::Status NoTimeLeft(const absl::Status& status);

// Returns a timer that calls `wake` once, on a thread of the library: after
// `wait`, or at once when it is cancelled or destroyed before.
std::unique_ptr<grpc::Alarm> StartTimer(absl::Duration wait,
                                        std::function<void()> wake);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_CHANNEL_H_
