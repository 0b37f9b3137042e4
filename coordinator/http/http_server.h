// HttpServer: HTTP/1.1 on TCP for one handler, on Boost.Beast: connections,
// their limits and their clocks, and nothing of what is said over them. All of
// it runs on the thread that calls Run, the *HTTP thread*; it owns its sockets.
#ifndef VIGIL_COORDINATOR_HTTP_HTTP_SERVER_H_
#define VIGIL_COORDINATOR_HTTP_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/http/http_handler.h"

namespace vigil::coordinator {

class HttpServer {
 public:
  // Binds all addresses, as "host:port"; nothing is answered before Run. The
  // handler lives longer. UNAVAILABLE: one cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Create(
      const std::vector<std::string>& addresses, HttpHandler* handler);
  virtual ~HttpServer() = default;

  // The addresses as they were given, with the ports that were chosen for 0.
  virtual std::vector<std::string> addresses() const = 0;

  // Runs a closure on the HTTP thread; thread-safe. One that comes after the
  // end of Run is dropped.
  virtual void Post(std::function<void()> closure) = 0;

  // Serves until Leave.
  virtual void Run() = 0;

  // Takes no connections and no requests any more, gives clients
  // kHttpStopGrace to take what they are owed, closes the rest and calls
  // `stopped`. HTTP thread only, once.
  virtual void Stop(std::function<void()> stopped) = 0;

  // Ends Run. HTTP thread only, after Stop has called back.
  virtual void Leave() = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_HTTP_SERVER_H_
