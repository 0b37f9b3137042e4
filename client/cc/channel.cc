#include "client/cc/channel.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/task_token.h"
#include "client/cc/default_address.h"
#include "client/cc/process_task.h"

namespace vigil::client {
namespace {

constexpr char kPushbackKey[] = "grpc-retry-pushback-ms";

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

// A length of time, which gRPC counts from now on the monotonic clock.
gpr_timespec FromNow(absl::Duration duration) {
  return gpr_time_from_nanos(absl::ToInt64Nanoseconds(duration), GPR_TIMESPAN);
}

grpc::ChannelArguments Arguments(const std::string& address,
                                 const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  // Calls are repeated here, where it is known which are safe to repeat.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // gRPC's own waits between connection attempts, which start at 1 s and grow
  // to 120 s, would hide a coordinator that is back.
  const int first = Milliseconds(options.backoff.initial_interval);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, first);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, first);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                   Milliseconds(options.backoff.maximum_interval));
  // A socket on this machine closes when its peer dies, whatever it dies of.
  if (SocketPath(address).empty()) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                     Milliseconds(kKeepaliveInterval));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                     Milliseconds(kKeepaliveTimeout));
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  // Clients do not share connections, and so not their troubles either.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A coordinator is on this machine or in this cluster.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

// Keeps gRPC running from the first client on. With the last of its users gone
// gRPC 1.51 ends its threads, and waits for up to 10 s for one that watches
// over a connection that wrote much: a client's destructor should not.
void KeepGrpcRunning() {
  static const bool kept = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(kept);
}

}  // namespace

Channel::Channel(const std::string& address, const ClientOptions& options)
    : options_(options),
      task_token_(ProcessTask()),
      channel_(grpc::CreateCustomChannel(address,
                                         grpc::InsecureChannelCredentials(),
                                         Arguments(address, options))),
      jobs_(channel_),
      batches_(channel_),
      methods_(channel_) {
  KeepGrpcRunning();
}

std::unique_ptr<grpc::ClientContext> Channel::NewContext() const {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!task_token_.empty()) {
    context->AddMetadata(kTaskTokenMetadataKey, task_token_);
  }
  return context;
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

std::optional<absl::Duration> PushbackOf(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  auto found = trailers.find(kPushbackKey);
  if (found == trailers.end()) return std::nullopt;
  int64_t milliseconds = 0;
  const absl::string_view text(found->second.data(), found->second.size());
  // As gRPC has it: what cannot be read means not to try again.
  if (!absl::SimpleAtoi(text, &milliseconds)) milliseconds = -1;
  return absl::Milliseconds(milliseconds);
}

void SetTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(FromNow(timeout));
}

bool IsTransient(const absl::Status& status,
                 std::optional<absl::Duration> pushback) {
  return absl::IsUnavailable(status) ||
         (absl::IsResourceExhausted(status) && pushback.has_value());
}

absl::Status NoTimeLeft(const absl::Status& status) {
  return absl::DeadlineExceededError(
      absl::StrCat("no time is left to try again after: ", status.message()));
}

std::unique_ptr<grpc::Alarm> StartTimer(absl::Duration wait,
                                        std::function<void()> wake) {
  auto alarm = std::make_unique<grpc::Alarm>();
  alarm->Set(FromNow(wait), [wake = std::move(wake)](bool) { wake(); });
  return alarm;
}

}  // namespace vigil::client
