// Golden files: texts that a test expects to the letter, as files that a person
// reads. Thread-compatible, for tests alone. Nothing is owned.
#ifndef VIGIL_CLIENT_CLI_COMMAND_GOLDEN_H_
#define VIGIL_CLIENT_CLI_COMMAND_GOLDEN_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vigil::cli {

// The contents of a file in client/cli/command/testdata; a failure of the test
// if there is none.
std::string ReadTestData(const std::string& name);

// Expects that `text` is what the file says; the failure shows the difference
// and how to take the text over.
void ExpectGolden(const std::string& name, absl::string_view text);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_GOLDEN_H_
