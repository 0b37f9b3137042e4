#include "client/cli/noun_word.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/format.h"
#include "client/cli/nearest.h"
#include "client/cli/open_word.h"

namespace vigil::cli {

std::string MeantForNoun(
    const NounSpec& noun, const FlagSet& flags,
    const std::vector<std::string>& words,
    const std::function<bool(const std::string& name)>& is_program) {
  // The program as the verb would find it, were there no `--`.
  std::vector<std::string> before(words.begin(),
                                  std::find(words.begin(), words.end(), "--"));
  before.emplace_back();
  const std::vector<std::string> programs = FindOpenWord(flags, before).words;
  if (programs.empty()) return "";
  const std::string& program = programs[0];
  if (program.empty()) {
    return absl::StrCat("an empty word is neither a program nor a verb of ",
                        noun.noun, " (see `vigil ", noun.noun, " --help`)");
  }
  const std::string as_program =
      absl::StrCat("to run a program of that name: `vigil ", noun.noun, " -- ",
                   OneLine(program), "`");
  if (const CommandSpec* command = FindVerb(noun, program)) {
    return absl::StrCat("flags stand behind the verb: `vigil ",
                        CommandName(noun, *command), " [flags] ...`; ",
                        as_program);
  }
  std::vector<std::string> verbs;
  for (const CommandSpec& command : noun.commands) {
    verbs.emplace_back(command.verb);
  }
  const std::string nearest = Nearest(program, verbs);
  if (nearest.empty() || is_program(program)) return "";
  return absl::StrCat("no program `", OneLine(program),
                      "` is found here; did you mean `vigil ", noun.noun, " ",
                      nearest, "`? ", as_program);
}

}  // namespace vigil::cli
