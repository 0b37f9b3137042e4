#include "client/cli/slot_survey.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/wire/time_wire.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

std::string NameOf(const v1::Worker& worker) {
  return absl::StrCat("worker ", worker.worker_id(), " (pid ", worker.pid(),
                      worker.hostname().empty() ? "" : " on ",
                      worker.hostname(), ")");
}

// What keeps a worker from the doctor's jobs; empty: nothing.
struct Trouble {
  std::string what;
  std::string advice;
};

Trouble TroubleOf(const v1::Worker& worker, absl::Time now) {
  if (worker.state() == v1::Worker::STATE_DRAINING) {
    return {absl::StrCat(NameOf(worker), " is draining"),
            "have it take work again: DrainWorker with `resume`, or restart "
            "it"};
  }
  if (worker.state() != v1::Worker::STATE_CONNECTED) {
    return {
        absl::StrCat(NameOf(worker), " is ", WorkerStateName(worker.state())),
        "look at its log, and whether it still runs"};
  }
  const absl::Duration silence = now - FromProto(worker.last_heartbeat_time());
  if (worker.has_last_heartbeat_time() && silence > kDoctorSilentWorker) {
    return {absl::StrCat(NameOf(worker), " was last heard from ",
                         HumanDuration(silence), " ago"),
            "look whether it is stopped or its host hangs; `ps -o stat` shows "
            "T for a stopped process, and `kill -CONT` has it go on"};
  }
  return {};
}

bool IsOthers(const v1::Slot& slot) {
  return slot.state() == v1::Slot::STATE_BUSY &&
         slot.namespace_() != kDoctorNamespace;
}

}  // namespace

SlotSurvey SurveyOf(const std::vector<v1::Worker>& workers, absl::Time now) {
  SlotSurvey survey;
  int answering = 0;
  int take_commands = 0;
  for (const v1::Worker& worker : workers) {
    if (worker.state() == v1::Worker::STATE_LOST) continue;
    Trouble trouble = TroubleOf(worker, now);
    if (!trouble.what.empty()) {
      survey.troubles.push_back(std::move(trouble.what));
      if (survey.advice.empty()) survey.advice = std::move(trouble.advice);
      continue;
    }
    ++answering;
    if (!worker.allow_commands()) continue;
    ++take_commands;
    int slots = 0;
    int busy = 0;
    for (const v1::Slot& slot : worker.slots()) {
      if (slot.state() != v1::Slot::STATE_STUCK) ++slots;
      if (IsOthers(slot)) ++busy;
    }
    if (worker.has_usable_slots()) {
      slots = std::min(slots, worker.usable_slots().slots());
    }
    survey.slots += slots;
    survey.busy += busy;
    survey.free += std::max(0, slots - busy);
  }
  survey.takes_no_commands = answering > 0 && take_commands == 0;
  return survey;
}

std::optional<CheckResult> WithoutSlots(const SlotSurvey& survey, int wanted) {
  if (survey.free >= wanted) return std::nullopt;
  if (survey.takes_no_commands) {
    return CheckResult::Skipped(
        "its workers run no commands of clients (--allow_commands)");
  }
  if (survey.slots == 0 && !survey.troubles.empty()) {
    return CheckResult::Failed(
        absl::StrCat("no slot takes work: ",
                     absl::StrJoin(survey.troubles, "; ")),
        survey.advice);
  }
  if (survey.slots == 0) {
    return CheckResult::Failed(
        "there is no slot to run a job on",
        "start the coordinator with --local_slots=N, or a worker: `worker "
        "--coordinator=ADDRESS --data_dir=DIR --slots=N`");
  }
  if (survey.slots < wanted) {
    return CheckResult::Skipped(absl::StrCat("it needs ", wanted,
                                             " slots, and there is ",
                                             Plural(survey.slots, "slot")));
  }
  return CheckResult::Skipped(
      absl::StrCat(survey.busy, " of ", Plural(survey.slots, "slot"),
                   " are busy with other jobs, and it needs ", wanted,
                   "; try again when they are free"));
}

}  // namespace vigil::cli
