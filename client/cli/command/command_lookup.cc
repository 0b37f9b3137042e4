#include "client/cli/command/command_lookup.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/nearest.h"

namespace vigil::cli {
namespace {

std::string Kebab(absl::string_view word) {
  return absl::StrReplaceAll(word, {{"_", "-"}});
}

}  // namespace

const NounSpec* FindNoun(const CommandTable& table, absl::string_view word) {
  const std::string wanted = Kebab(word);
  for (const NounSpec& noun : table) {
    if (noun.noun == wanted) return &noun;
  }
  return nullptr;
}

const CommandSpec* FindVerb(const NounSpec& noun, absl::string_view word) {
  const std::string wanted = Kebab(word);
  for (const CommandSpec& command : noun.commands) {
    if (!command.verb.empty() && command.verb == wanted) return &command;
  }
  return nullptr;
}

const CommandSpec* OnlyCommand(const NounSpec& noun) {
  const bool one = noun.commands.size() == 1 && noun.commands[0].verb.empty();
  return one ? noun.commands.data() : nullptr;
}

std::string CommandName(const NounSpec& noun, const CommandSpec& command) {
  return absl::StrCat(noun.noun, command.verb.empty() ? "" : " ", command.verb);
}

std::string NoSuchVerb(const NounSpec& noun, absl::string_view word) {
  std::vector<std::string> verbs;
  for (const CommandSpec& command : noun.commands) {
    verbs.emplace_back(command.verb);
  }
  return absl::StrCat(noun.noun, " has no `", word, "`",
                      DidYouMean(Kebab(word), verbs), " (see `vigil ",
                      noun.noun, " --help`)");
}

}  // namespace vigil::cli
