#include "client/cli/doctor_verdicts.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/wire/time_wire.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

constexpr char kBusyHost[] =
    "look how busy the host is: `vigil status` shows its load; a host that is "
    "not busy makes this a bug of Vigil's, to be reported with the log";
constexpr char kReport[] =
    "this is a bug of Vigil's: report it with the coordinator's log";

// "job ID ended FAILED: REASON: message".
std::string EndOf(const v1::Job& job) {
  std::string text =
      absl::StrCat("job ", job.job_id(), " ended ", StateName(job.state()));
  if (job.has_failure()) {
    absl::StrAppend(&text, ": ", FailureLine(job.failure()));
  }
  return text;
}

// A job that ended otherwise than it was to.
CheckResult EndedOtherwise(const v1::Job& job, absl::string_view wanted) {
  const std::string advice = job.has_failure() ? AdviceLine(job.failure()) : "";
  return CheckResult::Failed(absl::StrCat(EndOf(job), "; it was to ", wanted),
                             advice.empty() ? kReport : advice);
}

v1::Failure::Reason ReasonOf(const v1::Job& job) {
  return job.failure().reason();
}

// Evidence of the last attempt; empty without one.
v1::Evidence EvidenceOf(const v1::Job& job) {
  return job.attempts().empty() ? v1::Evidence()
                                : job.attempts().rbegin()->evidence();
}

absl::Time StartOf(const v1::Job& job) { return FromProto(job.start_time()); }
absl::Time EndTimeOf(const v1::Job& job) { return FromProto(job.end_time()); }

// Whether each of `items` has one result, which is a job; tells what is wrong.
std::optional<CheckResult> Incomplete(const SeenBatch& batch, int64_t items) {
  std::set<int64_t> indexes;
  for (const SeenBatch::Result& seen : batch.results) {
    if (!seen.result.has_job()) {
      return CheckResult::Failed(
          absl::StrCat("item ", seen.result.index(), " never became a job: ",
                       seen.result.refusal().message()),
          kReport);
    }
    indexes.insert(seen.result.index());
  }
  if (static_cast<int64_t>(indexes.size()) == items &&
      static_cast<int64_t>(batch.results.size()) == items) {
    return std::nullopt;
  }
  return CheckResult::Failed(
      absl::StrCat("of ", items, " items ", indexes.size(), " came back, in ",
                   batch.results.size(), " results; ",
                   batch.batch.stop_message()),
      kReport);
}

// The first job that did not succeed.
const v1::Job* Unsuccessful(const SeenBatch& batch) {
  for (const SeenBatch::Result& seen : batch.results) {
    if (seen.result.job().state() != v1::Job::STATE_SUCCEEDED) {
      return &seen.result.job();
    }
  }
  return nullptr;
}

const v1::Worker* WorkerOf(const v1::Job& job,
                           const std::vector<v1::Worker>& workers) {
  if (job.attempts().empty()) return nullptr;
  for (const v1::Worker& worker : workers) {
    if (worker.worker_id() == job.attempts().rbegin()->worker_id()) {
      return &worker;
    }
  }
  return nullptr;
}

std::string FilterName(v1::NestingFilter::State state) {
  return Stripped(v1::NestingFilter::State_Name(state), "STATE_", state);
}

}  // namespace

