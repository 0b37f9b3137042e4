#include "client/cli/verb_entry.h"

#include <utility>

namespace vigil::cli {

const VerbEntry* FindVerb(absl::Span<const VerbEntry> verbs,
                          absl::string_view name) {
  for (const VerbEntry& verb : verbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

void WithFlagsOf(const VerbEntry& verb, const Environment& environment,
                 std::function<void(const FlagSet& flags)> use) {
  // The verb has its flags on its stack, and hands them over from there.
  Environment asking = environment;
  asking.on_flags = std::move(use);
  verb.run({}, asking);
}

}  // namespace vigil::cli
