// Finding commands in a table by the words of a command line, and what is said
// when there is none. Pure functions, thread-safe; what they return is the
// table's.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMMAND_LOOKUP_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMMAND_LOOKUP_H_

#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/command/command_table.h"

namespace vigil::cli {

// Null if there is none of that name; dashes and underscores are alike.
const NounSpec* FindNoun(const CommandTable& table, absl::string_view word);
const CommandSpec* FindVerb(const NounSpec& noun, absl::string_view word);

// The one command of a noun that has no verbs; null where there are verbs.
const CommandSpec* OnlyCommand(const NounSpec& noun);

// "job get"; "status".
std::string CommandName(const NounSpec& noun, const CommandSpec& command);

// What is said of a word that is no verb of the noun: the nearest one, and
// where all of them are.
std::string NoSuchVerb(const NounSpec& noun, absl::string_view word);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMMAND_LOOKUP_H_
