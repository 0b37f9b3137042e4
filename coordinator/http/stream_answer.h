// The outside of an answer with a stream in the Connect protocol: always status
// 200, with the error in the last message. Pure functions, thread-safe; own
// nothing.
#ifndef VIGIL_COORDINATOR_HTTP_STREAM_ANSWER_H_
#define VIGIL_COORDINATOR_HTTP_STREAM_ANSWER_H_

#include <string>

#include "absl/status/status.h"
#include "coordinator/http/http_message.h"
#include "coordinator/http/transcoder.h"

namespace vigil::coordinator {

// Returns status and headers, without a body.
HttpResponse StreamHead(Codec codec);

// Returns the last message, in its envelope; `trailing` is the RPC's metadata.
std::string StreamEnd(const absl::Status& status, const HttpFields& trailing);

// Returns the whole answer to a call that failed before it began.
HttpResponse StreamRefusal(Codec codec, const absl::Status& status);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_STREAM_ANSWER_H_
