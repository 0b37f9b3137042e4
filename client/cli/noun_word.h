// NounWord: whether the words of a verb that runs a program were meant for a
// noun of the same name, as `vigil batch lits` is. A pure function but for what
// `is_program` asks, thread-safe; it keeps nothing.
#ifndef VIGIL_CLIENT_CLI_NOUN_WORD_H_
#define VIGIL_CLIENT_CLI_NOUN_WORD_H_

#include <functional>
#include <string>
#include <vector>

#include "client/cli/command/command_table.h"
#include "client/cli/flags.h"

namespace vigil::cli {

// Why `words`, which stand behind the verb and do not begin with a verb of the
// noun, are not to be run as a program, and what to write instead; empty: they
// may be. `flags` are those of the verb. What stands behind `--` always may be,
// and so may a misspelt verb that is the name of a program: `is_program` says
// whether there is one here.
std::string MeantForNoun(
    const NounSpec& noun, const FlagSet& flags,
    const std::vector<std::string>& words,
    const std::function<bool(const std::string& name)>& is_program);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_NOUN_WORD_H_
