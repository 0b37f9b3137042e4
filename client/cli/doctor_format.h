// How the findings of `vigil doctor` read. Pure functions, thread-safe.
#ifndef VIGIL_CLIENT_CLI_DOCTOR_FORMAT_H_
#define VIGIL_CLIENT_CLI_DOCTOR_FORMAT_H_

#include <string>
#include <vector>

#include "client/cli/check_result.h"
#include "client/cli/format.h"

namespace vigil::cli {

// A line for a person, ended, and below it the advice, unless that is
// `advice_before`, the one that was given last.
std::string FormatCheck(const CheckResult& result,
                        const std::string& advice_before, const Style& style);

// The last line: how many checks ended how.
std::string FormatSummary(const std::vector<CheckResult>& results,
                          const Style& style);

// One line of JSON, ended: check, state (OK, FAILED or SKIPPED), message,
// advice, and an object `figures`.
std::string CheckJson(const CheckResult& result);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_DOCTOR_FORMAT_H_
