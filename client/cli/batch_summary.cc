#include "client/cli/batch_summary.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "client/cli/limits.h"
#include "client/cli/retry_format.h"

namespace vigil::cli {
namespace {

// Of an item's text where it is named to a person.
constexpr size_t kItemColumns = 60;

std::string StateOf(const ItemResult& result) {
  return result.has_job ? StateName(result.job.state()) : result.state;
}

// How a job failed, or would have without its fallback or what was done of it.
const v1::Failure& FailureOf(const v1::Job& job) {
  return job.degraded()    ? job.fallback_failure()
         : job.truncated() ? job.truncation().failure()
                           : job.failure();
}

std::string ReasonOf(const ItemResult& result) {
  if (!result.has_job) return result.reason;
  return result.job.has_failure() || result.job.degraded() ||
                 result.job.truncated()
             ? FailureName(FailureOf(result.job).reason())
             : "";
}

// What the table says beside the reason of a job that is no failure.
std::string RemarkOf(const v1::Job& job) {
  return job.degraded()      ? "degraded"
         : job.truncated()   ? "truncated"
         : job.has_failure() ? "as expected"
                             : "";
}

std::string MessageOf(const ItemResult& result) {
  return result.has_job ? FailureOf(result.job).message() : result.message;
}

std::string FailureOf(const ItemResult& result) {
  return absl::StrCat(
      "item ", result.item.index, " `",
      OneLine(absl::string_view(result.item.text).substr(0, kItemColumns)),
      "`: ",
      result.has_job ? absl::StrCat("job ", result.job.job_id(), " ") : "",
      StateOf(result), ": ", ReasonOf(result), ": ",
      OneLine(MessageOf(result)));
}

}  // namespace

ItemResult ResultOf(Item item, v1::BatchResult said) {
  ItemResult result;
  result.item = std::move(item);
  switch (said.outcome_case()) {
    case v1::BatchResult::kJob:
      result.has_job = true;
      result.job = std::move(*said.mutable_job());
      break;
    case v1::BatchResult::kRefusal:
      result.state = "REFUSED";
      result.reason = absl::StatusCodeToString(
          static_cast<absl::StatusCode>(said.refusal().code()));
      result.message = said.refusal().message();
      break;
    case v1::BatchResult::kExpiredJobId:
    case v1::BatchResult::OUTCOME_NOT_SET:
      result.state = "UNKNOWN";
      result.reason = "NOT_FOUND";
      result.message = "its retention is over";
      break;
  }
  return result;
}

std::string ItemText(const Item& item) {
  return IsUtf8(item.text) ? item.text : absl::CHexEscape(item.text);
}

bool BatchSummary::IsExpected(const ItemResult& result) const {
  if (!result.has_job) return false;
  return result.job.state() == v1::Job::STATE_SUCCEEDED ||
         (result.job.state() == v1::Job::STATE_FAILED &&
          expected_.count(result.job.failure().reason()) > 0);
}

void BatchSummary::Add(const ItemResult& result, Listing listing) {
  ++done_;
  const bool expected = IsExpected(result);
  ++rows_[{StateOf(result), ReasonOf(result),
           expected ? RemarkOf(result.job) : ""}];
  const int attempts = AttemptsMade(result.job);
  if (attempts > 1) {
    retries_ += attempts - 1;
    ++retried_jobs_;
  }
  if (expected) return;
  ++failed_;
  if (listing == Listing::kCountedOnly) return;
  ++named_;
  if (failures_.size() < kFailuresListedMax) {
    failures_.push_back(FailureOf(result));
  }
}

std::string BatchSummary::Table(absl::Duration wall_time) const {
  std::string text;
  if (!rows_.empty()) {
    size_t width = 6;
    for (const auto& [key, count] : rows_) {
      width = std::max(width, std::get<1>(key).size());
    }
    absl::StrAppend(&text, "  ", Fit("STATE", 11), Fit("REASON", width),
                    "      JOBS\n");
    for (const auto& [key, count] : rows_) {
      const auto& [state, reason, remark] = key;
      absl::StrAppend(&text, "  ", Fit(state, 11), Fit(reason, width),
                      absl::StrFormat("%10d", count),
                      remark.empty() ? "" : "  ", remark, "\n");
    }
  }
  const double seconds = absl::ToDoubleSeconds(wall_time);
  absl::StrAppendFormat(&text, "%d jobs in %s, %.1f jobs/s", done_,
                        HumanDuration(wall_time),
                        seconds > 0 ? static_cast<double>(done_) / seconds : 0);
  absl::StrAppendFormat(&text, "; %d retries of %d jobs\n", retries_,
                        retried_jobs_);
  return text;
}

std::string BatchSummary::Failures() const {
  std::string text;
  for (const std::string& failure : failures_) {
    absl::StrAppend(&text, "vigil: ", failure, "\n");
  }
  const int64_t more = named_ - static_cast<int64_t>(failures_.size());
  if (more > 0) {
    absl::StrAppend(&text, "vigil: and ", more,
                    " more; -o json names every item\n");
  }
  return text;
}

std::string ItemJson(const ItemResult& result) {
  const v1::Job& job = result.job;
  std::string line =
      absl::StrCat("{\"index\":", result.item.index,
                   ",\"item\":", JsonString(ItemText(result.item)),
                   ",\"job_id\":", JsonString(job.job_id()),
                   ",\"state\":", JsonString(StateOf(result)),
                   ",\"reason\":", JsonString(ReasonOf(result)),
                   job.degraded() ? ",\"degraded\":true" : "",
                   job.truncated() ? ",\"truncated\":true" : "",
                   ",\"message\":", JsonString(MessageOf(result)),
                   ",\"attempts\":", AttemptsMade(job));
  if (const std::string retries = RetryText(job); !retries.empty()) {
    absl::StrAppend(&line, ",\"retries\":", JsonString(retries));
  }
  if (job.exit().has_status()) {
    absl::StrAppend(&line, ",\"exit_status\":", job.exit().status());
  }
  if (job.exit().has_signal()) {
    absl::StrAppend(&line, ",\"signal\":", job.exit().signal());
  }
  if (job.has_end_time() && job.has_start_time()) {
    absl::StrAppendFormat(&line, ",\"duration_seconds\":%.6f",
                          absl::ToDoubleSeconds(FromProto(job.end_time()) -
                                                FromProto(job.start_time())));
  }
  if (job.has_result()) {
    // At most 3 MiB, the bound of Job.result.
    absl::StrAppend(&line,
                    IsUtf8(job.result())
                        ? absl::StrCat(",\"result\":", JsonString(job.result()))
                        : absl::StrCat(",\"result_base64\":\"",
                                       absl::Base64Escape(job.result()), "\""));
  }
  return line + "}\n";
}

}  // namespace vigil::cli
