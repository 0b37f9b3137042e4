#include "client/cc/client.h"

#include <utility>

#include "client/cc/batch_operation.h"
#include "client/cc/batch_watch_operation.h"
#include "client/cc/channel.h"
#include "client/cc/default_address.h"
#include "client/cc/method_path.h"
#include "client/cc/random_id.h"
#include "client/cc/repeatable.h"
#include "client/cc/unary_call.h"
#include "client/cc/watch_operation.h"

namespace vigil::client {
namespace {

using ::google::protobuf::Message;
using MessageCall =
    UnaryCall<std::unique_ptr<Message>, std::unique_ptr<Message>>;

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(
    const std::string& address, const ClientOptions& options) {
  if (absl::Status status = CheckAddress(address); !status.ok()) return status;
  return std::unique_ptr<Client>(new Client(
      std::make_unique<Channel>(address, options), options.executor));
}

Client::Client(std::unique_ptr<Channel> channel, Executor executor)
    : executor_(std::move(executor)), channel_(std::move(channel)) {}

Client::~Client() { channel_->operations().Close(); }

void Client::Start(std::unique_ptr<Message> request,
                   std::unique_ptr<Message> response,
                   absl::AnyInvocable<void(const absl::Status&, Message&)> done,
                   CallOptions options) {
  if (options.retry_for > absl::ZeroDuration() &&
      !MakeRepeatable(request.get())) {
    options.retry_for = absl::ZeroDuration();
  }
  const std::string path = MethodPath(*request->GetDescriptor());
  // A call's own message is empty; this one has the type.
  Message* filled = response.get();
  std::make_shared<MessageCall>(
      *channel_,
      [path, filled](Channel& on, grpc::ClientContext* context,
                     const std::unique_ptr<Message>* sent,
                     std::unique_ptr<Message>*, auto finished) {
        on.methods().UnaryCall(context, path, {}, sent->get(), filled,
                               std::move(finished));
      },
      std::move(request),
      [response = std::move(response), done = std::move(done)](
          const absl::StatusOr<std::unique_ptr<Message>>& result) mutable {
        done(result.status(), *response);
      },
      options)
      ->Start();
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
