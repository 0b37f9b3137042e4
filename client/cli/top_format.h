// How the answer of GetStatus reads. A pure function, thread-safe.
#ifndef VIGIL_CLIENT_CLI_TOP_FORMAT_H_
#define VIGIL_CLIENT_CLI_TOP_FORMAT_H_

#include <string>

#include "absl/time/time.h"
#include "client/cli/format.h"
#include "vigil/v1/status_service.pb.h"

namespace vigil::cli {

// Lines for a person, the last one ended: the coordinator, jobs by state, each
// worker with what its slots run, and the queues. `now` is the reader's time,
// from which ages are counted.
std::string FormatStatus(const v1::GetStatusResponse& status, absl::Time now,
                         const Style& style);

// What a running attempt does, in one line: phase, ages, output, progress.
std::string FormatActivity(const v1::Attempt& attempt, absl::Time now);

// What a job with this waiting reason waits for, in plain words.
std::string WaitingText(v1::Job::WaitingReason reason);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_TOP_FORMAT_H_
