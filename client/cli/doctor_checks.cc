#include "client/cli/doctor_checks.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/wire/time_wire.h"
#include "client/cc/random_id.h"
#include "client/cli/doctor_verdicts.h"
#include "client/cli/limits.h"
#include "client/cli/seen.h"
#include "client/cli/task_processes.h"

namespace vigil::cli {
namespace {

using Result = absl::StatusOr<CheckResult>;

// Longer than any check lasts: a sleep that is to be ended by Vigil.
constexpr char kSleepOn[] = "sleep 600";

// What all jobs of the doctor have in common: one attempt, since a retry would
// hide what is looked for, and clocks of their own, so that they do not depend
// on the server's.
v1::JobSpec PlainSpec() {
  v1::JobSpec spec;
  spec.mutable_retry()->set_maximum_attempts(1);
  v1::Timeouts* timeouts = spec.mutable_timeouts();
  ToProto(kDoctorJobTimeout, timeouts->mutable_inactivity_timeout());
  ToProto(kDoctorJobTimeout, timeouts->mutable_start_to_close_timeout());
  ToProto(kDoctorCleanUpTimeout / 2, timeouts->mutable_shutdown_grace());
  return spec;
}

v1::JobSpec Shell(const std::string& script) {
  v1::JobSpec spec = PlainSpec();
  for (const std::string& word :
       {std::string("sh"), std::string("-c"), script}) {
    spec.mutable_command()->add_argv(word);
  }
  return spec;
}

v1::BatchItem ShellItem(const std::string& script) {
  v1::BatchItem item;
  for (const std::string& word :
       {std::string("sh"), std::string("-c"), script}) {
    item.add_arguments(word);
  }
  return item;
}

// A batch whose items bring their own commands.
v1::BatchSpec BatchOfCommands(v1::BatchSpec::Mode mode) {
  v1::BatchSpec spec;
  *spec.mutable_job() = Shell("exit 0");
  spec.set_mode(mode);
  return spec;
}

std::string SleepCommand(absl::Duration duration) {
  return absl::StrCat("sleep ", absl::ToDoubleSeconds(duration));
}

Result CheckSlots(DoctorSession* session, const SlotSurvey& survey) {
  const int count = std::min(survey.free, kDoctorJobsAtOnceMax);
  std::vector<std::shared_ptr<const SeenJob>> jobs;
  for (int i = 0; i < count; ++i) {
    jobs.push_back(session->Start(
        Shell(absl::StrCat("echo here; exec ", SleepCommand(kDoctorJobTime)))));
  }
  for (const auto& job : jobs) {
    if (absl::Status status = session->AwaitEnd(*job); !status.ok()) {
      return status;
    }
  }
  return JudgeSlots(jobs, survey);
}

Result CheckNestedPool(DoctorSession* session, const SlotSurvey&) {
  v1::JobSpec spec = Shell("sleep 1 & sleep 1 & wait");
  spec.set_max_processes(1);
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_FAIL);
  const auto job = session->Start(std::move(spec));
  if (absl::Status status = session->AwaitEnd(*job); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::vector<v1::Worker>> workers = session->ListWorkers();
  if (!workers.ok()) return workers.status();
  return JudgeNestedPool(job->job, *workers);
}

Result CheckBatch(DoctorSession* session, const SlotSurvey&) {
  constexpr int kBadIndex = kDoctorBatchItems / 2;
  std::vector<v1::BatchItem> items(kDoctorBatchItems);
  for (int i = 0; i < kDoctorBatchItems; ++i) {
    items[i].add_arguments(i == kBadIndex ? "false" : "true");
  }
  const auto batch =
      session->StartBatch(BatchOfCommands(v1::BatchSpec::MODE_PARALLEL), items);
  if (absl::Status status = session->AwaitEnd(*batch); !status.ok()) {
    return status;
  }
  return JudgeBatch(*batch, kDoctorBatchItems, kBadIndex);
}

Result CheckOrder(DoctorSession* session, const SlotSurvey&) {
  // Each shorter than the one before, so that without an order they would come
  // the other way round.
  std::vector<v1::BatchItem> items;
  for (const char* seconds : {"0.12", "0.08", "0.04", "0"}) {
    items.push_back(ShellItem(absl::StrCat("exec sleep ", seconds)));
  }
  const auto batch = session->StartBatch(
      BatchOfCommands(v1::BatchSpec::MODE_SEQUENTIAL), items);
  if (absl::Status status = session->AwaitEnd(*batch); !status.ok()) {
    return status;
  }
  return JudgeOrder(*batch, static_cast<int64_t>(items.size()));
}

Result CheckResults(DoctorSession* session, const SlotSurvey&) {
  const std::vector<v1::BatchItem> items = {
      ShellItem(absl::StrCat("exec ", SleepCommand(kDoctorJobTime))),
      ShellItem("exit 0"), ShellItem("exit 0"), ShellItem("exit 0")};
  const auto batch =
      session->StartBatch(BatchOfCommands(v1::BatchSpec::MODE_PARALLEL), items);
  if (absl::Status status = session->AwaitEnd(*batch); !status.ok()) {
    return status;
  }
  return JudgeResults(*batch, static_cast<int64_t>(items.size()));
}

Result CheckTimeout(DoctorSession* session, const SlotSurvey&) {
  v1::JobSpec spec = Shell(absl::StrCat("echo here; exec ", kSleepOn));
  ToProto(kDoctorClock, spec.mutable_timeouts()->mutable_inactivity_timeout());
  const auto job = session->Start(std::move(spec));
  if (absl::Status status = session->AwaitEnd(*job); !status.ok()) {
    return status;
  }
  return JudgeTimeout(job->job, kDoctorClock);
}

Result CheckChunks(DoctorSession* session, const SlotSurvey&) {
  v1::JobSpec spec = Shell(absl::StrCat("echo 1/3; echo 2/3; exec ", kSleepOn));
  spec.mutable_activity()->set_progress_pattern("(\\d+)/(\\d+)");
  ToProto(kDoctorClock, spec.mutable_chunk_policy()->mutable_chunk_timeout());
  const auto job = session->Start(std::move(spec));
  if (absl::Status status = session->AwaitEnd(*job); !status.ok()) {
    return status;
  }
  return JudgeChunks(job->job, 2);
}

// Finds the processes that the job named on its first line.
absl::Status LookAt(const SeenJob& job, const std::string& mark,
                    DoctorSession* session, CancelledTree* tree) {
  std::vector<pid_t> pids;
  for (absl::string_view word :
       absl::StrSplit(job.output, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(word, &pid)) pids.push_back(pid);
  }
  tree->named = pids.size();
  const absl::Time give_up = session->Now() + kDoctorLookTimeout;
  for (;;) {
    tree->seen = FindMarked(pids, mark);
    if (tree->seen.size() == pids.size() || session->Now() >= give_up) break;
    absl::Status paused = session->Pause(kDoctorLookInterval);
    if (!paused.ok()) return paused;
  }
  return absl::OkStatus();
}

Result CheckCancel(DoctorSession* session, const SlotSurvey&) {
  const std::string mark = absl::StrCat("vigil-doctor-", client::RandomId());
  v1::JobSpec spec = Shell(absl::StrCat(kSleepOn, " & echo $$ $!; wait"));
  (*spec.mutable_command()->mutable_env())["DOCTOR_MARK"] = mark;
  const auto job = session->Start(std::move(spec));
  const absl::Status named = session->Await([&job] {
    return job->end_time.has_value() || absl::StrContains(job->output, "\n");
  });
  if (!named.ok()) return named;
  if (!job->error.ok()) return job->error;
  CancelledTree tree;
  if (absl::Status looked = LookAt(*job, mark, session, &tree); !looked.ok()) {
    return looked;
  }
  const absl::Time asked = session->Now();
  session->Cancel(*job);
  if (absl::Status status = session->AwaitEnd(*job); !status.ok()) {
    return status;
  }
  if (!tree.seen.empty()) tree.left = FindLeft(tree.seen, mark);
  return JudgeCancel(job->job, tree, *job->end_time - asked);
}

}  // namespace

const std::vector<Check>& AllChecks() {
  static const auto* const kChecks = new std::vector<Check>{
      {"slots", "as many jobs as there are slots run at once", 1, CheckSlots},
      {"nested_pool", "a task that opens a pool of processes is ended", 1,
       CheckNestedPool},
      {"batch", "a batch has all its results, and a bad item fails alone", 1,
       CheckBatch},
      {"order", "items of a sequential batch run one after the other", 1,
       CheckOrder},
      {"results", "results of a batch come as items end", 2, CheckResults},
      {"timeout", "a silent task is ended by its clock", 1, CheckTimeout},
      {"chunks", "a slow chunk ends a job, and what was done is kept", 1,
       CheckChunks},
      {"cancel", "a cancelled job leaves no process and no zombie", 1,
       CheckCancel},
  };
  return *kChecks;
}

}  // namespace vigil::cli
