// ParseMessage: a message as people write it, JSON or protobuf's text format. A
// pure function, thread-safe.
#ifndef VIGIL_CLIENT_CLI_COMMAND_MESSAGE_TEXT_H_
#define VIGIL_CLIENT_CLI_COMMAND_MESSAGE_TEXT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

// Reads `text` into `message`, which is empty: JSON if the first character that
// is not blank is a brace or a bracket, else textproto. A byte order mark
// before it is passed over.
//
// - INVALID_ARGUMENT: it is neither, or has a field that there is not, or text
//   that is not UTF-8; the message says where.
absl::Status ParseMessage(absl::string_view text,
                          google::protobuf::Message* message);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_MESSAGE_TEXT_H_
