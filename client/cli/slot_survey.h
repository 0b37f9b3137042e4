// SlotSurvey: which slots a check of `vigil doctor` can use, and what is the
// matter if there are none. A value and pure functions, thread-safe.
#ifndef VIGIL_CLIENT_CLI_SLOT_SURVEY_H_
#define VIGIL_CLIENT_CLI_SLOT_SURVEY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/check_result.h"
#include "vigil/v1/worker.pb.h"

namespace vigil::cli {

// The namespace of the doctor's own jobs, so that slots which they hold are
// told from those that are busy with somebody's work.
inline constexpr char kDoctorNamespace[] = "vigil-doctor";

struct SlotSurvey {
  // Slots of workers that are connected, heard from lately, not draining and
  // take commands; and those that others' jobs hold, and that nobody's do.
  int slots = 0;
  int busy = 0;
  int free = 0;
  // What keeps workers out, a sentence each.
  std::vector<std::string> troubles;
  // What to do about the first of them.
  std::string advice;
  // There are workers, and none of those that answer takes commands.
  bool takes_no_commands = false;
};

SlotSurvey SurveyOf(const std::vector<v1::Worker>& workers, absl::Time now);

// What becomes of a check that needs `wanted` slots at a time; nullopt: it can
// be made.
std::optional<CheckResult> WithoutSlots(const SlotSurvey& survey, int wanted);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_SLOT_SURVEY_H_
