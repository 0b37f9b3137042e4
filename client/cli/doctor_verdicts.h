// What the checks of `vigil doctor` make of what they saw. Pure functions,
// thread-safe.
#ifndef VIGIL_CLIENT_CLI_DOCTOR_VERDICTS_H_
#define VIGIL_CLIENT_CLI_DOCTOR_VERDICTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/check_result.h"
#include "client/cli/seen.h"
#include "client/cli/slot_survey.h"
#include "client/cli/task_processes.h"
#include "vigil/v1/worker.pb.h"

namespace vigil::cli {

// As many jobs as there are slots, which ended. Precondition: not empty.
CheckResult JudgeSlots(const std::vector<std::shared_ptr<const SeenJob>>& jobs,
                       const SlotSurvey& survey);

// A job that opened two processes at a time, and the workers as they were.
CheckResult JudgeNestedPool(const v1::Job& job,
                            const std::vector<v1::Worker>& workers);

// A batch of `items`, of which `bad_index` alone exits with a status.
CheckResult JudgeBatch(const SeenBatch& batch, int64_t items,
                       int64_t bad_index);

// A SEQUENTIAL batch of `items`.
CheckResult JudgeOrder(const SeenBatch& batch, int64_t items);

// A batch of `items` of which the first is slow.
CheckResult JudgeResults(const SeenBatch& batch, int64_t items);

// A job that fell silent under this inactivity_timeout.
CheckResult JudgeTimeout(const v1::Job& job, absl::Duration timeout);

// A job that ended `done` chunks and was slow in the next.
CheckResult JudgeChunks(const v1::Job& job, int64_t done);

// What is seen of the processes of a job that was cancelled.
struct CancelledTree {
  // How many the task named, and those of them that could be seen from here
  // before.
  size_t named = 0;
  std::vector<ProcessIdentity> seen;
  // What was left when the job had ended; see FindLeft.
  std::vector<std::string> left;
};
// A job that ran, and ended `taken` after it was to be cancelled.
CheckResult JudgeCancel(const v1::Job& job, const CancelledTree& tree,
                        absl::Duration taken);

// A check that did not come to its end for this error; `explained` is how the
// error reads for a person.
CheckResult JudgeError(const absl::Status& error, const std::string& explained);

// A check whose time was over, with its jobs that had not ended, and the
// workers as they are now.
CheckResult JudgeTimeIsOver(
    const std::vector<std::shared_ptr<const SeenJob>>& unended,
    const SlotSurvey& survey, absl::Duration timeout);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_DOCTOR_VERDICTS_H_
