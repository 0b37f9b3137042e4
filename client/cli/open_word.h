// OpenWord: what the last word of a command line is, which may be half typed,
// as the flags of its verb have it. A pure function, thread-safe; the flags are
// borrowed.
#ifndef VIGIL_CLIENT_CLI_OPEN_WORD_H_
#define VIGIL_CLIENT_CLI_OPEN_WORD_H_

#include <string>
#include <vector>

#include "client/cli/flags.h"

namespace vigil::cli {

struct OpenWord {
  enum class Kind {
    // The name of a flag: `--inp`.
    kFlag,
    // The value of `flag`: `--output=js`, or the word behind `-o`.
    kValue,
    // One that is no flag.
    kWord,
    // A value of a flag that there is not: nothing can be said of it.
    kUnknown,
  };
  Kind kind = Kind::kWord;
  const Flag* flag = nullptr;
  // Of a value: what stands before it in the word, `--output=`.
  std::string before;
  // What is typed of it.
  std::string typed;
  // The words before it that are no flags.
  std::vector<std::string> words;
};

// `words` are those behind the verb; at least one.
OpenWord FindOpenWord(const FlagSet& flags,
                      const std::vector<std::string>& words);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_OPEN_WORD_H_
