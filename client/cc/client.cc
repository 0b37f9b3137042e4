#include "client/cc/client.h"

#include <optional>
#include <utility>

#include "client/cc/batch_operation.h"
#include "client/cc/batch_watch_operation.h"
#include "client/cc/channel.h"
#include "client/cc/default_address.h"
#include "client/cc/message_call.h"
#include "client/cc/method_path.h"
#include "client/cc/random_id.h"
#include "client/cc/repeatable.h"
#include "client/cc/watch_operation.h"

namespace vigil::client {

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(
    const std::string& address, const ClientOptions& options) {
  if (absl::Status status = CheckAddress(address); !status.ok()) return status;
  return std::unique_ptr<Client>(new Client(
      std::make_unique<Channel>(address, options), options.executor));
}

Client::Client(std::unique_ptr<Channel> channel, Executor executor)
    : executor_(std::move(executor)), channel_(std::move(channel)) {}

Client::~Client() { channel_->operations().Close(); }

void Client::Start(google::protobuf::Message* request,
                   google::protobuf::Message* response,
                   absl::AnyInvocable<void(const absl::Status&)> done,
                   CallOptions options) {
  if (options.retry_for > absl::ZeroDuration() && !MakeRepeatable(request)) {
    options.retry_for = absl::ZeroDuration();
  }
  StartMessageCall(
      *channel_, MethodPath(*request->GetDescriptor()), *request, response,
      [done = std::move(done)](const absl::Status& status,
                               std::optional<absl::Duration>) mutable {
        done(status);
      },
      options);
}

JobStream Client::RunJob(v1::RunJobRequest request, JobObserver observer,
                         const StreamOptions& options) {
  if (request.job().request_id().empty()) {
    request.mutable_job()->set_request_id(RandomId());
  }
  return WatchOperation::Run(*channel_, std::move(request), std::move(observer),
                             options);
}

BatchStream Client::RunBatch(v1::OpenBatch open, v1::ResultOrder order,
                             BatchObserver observer,
                             const StreamOptions& options) {
  if (open.request_id().empty()) open.set_request_id(RandomId());
  return BatchOperation::Run(*channel_, std::move(open), order,
                             std::move(observer), options);
}

JobStream Client::WatchJob(v1::WatchJobRequest request, JobObserver observer,
                           const StreamOptions& options) {
  return WatchOperation::Watch(*channel_, std::move(request),
                               std::move(observer), options);
}

BatchWatch Client::WatchBatch(v1::WatchBatchRequest request,
                              BatchObserver observer,
                              const StreamOptions& options) {
  return BatchWatchOperation::Watch(*channel_, std::move(request),
                                    std::move(observer), options);
}

}  // namespace vigil::client