CheckResult JudgeSlots(const std::vector<std::shared_ptr<const SeenJob>>& jobs,
                       const SlotSurvey& survey) {
  absl::Time last_start = absl::InfinitePast();
  absl::Time first_end = absl::InfiniteFuture();
  absl::Duration first_output = absl::InfiniteDuration();
  for (const auto& seen : jobs) {
    if (seen->job.state() != v1::Job::STATE_SUCCEEDED) {
      return EndedOtherwise(seen->job, "succeed");
    }
    if (!seen->first_output_time.has_value()) {
      return CheckResult::Failed(
          absl::StrCat("the output of job ", seen->job.job_id(),
                       " did not come"),
          kReport);
    }
    last_start = std::max(last_start, StartOf(seen->job));
    first_end = std::min(first_end, EndTimeOf(seen->job));
    first_output =
        std::min(first_output, *seen->first_output_time - seen->submit_time);
  }
  const auto count = static_cast<int64_t>(jobs.size());
  if (last_start >= first_end) {
    return CheckResult::Failed(
        absl::StrCat(Plural(count, "job"), " did not run at once on ",
                     Plural(survey.free, "free slot"), ": the last one began ",
                     HumanDuration(last_start - first_end),
                     " after the first had ended"),
        kBusyHost);
  }
  CheckResult result = CheckResult::Ok(absl::StrCat(
      Plural(count, "job"), " ran at once on ", Plural(survey.slots, "slot"),
      survey.busy > 0 ? absl::StrCat(" (", survey.busy, " busy)") : "",
      "; first output after ", HumanDuration(first_output)));
  result.Add("jobs", count);
  result.Add("slots", int64_t{survey.slots});
  result.Add("busy", int64_t{survey.busy});
  result.AddMs("first_output_ms", first_output);
  return result;
}

CheckResult JudgeNestedPool(const v1::Job& job,
                            const std::vector<v1::Worker>& workers) {
  const v1::Worker* worker = WorkerOf(job, workers);
  const v1::NestingFilter filter =
      worker == nullptr ? v1::NestingFilter() : worker->nesting_filter();
  std::string policy = absl::StrCat("filter ", FilterName(filter.state()));
  if (!filter.problem().empty()) {
    absl::StrAppend(&policy, ": ", filter.problem());
  }
  if (job.state() == v1::Job::STATE_SUCCEEDED) {
    return CheckResult::Failed(
        absl::StrCat("a task had two processes at a time beside its own and "
                     "was not stopped; ",
                     policy),
        "its worker does not hold tasks to max_processes: look at its log");
  }
  if (ReasonOf(job) != v1::Failure::REASON_NESTED_POOL ||
      job.attempts().rbegin()->nested_calls().empty()) {
    return EndedOtherwise(job, "end NESTED_POOL");
  }
  const v1::NestedCall& call = job.attempts().rbegin()->nested_calls(0);
  CheckResult result = CheckResult::Ok(absl::StrCat(
      "NESTED_POOL ended ", OneLine(call.program()),
      " for its second process (", OneLine(call.call()), "); ", policy));
  result.Add("program", call.program());
  result.Add("call", call.call());
  result.Add("filter", FilterName(filter.state()));
  return result;
}

CheckResult JudgeBatch(const SeenBatch& batch, int64_t items,
                       int64_t bad_index) {
  if (auto incomplete = Incomplete(batch, items)) return *incomplete;
  for (const SeenBatch::Result& seen : batch.results) {
    const v1::Job& job = seen.result.job();
    if (seen.result.index() != bad_index) {
      if (job.state() != v1::Job::STATE_SUCCEEDED) {
        return EndedOtherwise(job, "succeed, whatever others of its batch do");
      }
    } else if (ReasonOf(job) != v1::Failure::REASON_NONZERO_EXIT) {
      return EndedOtherwise(job, "fail by itself, NONZERO_EXIT");
    }
  }
  const double jobs_per_s =
      static_cast<double>(items) /
      std::max(absl::ToDoubleSeconds(*batch.end_time - batch.submit_time),
               1e-6);
  CheckResult result = CheckResult::Ok(absl::StrFormat(
      "%d items, %.0f jobs/s; the bad one failed alone", items, jobs_per_s));
  result.Add("items", items);
  result.Add("jobs_per_s", jobs_per_s);
  return result;
}

