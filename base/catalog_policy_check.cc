#include "base/catalog_policy_check.h"

#include <signal.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/wire/time_wire.h"
#include "re2/re2.h"

namespace vigil {
namespace {

// The bounds that job.proto and policy.proto state.
constexpr absl::Duration kTimeoutMax = absl::Hours(24);
constexpr absl::Duration kInitialIntervalMin = absl::Milliseconds(1);
constexpr absl::Duration kInitialIntervalMax = absl::Hours(1);
constexpr double kBackoffCoefficientMax = 100;
constexpr int kMaximumAttemptsMax = 100;
constexpr size_t kPatternBytesMax = 1 << 10;
constexpr int kMaxProcessesMax = 10000;
constexpr int kMaxThreadsMax = 100000;
constexpr int64_t kMaxRssBytesMin = 1 << 20;
constexpr int kSignalMax = 31;
constexpr int kSlowChunksMax = 1000;

Problem CheckOnNestedPool(const v1::TaskType& type) {
  if (!v1::JobSpec::OnNestedPool_IsValid(type.on_nested_pool())) {
    return Bad({"on_nested_pool"},
               absl::StrCat("is not known (", type.on_nested_pool(), ")"));
  }
  if (type.on_nested_pool() != v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL) {
    return std::nullopt;
  }
  if (type.frames() != v1::TaskType::FRAMES_UNSPECIFIED) {
    return Bad({"on_nested_pool"},
               "cannot be ON_NESTED_POOL_RETRY_SEQUENTIAL with frames: a warm "
               "process serves many jobs; use ON_NESTED_POOL_SEQUENTIAL");
  }
  if (type.retry().has_maximum_attempts() &&
      type.retry().maximum_attempts() == 1) {
    return Bad({"on_nested_pool"},
               "is ON_NESTED_POOL_RETRY_SEQUENTIAL, which needs a second "
               "attempt, but retry.maximum_attempts is 1: allow 2");
  }
  return std::nullopt;
}

}  // namespace

// `value` is looked at only if it is `set`.
Problem CheckTimeout(std::vector<std::string> field, bool set,
                     const google::protobuf::Duration& value) {
  const absl::Duration timeout = FromProto(value);
  if (!set || (timeout > absl::ZeroDuration() && timeout <= kTimeoutMax)) {
    return std::nullopt;
  }
  return Bad(std::move(field), "must be positive, at most 24 h");
}

Problem CheckTimeouts(const v1::Timeouts& timeouts) {
  struct Field {
    const char* name;
    bool set;
    const google::protobuf::Duration& value;
  };
  const Field fields[] = {
      {"startup_timeout", timeouts.has_startup_timeout(),
       timeouts.startup_timeout()},
      {"inactivity_timeout", timeouts.has_inactivity_timeout(),
       timeouts.inactivity_timeout()},
      {"progress_timeout", timeouts.has_progress_timeout(),
       timeouts.progress_timeout()},
      {"start_to_close_timeout", timeouts.has_start_to_close_timeout(),
       timeouts.start_to_close_timeout()},
      {"schedule_to_start_timeout", timeouts.has_schedule_to_start_timeout(),
       timeouts.schedule_to_start_timeout()},
      {"schedule_to_close_timeout", timeouts.has_schedule_to_close_timeout(),
       timeouts.schedule_to_close_timeout()},
  };
  for (const Field& field : fields) {
    Problem problem =
        CheckTimeout({"timeouts", field.name}, field.set, field.value);
    if (problem.has_value()) return problem;
  }
  if (!timeouts.has_shutdown_grace()) return std::nullopt;
  const absl::Duration grace = FromProto(timeouts.shutdown_grace());
  if (grace < absl::ZeroDuration() || grace > kTimeoutMax) {
    return Bad({"timeouts", "shutdown_grace"}, "must be 0 to 24 h");
  }
  return std::nullopt;
}

Problem CheckRetry(const v1::RetryPolicy& retry) {
  if (retry.has_initial_interval()) {
    const absl::Duration value = FromProto(retry.initial_interval());
    if (value < kInitialIntervalMin || value > kInitialIntervalMax) {
      return Bad({"retry", "initial_interval"}, "must be 1 ms to 1 h");
    }
  }
  // Written so that NaN is refused.
  if (retry.has_backoff_coefficient() &&
      !(retry.backoff_coefficient() >= 1 &&
        retry.backoff_coefficient() <= kBackoffCoefficientMax)) {
    return Bad({"retry", "backoff_coefficient"}, "must be 1 to 100");
  }
  if (Problem problem = CheckTimeout({"retry", "maximum_interval"},
                                     retry.has_maximum_interval(),
                                     retry.maximum_interval())) {
    return problem;
  }
  if (retry.has_maximum_attempts() &&
      (retry.maximum_attempts() < 1 ||
       retry.maximum_attempts() > kMaximumAttemptsMax)) {
    return Bad({"retry", "maximum_attempts"}, "must be 1 to 100");
  }
  if (retry.has_jitter() && !(retry.jitter() >= 0 && retry.jitter() <= 1)) {
    return Bad({"retry", "jitter"}, "must be 0 to 1");
  }
  for (int i = 0; i < retry.retry_on_size(); ++i) {
    if (retry.retry_on(i) == v1::Failure::REASON_CANCELLED ||
        retry.retry_on(i) == v1::Failure::REASON_UNSPECIFIED) {
      return Bad({"retry", "retry_on"},
                 "must be a reason other than REASON_CANCELLED", i);
    }
  }
  return std::nullopt;
}

Problem CheckChunks(const v1::ChunkPolicy& chunks) {
  if (Problem problem =
          CheckTimeout({"chunk_policy", "chunk_timeout"},
                       chunks.has_chunk_timeout(), chunks.chunk_timeout())) {
    return problem;
  }
  if (Problem problem = CheckTimeout({"chunk_policy", "expected_chunk_time"},
                                     chunks.has_expected_chunk_time(),
                                     chunks.expected_chunk_time())) {
    return problem;
  }
  // Without a chunk_timeout it is compared with the coordinator's.
  if (chunks.has_chunk_timeout() && chunks.has_expected_chunk_time() &&
      FromProto(chunks.expected_chunk_time()) >
          FromProto(chunks.chunk_timeout())) {
    return Bad({"chunk_policy", "expected_chunk_time"},
               "must be at most chunk_timeout");
  }
  if (!chunks.has_max_consecutive_slow_chunks()) return std::nullopt;
  if (chunks.max_consecutive_slow_chunks() < 1 ||
      chunks.max_consecutive_slow_chunks() > kSlowChunksMax) {
    return Bad({"chunk_policy", "max_consecutive_slow_chunks"},
               "must be 1 to 1000");
  }
  return std::nullopt;
}

std::string PatternProblem(const std::string& pattern) {
  if (pattern.size() > kPatternBytesMax) return "is longer than 1 KiB";
  const re2::RE2 compiled(pattern, re2::RE2::Quiet);
  if (!compiled.ok()) {
    return absl::StrCat("is not an RE2 pattern: ", compiled.error());
  }
  return "";
}

Problem CheckActivity(const v1::ActivityPolicy& activity) {
  if (!v1::ActivityPolicy::Mode_IsValid(activity.mode())) {
    return Bad({"activity", "mode"}, "is not known");
  }
  if (!v1::ActivityPolicy::Streams_IsValid(activity.streams())) {
    return Bad({"activity", "streams"}, "is not known");
  }
  std::string problem = PatternProblem(activity.ready_pattern());
  if (!problem.empty()) return Bad({"activity", "ready_pattern"}, problem);
  const std::string& progress = activity.progress_pattern();
  problem = PatternProblem(progress);
  if (problem.empty() && !progress.empty()) {
    const int groups =
        re2::RE2(progress, re2::RE2::Quiet).NumberOfCapturingGroups();
    if (groups < 1 || groups > 2) problem = "must have one or two groups";
  }
  if (!problem.empty()) return Bad({"activity", "progress_pattern"}, problem);
  return std::nullopt;
}

Problem CheckNesting(const v1::TaskType& type) {
  if (Problem problem = CheckOnNestedPool(type)) return problem;
  if (type.has_max_processes() &&
      (type.max_processes() < 0 || type.max_processes() > kMaxProcessesMax)) {
    return Bad({"max_processes"}, "must be 0 to 10000");
  }
  if (type.has_max_threads() &&
      (type.max_threads() < 1 || type.max_threads() > kMaxThreadsMax)) {
    return Bad({"max_threads"}, "must be 1 to 100000");
  }
  if (type.max_rss_bytes() != 0 && type.max_rss_bytes() < kMaxRssBytesMin) {
    return Bad({"max_rss_bytes"},
               "must be 0 (no limit) or at least 1048576 (1 MiB)");
  }
  const int signal = type.stack_dump_signal();
  if (signal < 0 || signal > kSignalMax || signal == SIGKILL ||
      signal == SIGSTOP) {
    return Bad({"stack_dump_signal"},
               "must be 0 (none), or 1 to 31 but 9 and 19, which no program "
               "can handle; 10 (SIGUSR1) is a good choice");
  }
  return std::nullopt;
}

}  // namespace vigil
