// How the value of any field is written for people. Pure functions,
// thread-safe. They keep nothing of the message.
#ifndef VIGIL_CLIENT_CLI_COMMAND_VALUE_FORMAT_H_
#define VIGIL_CLIENT_CLI_COMMAND_VALUE_FORMAT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::cli {

// What a person sees of a value.
struct Cell {
  enum class Kind {
    // Not set; an empty text, an unspecified enum.
    kAbsent,
    // 0 or false, which may as well be not set.
    kZero,
    kSet,
  };
  Kind kind = Kind::kAbsent;
  // One line of UTF-8 without control characters; empty if kAbsent.
  std::string text;
  v1::CliTone tone = v1::CLI_TONE_UNSPECIFIED;
};

// What instants are told by.
struct TimeView {
  absl::Time now;
  absl::TimeZone zone;
};

// Whether it is google.protobuf.Timestamp, or Duration.
bool IsTimestamp(const google::protobuf::Descriptor* type);
bool IsDuration(const google::protobuf::Descriptor* type);

// Whether the field's values are messages that have no form of their own here:
// neither instants nor durations nor maps.
bool IsPlainMessage(const google::protobuf::FieldDescriptor& field);

// What the names of all values of an enum begin with, in whole words and never
// all of a name: "STATE_". Borrowed from the type.
absl::string_view EnumPrefix(const google::protobuf::EnumDescriptor& type);

// The name of an enum's value without that prefix.
std::string EnumName(const google::protobuf::EnumDescriptor& type, int number);

// The field `field` of `holder`: repeated ones joined with ",", maps as k=v,
// repeated messages as their number, bytes as text if they are that, else as
// "base64:...".
Cell FormatValue(const google::protobuf::Message& holder,
                 const google::protobuf::FieldDescriptor& field,
                 v1::CliColumn::Format format, const TimeView& times);

// The text in the colour of the tone.
std::string Toned(absl::string_view text, v1::CliTone tone, const Style& style);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_VALUE_FORMAT_H_
