// Messages from JSON to binary and back, by their descriptors. Pure functions,
// thread-safe; own nothing.
#ifndef VIGIL_COORDINATOR_HTTP_TRANSCODER_H_
#define VIGIL_COORDINATOR_HTTP_TRANSCODER_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vigil::coordinator {

// How a client writes messages.
enum class Codec { kJson, kProto };

// Returns a client's message, of `type`, which is compiled in, in binary.
// INVALID_ARGUMENT: it is not such a message. In JSON a field that it does not
// have is refused, so that a slip does not become a job without the clock it
// was to have. Binary is parsed once more by gRPC, which takes what it cannot
// parse for a fault of the server's.
absl::StatusOr<std::string> ToBinary(const google::protobuf::Descriptor* type,
                                     Codec codec, absl::string_view text);

// Returns a binary message of `type` as a client wants it: JSON has
// lowerCamelCase names, and leaves out what is zero, empty or false. INTERNAL:
// it has no form in JSON.
absl::StatusOr<std::string> FromBinary(const google::protobuf::Descriptor* type,
                                       Codec codec, std::string binary);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_TRANSCODER_H_
