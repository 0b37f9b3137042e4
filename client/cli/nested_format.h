// How the processes, pools and threads that a task was not to have read, and
// what allows them. Pure functions, thread-safe; they own nothing.
#ifndef VIGIL_CLIENT_CLI_NESTED_FORMAT_H_
#define VIGIL_CLIENT_CLI_NESTED_FORMAT_H_

#include <string>

#include "vigil/v1/job.pb.h"

namespace vigil::cli {

// Lines for a person, each indented by two blanks and ended: what an attempt
// called, what became of it and what would allow it. `spec` is the job's.
std::string FormatNested(const v1::Attempt& attempt, const v1::JobSpec& spec);

// The same in one line, as of "3 processes were refused (python3: fork);
// --max_processes=N allows more"; empty when there is nothing to say.
std::string NestedSummary(const v1::Attempt& attempt, const v1::JobSpec& spec);

// What a job may have beside its process, in one line without an end; empty if
// the specification does not say.
std::string NestingText(const v1::JobSpec& spec);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_NESTED_FORMAT_H_
