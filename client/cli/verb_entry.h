// VerbEntry: a hand-written verb as the command line lists it. A value,
// thread-safe; it owns nothing.
#ifndef VIGIL_CLIENT_CLI_VERB_ENTRY_H_
#define VIGIL_CLIENT_CLI_VERB_ENTRY_H_

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace vigil::cli {

struct VerbEntry {
  const char* name;
  // Half a sentence.
  const char* summary;
  // Returns the exit status of the process.
  int (*run)(const std::vector<std::string>& arguments,
             const Environment& environment);
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_VERB_ENTRY_H_
