// CompleteWords: answers what shells ask while a command line is typed. Main
// thread only; blocks up to kCompletionTimeout. What it is given is borrowed.
#ifndef VIGIL_CLIENT_CLI_COMPLETE_WORDS_H_
#define VIGIL_CLIENT_CLI_COMPLETE_WORDS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "client/cli/command/command_table.h"
#include "client/cli/environment.h"
#include "client/cli/verb_entry.h"

namespace vigil::cli {

// What stands behind `vigil`.
struct CommandLine {
  // Written by hand.
  absl::Span<const VerbEntry> verbs;
  // Generated.
  CommandTable nouns;
};

// Candidates for the last of `words`, the first of which is the one behind
// `vigil`, as lines for the scripts of `vigil completion`: a candidate, and
// behind a tab what it is. A line that begins with a colon asks for names of
// files (`:files`), directories (`:directories`) or programs (`:programs`).
// Nothing is said of errors: nobody could read it.
std::string CompleteWords(const std::vector<std::string>& words,
                          const CommandLine& line,
                          const Environment& environment);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMPLETE_WORDS_H_
