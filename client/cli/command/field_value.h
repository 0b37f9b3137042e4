// SetFieldValue: one field of any message from text as a person types it.
// Thread-compatible; `message` is borrowed.
#ifndef VIGIL_CLIENT_CLI_COMMAND_FIELD_VALUE_H_
#define VIGIL_CLIENT_CLI_COMMAND_FIELD_VALUE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

// What a value may refer to.
struct ValueSources {
  // From which "10m ago" counts.
  absl::Time now;
  // Reads a whole file, or stdin for "-".
  std::function<absl::StatusOr<std::string>(const std::string& path)> read;
};

// Sets `field`, or adds to it if it is repeated, by its type:
//
// - integers and floating point as they are; integers that count bytes by
//   their name (see byte_count.h) also as 512M;
// - bool: true or false; text: UTF-8;
// - bytes: the text itself, @FILE and @- (stdin) what is read there, and
//   base64:TEXT what that encodes;
// - enums: a value's name with or without what all of them begin with, in any
//   case, with dashes or underscores; repeated ones also as a list with commas;
// - google.protobuf.Duration: 45s or 1m30s; Timestamp: as RFC 3339, "10m ago",
//   @SECONDS since 1970, or now;
// - maps: KEY=VALUE, either side by these rules;
// - other messages: JSON or textproto, or @FILE with it.
//
// Errors, without the name of the field:
// - INVALID_ARGUMENT: no such value; the message says what a good one looks
//   like. Also a key that the map has already.
// - Others: as `sources.read`.
absl::Status SetFieldValue(google::protobuf::Message* message,
                           const google::protobuf::FieldDescriptor* field,
                           absl::string_view text, const ValueSources& sources);

// What may be typed for an enum, in lower case with dashes: without what all
// names begin with, and without the one that stands for none.
std::vector<std::string> EnumWords(
    const google::protobuf::EnumDescriptor* type);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_FIELD_VALUE_H_
