// The reference of generated commands in Markdown: usage, help and flags of
// each. A pure function, thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_CLI_REFERENCE_H_
#define VIGIL_CLIENT_CLI_GENERATOR_CLI_REFERENCE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/generator/surface.h"

namespace vigil::cli::generator {

// The whole page; it says that the command `update` makes it anew. `api` is the
// path from it to the reference of the API, which has the types of flags whose
// values do not say all of them.
std::string CliReference(const Surface& surface, absl::string_view update,
                         absl::string_view api);

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_CLI_REFERENCE_H_
