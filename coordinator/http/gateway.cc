#include "coordinator/http/gateway.h"

#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/variant.h"
#include "coordinator/http/connect_answer.h"
#include "coordinator/http/connect_error.h"
#include "coordinator/http/host_judge.h"
#include "coordinator/http/http_handler.h"
#include "coordinator/http/http_server.h"
#include "coordinator/http/limits.h"
#include "coordinator/http/method_table.h"
#include "coordinator/http/request_judge.h"
#include "coordinator/http/rpc_calls.h"
#include "coordinator/http/stream_answer.h"

namespace vigil::coordinator {
namespace {

class ConnectGateway : public Gateway, public HttpHandler {
 public:
  explicit ConnectGateway(const std::vector<std::string>& services)
      : methods_(services) {}
  ~ConnectGateway() override;

  absl::Status Begin(Options options);
  std::vector<std::string> addresses() const override {
    return server_->addresses();
  }

  absl::variant<std::unique_ptr<HttpAnswer>, HttpResponse> Judge(
      const HttpRequestHead& head) override;

 private:
  const MethodTable methods_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HostJudge> hosts_;
  std::unique_ptr<RpcCalls> calls_;
  // Answers that are streams.
  int streams_ = 0;
  std::thread thread_;
};

absl::Status ConnectGateway::Begin(Options options) {
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Create(options.addresses, this);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  hosts_ =
      std::make_unique<HostJudge>(server_->addresses(), options.host_names);
  calls_ = RpcCalls::Create(
      std::move(options.channel),
      [this](std::function<void()> f) { server_->Post(std::move(f)); });
  thread_ = std::thread([this] { server_->Run(); });
  return absl::OkStatus();
}

ConnectGateway::~ConnectGateway() {
  if (!thread_.joinable()) return;
  server_->Post([this] {
    // When the connections are gone, nobody starts or continues a call.
    server_->Stop([this] { calls_->WhenIdle([this] { server_->Leave(); }); });
  });
  thread_.join();
  calls_.reset();
}

absl::variant<std::unique_ptr<HttpAnswer>, HttpResponse> ConnectGateway::Judge(
    const HttpRequestHead& head) {
  auto judged = RequestJudge(&methods_, hosts_.get()).Judge(head);
  if (auto* refusal = absl::get_if<HttpResponse>(&judged)) {
    return std::move(*refusal);
  }
  auto& request = absl::get<ConnectRequest>(judged);
  if (request.method->server_streaming() && streams_ >= kHttpStreamsMax) {
    return StreamRefusal(
        request.codec,
        absl::ResourceExhaustedError(
            "as many streams are open over HTTP as may be; end some, or use "
            "gRPC"));
  }
  return std::make_unique<ConnectAnswer>(std::move(request), calls_.get(),
                                         &streams_);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(Options options) {
  auto gateway = std::make_unique<ConnectGateway>(options.services);
  const absl::Status status = gateway->Begin(std::move(options));
  if (!status.ok()) return status;
  return gateway;
}

}  // namespace vigil::coordinator
