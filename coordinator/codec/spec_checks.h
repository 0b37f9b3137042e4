// The checks of a submission that need nothing but itself: bounds of sizes,
// names, patterns and numbers, as the protos state them. What is out of bounds
// is INVALID_ARGUMENT, naming field, value and bound. Pure functions,
// thread-safe; they own nothing.
#ifndef VIGIL_COORDINATOR_CODEC_SPEC_CHECKS_H_
#define VIGIL_COORDINATOR_CODEC_SPEC_CHECKS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

// Bounds of a submission, as the protos state them.
inline constexpr int kArgvMax = 4096;
inline constexpr int kArgvBytesMax = 1 << 20;
inline constexpr int kEnvMax = 1024;
inline constexpr int kEnvBytesMax = 256 << 10;
inline constexpr int kInputBytesMax = 3 << 20;
inline constexpr int kLabelsMax = 32;
inline constexpr int kLabelKeyBytesMax = 64;
inline constexpr int kLabelValueBytesMax = 256;
inline constexpr int kNameBytesMax = 64;
inline constexpr int kPatternBytesMax = 1024;
inline constexpr int kPriorityMax = 1000;
inline constexpr int kAttemptsMax = 100;
inline constexpr int kProcessesMax = 10000;
inline constexpr int kThreadsMax = 100000;
inline constexpr int64_t kRssBytesMin = 1 << 20;
inline constexpr int kSignalMax = 31;
inline constexpr int kSlowChunksMax = 1000;

// INVALID_ARGUMENT: "`field` `problem`".
absl::Status Invalid(const std::string& field, const std::string& problem);

// Checks a namespace, task type or the like: 1 to kNameBytesMax characters of
// [A-Za-z0-9._-]. `field` is named in the error.
absl::Status CheckName(const std::string& field, const std::string& name);

// Checks a duration, both bounds included.
absl::Status CheckDuration(const std::string& field,
                           const google::protobuf::Duration& proto,
                           absl::Duration min, absl::Duration max);

// Checks reasons of failure that a policy names: those of retry_on and the
// like.
absl::Status CheckReasons(const std::string& field,
                          const google::protobuf::RepeatedField<int>& reasons);

// Checks command.argv or arguments.
absl::Status CheckArguments(
    const std::string& field,
    const google::protobuf::RepeatedPtrField<std::string>& arguments);

absl::Status CheckCommand(const v1::Command& command);

// Checks input, fallback, priority, labels, exit_reasons and the patterns of
// activity.
absl::Status CheckRest(const v1::JobSpec& spec);

// Checks chunk_policy, each field by itself; no time of it may be longer than
// `timeout_max`.
absl::Status CheckChunks(const v1::JobSpec& spec, absl::Duration timeout_max);

// Checks on_nested_pool, max_processes, max_threads, max_rss_bytes and
// stack_dump_signal, each by itself.
absl::Status CheckNesting(const v1::JobSpec& spec);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_SPEC_CHECKS_H_
