#include "coordinator/rpc/health.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "coordinator/engine/limits.h"

namespace vigil::coordinator {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

}  // namespace

void Health::SetServing(bool serving) {
  if (serving == serving_) return;
  serving_ = serving;
  for (Signal* watcher : watchers_) watcher->Notify();
}

HealthCheckResponse::ServingStatus Health::StatusOf(
    const std::string& name) const {
  if (!Knows(name)) return HealthCheckResponse::SERVICE_UNKNOWN;
  return serving_ ? HealthCheckResponse::SERVING
                  : HealthCheckResponse::NOT_SERVING;
}

Task<absl::Status> Health::Check(Services*, CallContext*,
                                 const HealthCheckRequest& request,
                                 HealthCheckResponse* response) {
  if (!Knows(request.service())) {
    co_return absl::NotFoundError(
        absl::StrCat("this server has no service \"", request.service(),
                     "\"; ask for \"\", the whole server"));
  }
  response->set_status(StatusOf(request.service()));
  co_return absl::OkStatus();
}

Task<absl::Status> Health::Watch(Services* services, CallContext*,
                                 const HealthCheckRequest& request,
                                 ResponseStream<HealthCheckResponse>* stream) {
  if (watchers_.size() >= kHealthWatchersMax) {
    co_return services->engine->Refuse(
        Limit::kHealthWatchers, "",
        absl::ResourceExhaustedError(
            absl::StrCat("there are ", kHealthWatchersMax,
                         " calls of Watch, which is the most; use Check")));
  }
  Signal& signal = stream->signal();
  watchers_.insert(&signal);
  std::optional<HealthCheckResponse::ServingStatus> told;
  bool open = true;
  while (open && !stream->client_gone()) {
    const HealthCheckResponse::ServingStatus status =
        StatusOf(request.service());
    if (told != status) {
      told = status;
      HealthCheckResponse response;
      response.set_status(status);
      Task<bool> writing = stream->Write(response);
      open = co_await writing;
      continue;
    }
    if (services->stopping) break;
    co_await signal;
  }
  watchers_.erase(&signal);
  if (services->stopping) {
    co_return absl::UnavailableError("the coordinator is stopping");
  }
  co_return absl::CancelledError("client gone");
}

}  // namespace vigil::coordinator
