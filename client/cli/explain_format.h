// How `vigil explain` reads. A pure function, thread-safe.
#ifndef VIGIL_CLIENT_CLI_EXPLAIN_FORMAT_H_
#define VIGIL_CLIENT_CLI_EXPLAIN_FORMAT_H_

#include <string>

#include "absl/time/time.h"
#include "client/cli/format.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/status_service.pb.h"

namespace vigil::cli {

// What an explanation needs beside the job.
struct ExplainContext {
  // The reader's time and zone.
  absl::Time now;
  absl::TimeZone zone;
  Style style{Style::Colour::kNone};
  // What the coordinator does, for a job that waits; borrowed, never null.
  const v1::GetStatusResponse* status;
};

// Lines for a person, the last one ended: what the job waits for or how it
// ended, advice, what was asked, and every attempt with its evidence.
std::string FormatExplanation(const v1::Job& job,
                              const ExplainContext& context);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_EXPLAIN_FORMAT_H_
