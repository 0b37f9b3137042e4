// One connection of an HttpServer: reads requests, one after another, hands
// them to the handler, writes the answers, and keeps to its clocks and limits.
// HTTP thread only; owns its socket, and lives until its operations are back.
#ifndef VIGIL_COORDINATOR_HTTP_HTTP_CONNECTION_H_
#define VIGIL_COORDINATOR_HTTP_HTTP_CONNECTION_H_

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "coordinator/http/held_bytes.h"
#include "coordinator/http/http_handler.h"

namespace vigil::coordinator {

class Connection;

// What connections share; lives longer than they.
class ServerState {
 public:
  virtual ~ServerState() = default;
  virtual HttpHandler* handler() = 0;
  virtual HeldBytes& held() = 0;
  virtual bool stopping() const = 0;
  // The connection is closed.
  virtual void Remove(Connection* connection) = 0;
};

class Connection {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  static std::shared_ptr<Connection> Make(ServerState* server,
                                          boost::asio::ip::tcp::socket socket);
  virtual ~Connection() = default;

  // Waits for the first request.
  virtual void Serve() = 0;
  // Says that there is no room, and closes.
  virtual void Refuse() = 0;
  // Closes now; repeatable.
  virtual void Close() = 0;
  // When it began to wait for a request, or for the rest of a head; unset: it
  // does neither.
  virtual std::optional<Instant> waits_since() const = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_HTTP_CONNECTION_H_
