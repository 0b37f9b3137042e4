// The flags that the command line itself gives to generated commands, so that
// no field of a request may take their names. Constants, thread-safe; nothing
// is owned.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_RESERVED_FLAGS_H_
#define VIGIL_CLIENT_CLI_GENERATOR_RESERVED_FLAGS_H_

#include <algorithm>
#include <array>

#include "absl/strings/string_view.h"

namespace vigil::cli {

// With underscores, sorted. Some are not in use, and kept for what every
// command line has sooner or later: a field that had taken one would have to be
// renamed then.
inline constexpr std::array<absl::string_view, 13> kReservedFlags = {
    "address", "all",   "color",  "config", "context", "format",  "from_file",
    "help",    "limit", "output", "quiet",  "timeout", "version",
};

constexpr bool IsReservedFlag(absl::string_view name) {
  return std::find(kReservedFlags.begin(), kReservedFlags.end(), name) !=
         kReservedFlags.end();
}

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_GENERATOR_RESERVED_FLAGS_H_
