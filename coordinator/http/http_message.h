// Requests and answers of HTTP as plain values, for code that knows nothing of
// sockets. Thread-compatible values.
#ifndef VIGIL_COORDINATOR_HTTP_HTTP_MESSAGE_H_
#define VIGIL_COORDINATOR_HTTP_HTTP_MESSAGE_H_

#include <string>
#include <vector>

namespace vigil::coordinator {

// A header of HTTP or a piece of gRPC's metadata. Names are lower-case.
struct HttpField {
  std::string name;
  std::string value;

  friend bool operator==(const HttpField&, const HttpField&) = default;
};
using HttpFields = std::vector<HttpField>;

// All of a request but its body.
struct HttpRequestHead {
  std::string method;
  // As it stands in the request line.
  std::string target;
  // In their order; a name may be there more than once.
  HttpFields fields;
};

struct HttpResponse {
  int status = 200;
  HttpFields fields;
  std::string body;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_HTTP_MESSAGE_H_
