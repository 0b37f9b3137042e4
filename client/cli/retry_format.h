// What became of a job's retries, in words. Pure functions; thread-safe.
#ifndef VIGIL_CLIENT_CLI_RETRY_FORMAT_H_
#define VIGIL_CLIENT_CLI_RETRY_FORMAT_H_

#include <string>

#include "vigil/v1/job.pb.h"

namespace vigil::cli {

// Attempts that were made: one that a worker handed back before it began is no
// try.
int AttemptsMade(const v1::Job& job);

// Of an ended job, one line without its newline: "retry 2 succeeded (attempt 1:
// RESOURCE_EXHAUSTED, attempt 2: WORKER_LOST)", "not retried: NONZERO_EXIT is
// not in retry_on", "retries used up: 4 attempts (...)". Empty where there is
// nothing to say: it worked at once, was cancelled, never began, or has not
// ended.
std::string RetryText(const v1::Job& job);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_RETRY_FORMAT_H_