CheckResult JudgeOrder(const SeenBatch& batch, int64_t items) {
  if (auto incomplete = Incomplete(batch, items)) return *incomplete;
  if (const v1::Job* job = Unsuccessful(batch)) {
    return EndedOtherwise(*job, "succeed");
  }
  absl::Duration longest_gap;
  for (size_t i = 0; i < batch.results.size(); ++i) {
    const v1::BatchResult& result = batch.results[i].result;
    if (result.index() != static_cast<int64_t>(i)) {
      return CheckResult::Failed(
          absl::StrCat("item ", result.index(), " of a SEQUENTIAL batch came ",
                       "as number ", i),
          kReport);
    }
    if (i == 0) continue;
    const absl::Duration gap =
        StartOf(result.job()) - EndTimeOf(batch.results[i - 1].result.job());
    if (gap < absl::ZeroDuration()) {
      return CheckResult::Failed(
          absl::StrCat("item ", i, " of a SEQUENTIAL batch began ",
                       HumanDuration(-gap), " before item ", i - 1,
                       " had ended"),
          "compare the clocks of the coordinator's host and the worker's; if "
          "they agree, this is a bug of Vigil's: report it with the log");
    }
    longest_gap = std::max(longest_gap, gap);
  }
  CheckResult result = CheckResult::Ok(absl::StrCat(
      Plural(items, "item"), " in order, never two at once; at most ",
      HumanDuration(longest_gap), " from one to the next"));
  result.Add("items", items);
  result.AddMs("gap_max_ms", longest_gap);
  return result;
}

CheckResult JudgeResults(const SeenBatch& batch, int64_t items) {
  if (auto incomplete = Incomplete(batch, items)) return *incomplete;
  if (const v1::Job* job = Unsuccessful(batch)) {
    return EndedOtherwise(*job, "succeed");
  }
  absl::Time slow = absl::InfinitePast();
  absl::Time last_other = absl::InfinitePast();
  for (const SeenBatch::Result& seen : batch.results) {
    if (seen.result.index() == 0) {
      slow = seen.time;
    } else {
      last_other = std::max(last_other, seen.time);
    }
  }
  const absl::Duration lead = slow - last_other;
  if (lead < kDoctorLeadMin) {
    return CheckResult::Failed(
        absl::StrCat("results did not come as items ended: those of ",
                     Plural(items - 1, "quick item"), " came ",
                     lead < absl::ZeroDuration()
                         ? absl::StrCat(HumanDuration(-lead), " after")
                         : absl::StrCat(HumanDuration(lead), " before"),
                     " that of one which took ", HumanDuration(kDoctorJobTime)),
        kBusyHost);
  }
  CheckResult result = CheckResult::Ok(
      absl::StrCat(Plural(items - 1, "quick result"), " came ",
                   HumanDuration(lead), " before that of a slow first item"));
  result.Add("items", items);
  result.AddMs("lead_ms", lead);
  return result;
}

CheckResult JudgeTimeout(const v1::Job& job, absl::Duration timeout) {
  if (ReasonOf(job) != v1::Failure::REASON_INACTIVITY_TIMEOUT) {
    return EndedOtherwise(job, "end INACTIVITY_TIMEOUT");
  }
  const v1::Evidence evidence = EvidenceOf(job);
  const absl::Duration late = FromProto(evidence.silence()) - timeout;
  const absl::Duration death = FromProto(evidence.time_to_confirmed_death());
  if (late < absl::ZeroDuration() || late > kDoctorLateMax) {
    return CheckResult::Failed(
        absl::StrCat("a silent task was ended ",
                     HumanDuration(FromProto(evidence.silence())),
                     " after its last output; its inactivity_timeout was ",
                     HumanDuration(timeout)),
        kBusyHost);
  }
  if (evidence.death_unconfirmed()) {
    return CheckResult::Failed(
        "a silent task was ended, and its processes could not be proved dead",
        "look for processes in state D on the worker's host");
  }
  CheckResult result = CheckResult::Ok(
      absl::StrCat("INACTIVITY_TIMEOUT ", HumanDuration(late), " after ",
                   HumanDuration(timeout), " of silence; proved dead ",
                   HumanDuration(death), " later"));
  result.AddMs("late_ms", late);
  result.AddMs("time_to_confirmed_death_ms", death);
  return result;
}

