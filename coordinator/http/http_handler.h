// What HTTP's connections and those who answer over them know of each other.
// All of it is for the HTTP thread (see http_server.h); a connection owns its
// answers.
#ifndef VIGIL_COORDINATOR_HTTP_HTTP_HANDLER_H_
#define VIGIL_COORDINATOR_HTTP_HTTP_HANDLER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/types/variant.h"
#include "coordinator/http/http_message.h"

namespace vigil::coordinator {

// Where the answer to one request goes; a connection's. An
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

// What answers one request. It is destroyed, never from
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
  // its body is read, after which the connection is closed.
  virtual absl::variant<std::unique_ptr<HttpAnswer>, HttpResponse> Judge(
      const HttpRequestHead& head) = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_HTTP_HANDLER_H_
