// Complete: what may stand at the end of a command line of generated commands.
// A pure function, thread-safe; it asks nobody.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMPLETE_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMPLETE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cli/command/command_table.h"

namespace vigil::cli {

struct Candidate {
  // In place of the last word.
  std::string word;
  // A sentence, or empty.
  std::string help;
};

// What may stand there.
struct Completion {
  // What only who asks around knows.
  enum class Wants { kNothing, kIds, kContexts, kFiles, kPrograms };

  // In place of the last word.
  std::vector<Candidate> candidates = {};
  // What may stand there beside them.
  Wants wants = Wants::kNothing;
  // Of what is wanted: what stands before it in the last word, `--context=`,
  // and what is typed of it.
  std::string before = {};
  std::string typed = {};
  // Of kIds: the command and its positional, "job_id". Else null and empty.
  const CommandSpec* command = nullptr;
  absl::string_view positional = {};
};

// Completes the last of `words`, which may be empty or half typed; the first is
// the one behind `vigil`. Candidates are nouns, verbs, flags of the command
// with "=" where a value follows, and values of enums, of switches and of
// --output, also of a list with commas. There are none where a value is free,
// or in the words of a program.
Completion Complete(const CommandTable& table,
                    const std::vector<std::string>& words);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMPLETE_H_
