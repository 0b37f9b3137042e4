// How the evidence of a kill reads: what was known of the task and its tree
// before it was stopped. A pure function, thread-safe; owns nothing.
#ifndef VIGIL_CLIENT_CLI_EVIDENCE_FORMAT_H_
#define VIGIL_CLIENT_CLI_EVIDENCE_FORMAT_H_

#include <string>

#include "vigil/v1/job.pb.h"

namespace vigil::cli {

// Lines for a person, each indented by two blanks and ended: how it was
// stopped, its last output, its process tree, and the first and last
// kStackDumpLinesMax / 2 lines of its stack dump.
std::string FormatEvidence(const v1::Evidence& evidence);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_EVIDENCE_FORMAT_H_
