#include "client/cli/watch_format.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "client/cli/format.h"
#include "client/cli/top_format.h"

namespace vigil::cli {

std::string JobLine(const v1::Job& job) {
  std::string line =
      absl::StrCat("job ", job.job_id(), " ", StateName(job.state()));
  if (job.state() == v1::Job::STATE_QUEUED) {
    return absl::StrCat(line, ": waits: ", WaitingText(job.waiting_reason()));
  }
  if (job.state() == v1::Job::STATE_SUCCEEDED) {
    if (!job.has_end_time() || !job.has_create_time()) return line;
    return absl::StrCat(line, " after ",
                        HumanDuration(FromProto(job.end_time()) -
                                      FromProto(job.create_time())));
  }
  if (job.state() != v1::Job::STATE_RUNNING || job.attempts().empty()) {
    return "";
  }
  const v1::Attempt& attempt = *job.attempts().rbegin();
  return absl::StrCat(line, ": attempt ", attempt.number(), " on ",
                      OneLine(attempt.worker_id()), ", ",
                      PhaseName(attempt.phase()));
}

ItemResult ItemOf(v1::BatchResult result) {
  Item item;
  item.index = result.index() + 1;
  return ResultOf(std::move(item), std::move(result));
}

std::string ItemLine(const ItemResult& item) {
  const std::string number = absl::StrCat("item ", item.item.index, ": ");
  if (!item.has_job) {
    return absl::StrCat(number, item.state, ": ", item.reason, ": ",
                        OneLine(item.message));
  }
  const v1::Job& job = item.job;
  const std::string line =
      absl::StrCat(number, "job ", job.job_id(), " ", StateName(job.state()));
  if (job.degraded()) {
    return absl::StrCat(line,
                        ", degraded: ", FailureLine(job.fallback_failure()));
  }
  if (job.truncated()) {
    return absl::StrCat(line,
                        ", truncated: ", TruncationLine(job.truncation()));
  }
  if (!job.has_failure()) return line;
  return absl::StrCat(line, ": ", FailureLine(job.failure()));
}

int64_t OutcomesOf(const v1::BatchCounts& counts) {
  return counts.succeeded() + counts.failed() + counts.cancelled() +
         counts.refused();
}

BatchProgress ProgressOf(const v1::Batch& batch) {
  const v1::BatchCounts& counts = batch.counts();
  BatchProgress progress;
  progress.done = OutcomesOf(counts);
  progress.failed = counts.failed() + counts.refused() + counts.cancelled();
  progress.running = counts.in_flight();
  progress.running_word = "in flight";
  progress.retried = counts.retried();
  progress.degraded = counts.degraded();
  progress.truncated = counts.truncated();
  progress.read = counts.accepted();
  if (batch.state() != v1::Batch::STATE_OPEN) {
    progress.total = counts.accepted();
  }
  return progress;
}

std::string BatchEnd(const v1::Batch& batch) {
  if (!batch.partial()) return "";
  std::string text = absl::StrCat("vigil: the batch was stopped: ",
                                  OneLine(batch.stop_message()));
  if (batch.counts().not_run() > 0) {
    absl::StrAppend(&text, "; ", Plural(batch.counts().not_run(), "item"),
                    " not run");
  }
  return text + "\n";
}

bool AllSucceeded(const v1::Batch& batch) {
  return !batch.partial() &&
         batch.counts().succeeded() == batch.counts().accepted();
}

}  // namespace vigil::cli
