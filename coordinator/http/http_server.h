// HttpServer: HTTP/1.1 on TCP for one handler, on Boost.Beast: connections,
// their limits and their clocks, and nothing of what is said over them. All of
// it runs on the thread that calls Run, the *HTTP thread*; it owns its sockets.
#ifndef VIGIL_COORDINATOR_HTTP_HTTP_SERVER_H_
#define VIGIL_COORDINATOR_HTTP_HTTP_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/variant.h"
#include "coordinator/http/http_message.h"

namespace vigil::coordinator {

// Where the answer to one request goes; a connection's. HTTP thread only. An
// answer is either Respond, or Begin, any number of Send and then End.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  // Sends a whole answer.
  virtual void Respond(HttpResponse response) = 0;

  // Sends an answer's head at once; its body is what follows.
  virtual void Begin(HttpResponse head) = 0;
  // Sends a piece of the body. `sent` is called, from a later turn, when the
  // client's side has taken it: send no other before.
  virtual void Send(std::string piece, std::function<void()> sent) = 0;
  // Ends the answer behind what was sent last.
  virtual void End(std::string last_piece) = 0;
};

// What answers one request. HTTP thread only. It is destroyed, never from
// within its own methods, when the answer is out or the client is gone.
class HttpAnswer {
 public:
  virtual ~HttpAnswer() = default;

  // The largest body that it takes.
  virtual size_t body_bytes_max() const = 0;
  // Begins, with the whole body. `exchange` lives longer than this.
  virtual void Start(std::string body, HttpExchange* exchange) = 0;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // Returns what will answer this request, or an answer that refuses it before
  // its body is read, after which the connection is closed. HTTP thread only.
  virtual absl::variant<std::unique_ptr<HttpAnswer>, HttpResponse> Judge(
      const HttpRequestHead& head) = 0;
};

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
