#include "coordinator/http/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "coordinator/http/held_bytes.h"
#include "coordinator/http/http_connection.h"
#include "coordinator/http/limits.h"

namespace vigil::coordinator {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;
using Tcp = asio::ip::tcp;

class BeastServer : public HttpServer, public ServerState {
 public:
  explicit BeastServer(HttpHandler* handler) : handler_(handler) {}

  absl::Status Bind(const std::string& address);

  std::vector<std::string> addresses() const override { return addresses_; }
  void Post(std::function<void()> closure) override {
    asio::post(context_, std::move(closure));
  }
  void Run() override;
  void Stop(std::function<void()> stopped) override;
  void Leave() override { context_.stop(); }

  HttpHandler* handler() override { return handler_; }
  HeldBytes& held() override { return held_; }
  bool stopping() const override { return stopped_ != nullptr; }
  void Remove(Connection* connection) override;

 private:
  struct Listener {
    explicit Listener(asio::io_context& context)
        : acceptor(context), pause(context) {}
    Tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  absl::StatusOr<unsigned short> BindOne(const Tcp::endpoint& endpoint);
  void Accept(Listener* listener);
  void Take(Tcp::socket socket);
  bool MakeRoom();
  void CloseAll();

  HttpHandler* const handler_;
  HeldBytes held_{kHttpHeldBytesMax};
  std::vector<std::string> addresses_;
  std::function<void()> stopped_;
  // From here on: what has operations in flight, and what they run on first.
  asio::io_context context_{/*concurrency_hint=*/1};
  asio::steady_timer stop_time_{context_};
  std::vector<std::unique_ptr<Listener>> listeners_;
  absl::flat_hash_map<Connection*, std::shared_ptr<Connection>> connections_;
};

absl::StatusOr<unsigned short> BeastServer::BindOne(
    const Tcp::endpoint& endpoint) {
  auto listener = std::make_unique<Listener>(context_);
  Error error;
  Tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), error);
  // Linux still refuses a port that somebody listens on.
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return absl::UnavailableError(error.message());
  const unsigned short port = acceptor.local_endpoint(error).port();
  listeners_.push_back(std::move(listener));
  return port;
}

absl::Status BeastServer::Bind(const std::string& address) {
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  std::string literal = host;
  if (host.size() > 2 && host.front() == '[') {
    literal = host.substr(1, host.size() - 2);
  }
  Error error;
  Tcp::resolver resolver(context_);
  const auto found = resolver.resolve(literal, address.substr(colon + 1),
                                      Tcp::resolver::passive, error);
  std::string problem = error.message();
  // A name such as localhost may stand for several addresses, and this host may
  // not have all of them.
  unsigned short port = 0;
  bool bound = false;
  if (!error) {
    for (const auto& entry : found) {
      Tcp::endpoint endpoint = entry.endpoint();
      if (bound) endpoint.port(port);
      const absl::StatusOr<unsigned short> chosen = BindOne(endpoint);
      if (!chosen.ok()) {
        problem = std::string(chosen.status().message());
        continue;
      }
      port = *chosen;
      bound = true;
    }
  }
  if (!bound) {
    return absl::UnavailableError(absl::StrCat("--http_listen: cannot bind ",
                                               address, ": ", problem,
                                               "; choose another address"));
  }
  addresses_.push_back(absl::StrCat(host, ":", port));
  return absl::OkStatus();
}

void BeastServer::Run() {
  for (const auto& listener : listeners_) Accept(listener.get());
  const auto work = asio::make_work_guard(context_);
  context_.run();
}

void BeastServer::Accept(Listener* listener) {
  listener->acceptor.async_accept([this, listener](Error error,
                                                   Tcp::socket socket) {
    if (stopping()) return;
    if (!error) {
      Take(std::move(socket));
      return Accept(listener);
    }
    // No descriptor is left, most often; others may be closed soon.
    listener->pause.expires_after(absl::ToChronoMilliseconds(kHttpAcceptPause));
    listener->pause.async_wait([this, listener](Error) {
      if (!stopping()) Accept(listener);
    });
  });
}

// Closes the connection that has waited longest for a request or the rest of
// one. False: all have something to do.
bool BeastServer::MakeRoom() {
  Connection* oldest = nullptr;
  for (const auto& [connection, ignored] : connections_) {
    if (connection->waits_since() &&
        (oldest == nullptr ||
         *connection->waits_since() < *oldest->waits_since())) {
      oldest = connection;
    }
  }
  if (oldest == nullptr) return false;
  oldest->Close();
  return true;
}

void BeastServer::Take(Tcp::socket socket) {
  const auto count = static_cast<int>(connections_.size());
  if (count >= kHttpConnectionsMax + kHttpRefusalsMax) return;
  const bool room = count < kHttpConnectionsMax || MakeRoom();
  auto connection = Connection::Make(this, std::move(socket));
  connections_[connection.get()] = connection;
  if (room) {
    connection->Serve();
  } else {
    connection->Refuse();
  }
}

void BeastServer::Remove(Connection* connection) {
  connections_.erase(connection);
  if (stopping() && connections_.empty()) stop_time_.cancel();
}

void BeastServer::CloseAll() {
  const auto connections = connections_;
  for (const auto& [connection, ignored] : connections) connection->Close();
}

void BeastServer::Stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  listeners_.clear();
  stop_time_.expires_after(absl::ToChronoMilliseconds(kHttpStopGrace));
  stop_time_.async_wait([this](Error) {
    CloseAll();
    stopped_();
  });
  while (MakeRoom()) {
  }
  if (connections_.empty()) stop_time_.cancel();
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(
    const std::vector<std::string>& addresses, HttpHandler* handler) {
  auto server = std::make_unique<BeastServer>(handler);
  for (const std::string& address : addresses) {
    const absl::Status status = server->Bind(address);
    if (!status.ok()) return status;
  }
  return server;
}

}  // namespace vigil::coordinator
