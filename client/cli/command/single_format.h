// How one message is shown to people: by itself, line by line, or in passing,
// on one line. Pure functions, thread-safe. They keep nothing of the message.
#ifndef VIGIL_CLIENT_CLI_COMMAND_SINGLE_FORMAT_H_
#define VIGIL_CLIENT_CLI_COMMAND_SINGLE_FORMAT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/command/value_format.h"
#include "client/cli/format.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

struct SingleView {
  Style style = Style(Style::Colour::kNone);
  TimeView times;
  // Longest line of a table within; 0: any.
  size_t columns_max = 0;
  // What a table within shows.
  enum class Sections { kNarrow, kWide };
  Sections sections = Sections::kNarrow;
};

// A line "STATE:  RUNNING" for each of its columns, wide ones too, then its
// sections as tables. What is not set is left out, and a 0 of a wide column.
// `wrapper` is the response that holds it, or itself: what that says beside it
// in fields that are no messages follows.
std::string FormatSingle(const google::protobuf::Message& message,
                         const google::protobuf::Message& wrapper,
                         const SingleView& view);

// "job 0c2f: RUNNING, attempts 1, phase ACTIVE": its name, states, and columns
// that are not wide, without ages, which grow by themselves. `what` is the name
// of the field that holds it. No end of line.
std::string FormatTalk(absl::string_view what,
                       const google::protobuf::Message& message,
                       const TimeView& times);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_SINGLE_FORMAT_H_