CheckResult JudgeChunks(const v1::Job& job, int64_t done) {
  const v1::Truncation& truncation = job.truncation();
  if (job.state() != v1::Job::STATE_SUCCEEDED || !job.truncated() ||
      truncation.failure().reason() != v1::Failure::REASON_SLOW_CHUNKS) {
    return EndedOtherwise(job, "succeed with a partial result, SLOW_CHUNKS");
  }
  if (truncation.chunks_done() != done) {
    return CheckResult::Failed(
        absl::StrCat("a job that had ended ", Plural(done, "chunk"),
                     " was said to have ended ", truncation.chunks_done()),
        kReport);
  }
  const absl::Duration silence = FromProto(EvidenceOf(job).silence());
  CheckResult result = CheckResult::Ok(absl::StrCat(
      "SLOW_CHUNKS kept ", truncation.chunks_done(), " of ",
      Plural(truncation.chunks_total(), "chunk"), "; the next was stopped ",
      HumanDuration(silence), " after the last"));
  result.Add("chunks_done", truncation.chunks_done());
  result.Add("chunks_total", truncation.chunks_total());
  result.AddMs("stopped_after_ms", silence);
  return result;
}

CheckResult JudgeCancel(const v1::Job& job, const CancelledTree& tree,
                        absl::Duration taken) {
  if (job.state() != v1::Job::STATE_CANCELLED) {
    return EndedOtherwise(job, "be CANCELLED");
  }
  if (!tree.left.empty()) {
    return CheckResult::Failed(
        absl::StrCat("a job was CANCELLED and left ",
                     absl::StrJoin(tree.left, ", ")),
        "a Z is a zombie, which its parent must wait for; D waits in the "
        "kernel; for others, `vigil worker sweep WORKER` finds and kills them");
  }
  std::string looked = "nothing of it is left";
  if (tree.seen.empty()) {
    looked =
        "its processes were not looked for: they cannot be seen from here "
        "(another host, container or user)";
  }
  CheckResult result = CheckResult::Ok(
      absl::StrCat("a job of ", tree.named, " processes was CANCELLED after ",
                   HumanDuration(taken), "; ", looked));
  result.Add("processes", static_cast<int64_t>(tree.named));
  result.Add("processes_seen", static_cast<int64_t>(tree.seen.size()));
  result.AddMs("cancelled_after_ms", taken);
  return result;
}

CheckResult JudgeError(const absl::Status& error,
                       const std::string& explained) {
  if (absl::IsPermissionDenied(error)) {
    return CheckResult::Skipped(
        absl::StrCat("it takes no commands from here: ", error.message()));
  }
  return CheckResult::Failed(
      explained, absl::IsUnavailable(error)
                     ? "look whether the coordinator runs, and at its log"
                     : "look at the coordinator's log");
}

CheckResult JudgeTimeIsOver(
    const std::vector<std::shared_ptr<const SeenJob>>& unended,
    const SlotSurvey& survey, absl::Duration timeout) {
  std::string what = "its batch was not over";
  if (!unended.empty()) {
    const v1::Job& job = unended[0]->job;
    what = job.job_id().empty()
               ? "a job was not accepted"
               : absl::StrCat("job ", job.job_id(), " was still ",
                              StateName(job.state()));
    if (job.state() == v1::Job::STATE_QUEUED) {
      absl::StrAppend(&what, ", ", WaitingName(job.waiting_reason()));
    } else if (!job.attempts().empty()) {
      absl::StrAppend(&what, ", ", PhaseName(job.attempts().rbegin()->phase()));
    }
  }
  absl::StrAppend(&what, " after ", HumanDuration(timeout));
  if (!survey.troubles.empty()) {
    return CheckResult::Failed(
        absl::StrCat(what, ": ", absl::StrJoin(survey.troubles, "; ")),
        survey.advice);
  }
  if (survey.slots > 0 && survey.busy >= survey.slots) {
    return CheckResult::Skipped(absl::StrCat(
        what, ": all slots became busy with other jobs; try again"));
  }
  return CheckResult::Failed(
      what,
      "look whether a worker is stopped (`ps -o stat` shows T) or its host is "
      "busy, or give it longer with --timeout");
}

}  // namespace vigil::cli
