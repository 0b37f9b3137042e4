// Telemetry: how attempts, jobs and batches have ended within a sliding window,
// by task type and reason, and whether that is well. Pure: the time is always
// given, and never goes back; thread-compatible. Its size is bounded, whatever
// it is told.
#ifndef VIGIL_COORDINATOR_TELEMETRY_TELEMETRY_H_
#define VIGIL_COORDINATOR_TELEMETRY_TELEMETRY_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "base/ids.h"
#include "base/reason.h"
#include "coordinator/telemetry/limits.h"
#include "coordinator/telemetry/message_groups.h"

namespace vigil::coordinator {

struct TelemetryOptions {
  absl::Duration window = kTelemetryWindow;
  double warning_rate_percent = kWarningRatePercent;
  double action_rate_percent = kActionRatePercent;
};

// The name under which types beyond kTelemetryTypesMax are counted.
inline constexpr char kOtherTypes[] = "(others)";

// How a job ended, as far as it is counted.
struct JobOutcome {
  bool failed = false;
  // It SUCCEEDED with a whole result of its own after a charged attempt had
  // failed.
  bool retry_cured = false;
  bool fallback = false;
  bool truncated = false;
};

// Numbers are those of vigil.v1.Telemetry.Health.
enum class HealthState : int { kOk = 1, kWarning = 2, kAction = 3 };

struct Judgement {
  HealthState state = HealthState::kOk;
  // In words, the worst first, at most kCausesShownMax.
  std::vector<std::string> causes;
};

class Telemetry {
 public:
  struct JobCounts {
    int64_t ended = 0;
    int64_t failed = 0;
    int64_t retries_cured = 0;
    int64_t fallbacks = 0;
    int64_t truncations = 0;
    int64_t partial_batches = 0;
  };
  struct ReasonCount {
    std::string task_type;
    // kUnspecified: they succeeded.
    Reason reason = Reason::kUnspecified;
    int64_t attempts = 0;
    // Of all attempts of the type.
    double rate = 0;
  };

  explicit Telemetry(const TelemetryOptions& options);

  // Without a failure, it succeeded.
  void AttemptEnded(std::string_view task_type, const JobId& job,
                    const std::optional<Failure>& failure, absl::Time now);
  void JobEnded(const JobOutcome& outcome, absl::Time now);
  void PartialBatchEnded(absl::Time now);

  // Lets go of what is out of the window; every look below is as of then.
  void Advance(absl::Time now);
  int64_t attempts() const { return attempts_; }
  const JobCounts& jobs() const { return jobs_; }
  // Most frequent first, at most kReasonsShownMax.
  std::vector<ReasonCount> Reasons() const;
  const MessageGroups& messages() const { return messages_; }
  // A task type is judged by the share of its attempts that failed. CANCELLED
  // and DRAINED ones do not count at all: somebody wanted them to end.
  Judgement Judge() const;
  const TelemetryOptions& options() const { return options_; }

 private:
  using Counts = absl::btree_map<std::pair<std::string, Reason>, int64_t>;
  struct Bucket {
    Counts attempts;
    JobCounts jobs;
  };
  // How one type fares.
  struct TypeRate {
    std::string task_type;
    int64_t attempts = 0;
    int64_t failed = 0;
    // Most frequent first.
    std::vector<std::pair<int64_t, Reason>> reasons;

    double percent() const {
      return 100.0 * static_cast<double>(failed) /
             static_cast<double>(attempts);
    }
  };

  Bucket& Current(absl::Time now);
  void Clear(int bucket);
  std::vector<TypeRate> Rates() const;
  std::string CauseOf(const TypeRate& rate, HealthState state) const;

  const TelemetryOptions options_;
  const absl::Duration bucket_width_;
  // Of the current bucket, counted from the epoch; its place is this modulo
  // kWindowBuckets. Absent before the first event.
  std::optional<int64_t> bucket_number_;
  std::array<Bucket, kWindowBuckets> buckets_;
  // Sums over the buckets. A type is counted apart as long as it is here.
  Counts counts_;
  std::map<std::string, int64_t, std::less<>> types_;
  int64_t attempts_ = 0;
  JobCounts jobs_;
  MessageGroups messages_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_TELEMETRY_H_
