// CheckRequestSize: whether a request can be sent at all. A pure function,
// thread-safe; it keeps nothing.
#ifndef VIGIL_CLIENT_CLI_COMMAND_REQUEST_SIZE_H_
#define VIGIL_CLIENT_CLI_COMMAND_REQUEST_SIZE_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

// - INVALID_ARGUMENT: it has more than kRequestBytesMax bytes. Send less, or
//   have the task read a file.
absl::Status CheckRequestSize(const google::protobuf::Message& request);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_REQUEST_SIZE_H_
