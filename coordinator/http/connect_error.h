// Errors and ends of streams as the Connect protocol has them: names of codes,
// HTTP's status for each, and JSON
// (https://connectrpc.com/docs/protocol#error-codes). Pure functions,
// thread-safe; own nothing.
#ifndef VIGIL_COORDINATOR_HTTP_CONNECT_ERROR_H_
#define VIGIL_COORDINATOR_HTTP_CONNECT_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coordinator/http/http_message.h"

namespace vigil::coordinator {

// The protocol's name of an error's code, as "not_found".
std::string ConnectCodeName(absl::StatusCode code);

// The protocol's HTTP status for an error's code.
int ConnectHttpStatus(absl::StatusCode code);

// The answer to a request that failed with `error`, under the HTTP status that
// belongs to its code or, where HTTP itself has a better one, `http_status`.
// `trailing` is the RPC's metadata: it goes out as `trailer-` headers, and a
// delay that the coordinator asks for as Retry-After too.
HttpResponse ErrorResponse(const absl::Status& error,
                           const HttpFields& trailing = {});
HttpResponse ErrorResponse(const absl::Status& error, int http_status);

// Trailing metadata as headers of a single answer.
HttpFields TrailerHeaders(const HttpFields& trailing);

// The JSON of a stream's last message.
std::string EndStreamJson(const absl::Status& status,
                          const HttpFields& trailing);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_CONNECT_ERROR_H_
