// Nearest: which of some names was probably meant by a misspelt one. A pure
// function, thread-safe.
#ifndef VIGIL_CLIENT_CLI_NEAREST_H_
#define VIGIL_CLIENT_CLI_NEAREST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vigil::cli {

// The name that needs the fewest letters inserted, removed or replaced to
// become `word`; empty when none is near (more than a third of it, or three
// letters, would change).
std::string Nearest(absl::string_view word,
                    const std::vector<std::string>& names);

// "; did you mean `NAME`?" of that name; empty when none is near.
std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& names);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_NEAREST_H_
