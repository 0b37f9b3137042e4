#include "coordinator/telemetry/telemetry.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace vigil::coordinator {
namespace {

void Subtract(const Telemetry::JobCounts& counts, Telemetry::JobCounts* from) {
  from->ended -= counts.ended;
  from->failed -= counts.failed;
  from->retries_cured -= counts.retries_cured;
  from->fallbacks -= counts.fallbacks;
  from->truncations -= counts.truncations;
  from->partial_batches -= counts.partial_batches;
}

bool CountsTowardHealth(Reason reason) {
  return reason != Reason::kCancelled && reason != Reason::kDrained;
}

// Numbers that this version does not know come from workers of a later one, and
// are not told apart: there could be any number of them.
Reason Known(Reason reason) {
  return AdviceFor(reason).empty() ? Reason::kInternal : reason;
}

// 10 min rather than 10m0s.
std::string Words(absl::Duration duration) {
  if (duration % absl::Minutes(1) == absl::ZeroDuration()) {
    return absl::StrCat(duration / absl::Minutes(1), " min");
  }
  return absl::FormatDuration(duration);
}

}  // namespace

Telemetry::Telemetry(const TelemetryOptions& options)
    : options_(options), bucket_width_(options.window / kWindowBuckets) {}

void Telemetry::AttemptEnded(std::string_view task_type, const JobId& job,
                             const std::optional<Failure>& failure,
                             absl::Time now) {
  Bucket& bucket = Current(now);
  if (types_.size() >= kTelemetryTypesMax && !types_.contains(task_type)) {
    task_type = kOtherTypes;
  }
  const Reason reason =
      failure.has_value() ? Known(failure->reason) : Reason::kUnspecified;
  const std::pair<std::string, Reason> key{task_type, reason};
  ++bucket.attempts[key];
  ++counts_[key];
  ++types_[key.first];
  ++attempts_;
  if (failure.has_value() && CountsTowardHealth(reason)) {
    messages_.Add(static_cast<int>(*bucket_number_ % kWindowBuckets), *failure,
                  job, now);
  }
}

void Telemetry::JobEnded(const JobOutcome& outcome, absl::Time now) {
  for (JobCounts* counts : {&Current(now).jobs, &jobs_}) {
    ++counts->ended;
    counts->failed += outcome.failed ? 1 : 0;
    counts->retries_cured += outcome.retry_cured ? 1 : 0;
    counts->fallbacks += outcome.fallback ? 1 : 0;
    counts->truncations += outcome.truncated ? 1 : 0;
  }
}

void Telemetry::PartialBatchEnded(absl::Time now) {
  ++Current(now).jobs.partial_batches;
  ++jobs_.partial_batches;
}

Telemetry::Bucket& Telemetry::Current(absl::Time now) {
  Advance(now);
  return buckets_[*bucket_number_ % kWindowBuckets];
}

void Telemetry::Advance(absl::Time now) {
  const int64_t number = (now - absl::UnixEpoch()) / bucket_width_;
  // Each place once, however long nothing happened.
  int64_t first =
      std::max(bucket_number_.value_or(number), number - kWindowBuckets) + 1;
  for (; first <= number; ++first) {
    Clear(static_cast<int>(first % kWindowBuckets));
  }
  bucket_number_ = std::max(bucket_number_.value_or(number), number);
}

void Telemetry::Clear(int bucket) {
  for (const auto& [key, count] : buckets_[bucket].attempts) {
    attempts_ -= count;
    if ((counts_[key] -= count) == 0) counts_.erase(key);
    if ((types_[key.first] -= count) == 0) types_.erase(key.first);
  }
  Subtract(buckets_[bucket].jobs, &jobs_);
  buckets_[bucket] = Bucket();
  messages_.Clear(bucket);
}

std::vector<Telemetry::ReasonCount> Telemetry::Reasons() const {
  std::vector<ReasonCount> reasons;
  for (const auto& [key, count] : counts_) {
    const int64_t of_type = types_.find(key.first)->second;
    reasons.push_back(
        {key.first, key.second, count,
         static_cast<double>(count) / static_cast<double>(of_type)});
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const ReasonCount& a, const ReasonCount& b) {
                     return a.attempts > b.attempts;
                   });
  if (reasons.size() > kReasonsShownMax) reasons.resize(kReasonsShownMax);
  return reasons;
}

std::vector<Telemetry::TypeRate> Telemetry::Rates() const {
  std::vector<TypeRate> rates;
  for (const auto& [key, count] : counts_) {
    if (!CountsTowardHealth(key.second)) continue;
    if (rates.empty() || rates.back().task_type != key.first) {
      rates.emplace_back().task_type = key.first;
    }
    TypeRate& rate = rates.back();
    rate.attempts += count;
    if (key.second == Reason::kUnspecified) continue;
    rate.failed += count;
    rate.reasons.emplace_back(count, key.second);
  }
  for (TypeRate& rate : rates) {
    std::stable_sort(
        rate.reasons.begin(), rate.reasons.end(),
        [](const auto& a, const auto& b) { return a.first > b.first; });
  }
  return rates;
}

std::string Telemetry::CauseOf(const TypeRate& rate, HealthState state) const {
  const bool acts = state == HealthState::kAction;
  std::string how =
      absl::StrCat("ended ", ReasonName(rate.reasons.front().second));
  if (rate.reasons.size() > 1) {
    std::vector<std::string> parts;
    for (const auto& [count, reason] : rate.reasons) {
      if (parts.size() == kReasonsPerCauseMax) {
        parts.push_back("others");
        break;
      }
      parts.push_back(absl::StrFormat("%.1f %% %s",
                                      100.0 * static_cast<double>(count) /
                                          static_cast<double>(rate.attempts),
                                      ReasonName(reason)));
    }
    how = absl::StrCat("failed: ", absl::StrJoin(parts, ", "));
  }
  return absl::StrFormat(
      "%s: %.1f %% of %d attempts in the last %s %s (%s above %g %%)",
      rate.task_type.empty() ? "commands"
                             : absl::StrCat("task type ", rate.task_type),
      rate.percent(), rate.attempts, Words(options_.window), how,
      acts ? "action" : "warning",
      acts ? options_.action_rate_percent : options_.warning_rate_percent);
}

Judgement Telemetry::Judge() const {
  std::vector<TypeRate> rates = Rates();
  std::erase_if(rates, [this](const TypeRate& rate) {
    return rate.attempts < kRateAttemptsMin ||
           rate.percent() <= options_.warning_rate_percent;
  });
  std::stable_sort(rates.begin(), rates.end(),
                   [](const TypeRate& a, const TypeRate& b) {
                     return a.percent() > b.percent();
                   });
  Judgement health;
  for (const TypeRate& rate : rates) {
    const HealthState state = rate.percent() > options_.action_rate_percent
                                  ? HealthState::kAction
                                  : HealthState::kWarning;
    health.state = std::max(health.state, state);
    if (health.causes.size() < kCausesShownMax) {
      health.causes.push_back(CauseOf(rate, state));
    }
  }
  return health;
}

}  // namespace vigil::coordinator
