// VerbEntry: a hand-written verb as the command line lists it. A value,
// thread-safe; it owns nothing.
#ifndef VIGIL_CLIENT_CLI_VERB_ENTRY_H_
#define VIGIL_CLIENT_CLI_VERB_ENTRY_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/cli/environment.h"
#include "client/cli/flags.h"

namespace vigil::cli {

struct VerbEntry {
  const char* name;
  // Half a sentence.
  const char* summary;
  // Returns the exit status of the process.
  int (*run)(const std::vector<std::string>& arguments,
             const Environment& environment);
};

// The verb of that name; null: there is none. Borrowed from `verbs`.
const VerbEntry* FindVerb(absl::Span<const VerbEntry> verbs,
                          absl::string_view name);

// Has `use` called with the flags of the verb, which are there for no longer.
void WithFlagsOf(const VerbEntry& verb, const Environment& environment,
                 std::function<void(const FlagSet& flags)> use);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_VERB_ENTRY_H_
