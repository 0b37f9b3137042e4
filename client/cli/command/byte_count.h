// CountsBytes: which numbers are sizes by their name, for what help says of
// their flags and for what may be typed. A pure function, thread-safe; nothing
// is owned.
#ifndef VIGIL_CLIENT_CLI_COMMAND_BYTE_COUNT_H_
#define VIGIL_CLIENT_CLI_COMMAND_BYTE_COUNT_H_

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace vigil::cli {

// Whether a number with this name counts bytes, by the place of the unit.
inline bool CountsBytes(absl::string_view field) {
  return field == "bytes" || absl::EndsWith(field, "_bytes") ||
         absl::EndsWith(field, "_bytes_max") ||
         absl::EndsWith(field, "_bytes_min");
}

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_BYTE_COUNT_H_
