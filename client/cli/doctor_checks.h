// The checks of `vigil doctor`: each one runs some jobs on a coordinator and
// looks whether what becomes of them is what Vigil promises. None does harm to
// other jobs, beside the slots that it holds for a second. Main thread only.
#ifndef VIGIL_CLIENT_CLI_DOCTOR_CHECKS_H_
#define VIGIL_CLIENT_CLI_DOCTOR_CHECKS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/check_result.h"
#include "client/cli/doctor_session.h"
#include "client/cli/slot_survey.h"

namespace vigil::cli {

struct Check {
  // As CheckResult.check.
  const char* name;
  // What it proves, in a few words for --help.
  const char* about;
  // Slots that it needs at a time.
  int slots;
  // Makes it, with at least that many free slots. An error is one of the
  // session's.
  absl::StatusOr<CheckResult> (*run)(DoctorSession* session,
                                     const SlotSurvey& survey);
};

// All of them, in the order in which they are made.
const std::vector<Check>& AllChecks();

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_DOCTOR_CHECKS_H_
