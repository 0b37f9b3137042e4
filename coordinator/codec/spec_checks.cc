#include "coordinator/codec/spec_checks.h"

#include <re2/re2.h>
#include <signal.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/wire/time_wire.h"

namespace vigil::coordinator {
namespace {

absl::Status CheckPattern(const std::string& field, const std::string& pattern,
                          int groups_min) {
  if (pattern.empty()) return absl::OkStatus();
  if (pattern.size() > kPatternBytesMax) {
    return Invalid(field, absl::StrFormat("has %d bytes; at most %d",
                                          pattern.size(), kPatternBytesMax));
  }
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 compiled(pattern, options);
  if (!compiled.ok()) {
    return Invalid(field,
                   absl::StrCat("is not an RE2 pattern: ", compiled.error()));
  }
  if (compiled.NumberOfCapturingGroups() < groups_min) {
    return Invalid(field,
                   "needs a group for what is done, as in (\\d+)/(\\d+)");
  }
  return absl::OkStatus();
}

absl::Status CheckFallback(const v1::JobSpec& spec) {
  if (!spec.has_fallback()) return absl::OkStatus();
  const v1::Fallback& fallback = spec.fallback();
  if (!fallback.has_value() && !fallback.input()) {
    return Invalid("spec.fallback", "needs a value, or input: true");
  }
  if (static_cast<int64_t>(fallback.value().size()) > kInputBytesMax) {
    return Invalid("spec.fallback.value",
                   absl::StrFormat("has %d bytes; at most %d",
                                   fallback.value().size(), kInputBytesMax));
  }
  if (fallback.input() && !spec.has_input()) {
    return Invalid("spec.fallback.input",
                   "is the job's input, which is not set; set spec.input, or "
                   "give a value instead");
  }
  return CheckReasons("spec.fallback.fallback_on", fallback.fallback_on());
}

}  // namespace

absl::Status Invalid(const std::string& field, const std::string& problem) {
  return absl::InvalidArgumentError(absl::StrCat(field, " ", problem));
}

absl::Status CheckName(const std::string& field, const std::string& name) {
  const bool ok =
      !name.empty() && name.size() <= kNameBytesMax &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
      });
  if (ok) return absl::OkStatus();
  return Invalid(field, absl::StrFormat("must have 1 to %d characters of "
                                        "[A-Za-z0-9._-]",
                                        kNameBytesMax));
}

absl::Status CheckDuration(const std::string& field,
                           const google::protobuf::Duration& proto,
                           absl::Duration min, absl::Duration max) {
  if (!IsWellFormed(proto)) {
    return Invalid(field, "is not a valid google.protobuf.Duration");
  }
  const absl::Duration value = FromProto(proto);
  if (value >= min && value <= max) return absl::OkStatus();
  const std::string shown = absl::FormatDuration(value);
  if (value < absl::ZeroDuration()) {
    return Invalid(field,
                   absl::StrCat("is ", shown, "; it must not be negative"));
  }
  if (value < min) {
    return Invalid(field, absl::StrCat("is ", shown, "; it must be at least ",
                                       absl::FormatDuration(min),
                                       " (leave it out for the default)"));
  }
  return Invalid(field, absl::StrCat("is ", shown, "; the server's maximum is ",
                                     absl::FormatDuration(max)));
}

absl::Status CheckReasons(const std::string& field,
                          const google::protobuf::RepeatedField<int>& reasons) {
  for (const int reason : reasons) {
    if (reason == v1::Failure::REASON_CANCELLED ||
        reason == v1::Failure::REASON_UNSPECIFIED) {
      return Invalid(field, "cannot hold CANCELLED or UNSPECIFIED");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckArguments(
    const std::string& field,
    const google::protobuf::RepeatedPtrField<std::string>& arguments) {
  if (arguments.size() > kArgvMax) {
    return Invalid(field, absl::StrFormat("has %d entries; at most %d",
                                          arguments.size(), kArgvMax));
  }
  int64_t bytes = 0;
  for (int i = 0; i < arguments.size(); ++i) {
    bytes += static_cast<int64_t>(arguments[i].size()) + 1;
    if (absl::StrContains(arguments[i], '\0')) {
      return Invalid(absl::StrFormat("%s[%d]", field, i),
                     "contains a NUL byte");
    }
  }
  if (bytes > kArgvBytesMax) {
    return Invalid(field, absl::StrFormat("has %d bytes; at most %d", bytes,
                                          kArgvBytesMax));
  }
  return absl::OkStatus();
}

absl::Status CheckCommand(const v1::Command& command) {
  if (command.argv().empty() || command.argv(0).empty()) {
    return Invalid("spec.command.argv", "is empty; give the program to run");
  }
  if (absl::Status status = CheckArguments("spec.command.argv", command.argv());
      !status.ok()) {
    return status;
  }
  if (command.env().size() > kEnvMax) {
    return Invalid("spec.command.env",
                   absl::StrFormat("has %d entries; at most %d",
                                   command.env().size(), kEnvMax));
  }
  int64_t bytes = 0;
  for (const auto& [name, value] : command.env()) {
    bytes += static_cast<int64_t>(name.size() + value.size()) + 2;
    if (name.empty() || absl::StrContains(name, '=') ||
        absl::StrContains(name, '\0') || absl::StrContains(value, '\0')) {
      return Invalid("spec.command.env",
                     absl::StrCat("has the entry '", name,
                                  "', which no environment can hold"));
    }
    if (absl::StartsWith(name, "VIGIL_")) {
      return Invalid("spec.command.env",
                     absl::StrCat("sets ", name,
                                  "; names starting with VIGIL_ are Vigil's"));
    }
  }
  if (bytes > kEnvBytesMax) {
    return Invalid(
        "spec.command.env",
        absl::StrFormat("has %d bytes; at most %d", bytes, kEnvBytesMax));
  }
  const std::string& directory = command.working_directory();
  if (!directory.empty() &&
      (directory[0] != '/' || absl::StrContains(directory, '\0'))) {
    return Invalid("spec.command.working_directory",
                   "must be an absolute path");
  }
  return absl::OkStatus();
}

absl::Status CheckRest(const v1::JobSpec& spec) {
  if (static_cast<int64_t>(spec.input().size()) > kInputBytesMax) {
    return Invalid("spec.input",
                   absl::StrFormat("has %d bytes; at most %d: give the task a "
                                   "path to read from instead",
                                   spec.input().size(), kInputBytesMax));
  }
  if (absl::Status status = CheckFallback(spec); !status.ok()) return status;
  if (spec.priority() < -kPriorityMax || spec.priority() > kPriorityMax) {
    return Invalid(
        "spec.priority",
        absl::StrFormat("is %d; it must be from -%d to %d", spec.priority(),
                        kPriorityMax, kPriorityMax));
  }
  if (spec.labels().size() > kLabelsMax) {
    return Invalid("spec.labels",
                   absl::StrFormat("has %d entries; at most %d",
                                   spec.labels().size(), kLabelsMax));
  }
  for (const auto& [key, value] : spec.labels()) {
    if (key.empty() || key.size() > kLabelKeyBytesMax ||
        value.size() > kLabelValueBytesMax) {
      return Invalid(
          "spec.labels",
          absl::StrFormat("has the key '%s': keys have 1 to %d bytes and "
                          "values at most %d",
                          key, kLabelKeyBytesMax, kLabelValueBytesMax));
    }
  }
  for (const auto& [status, reason] : spec.exit_reasons()) {
    if (status < 1 || status > 255) {
      return Invalid(
          "spec.exit_reasons",
          absl::StrFormat("maps status %d; statuses are 1 to 255", status));
    }
  }
  if (absl::Status status = CheckPattern("spec.activity.ready_pattern",
                                         spec.activity().ready_pattern(), 0);
      !status.ok()) {
    return status;
  }
  return CheckPattern("spec.activity.progress_pattern",
                      spec.activity().progress_pattern(), 1);
}

absl::Status CheckChunks(const v1::JobSpec& spec, absl::Duration timeout_max) {
  const v1::ChunkPolicy& chunks = spec.chunk_policy();
  const struct {
    const char* field;
    bool set;
    const google::protobuf::Duration& value;
  } times[] = {
      {"spec.chunk_policy.chunk_timeout", chunks.has_chunk_timeout(),
       chunks.chunk_timeout()},
      {"spec.chunk_policy.expected_chunk_time",
       chunks.has_expected_chunk_time(), chunks.expected_chunk_time()},
  };
  for (const auto& time : times) {
    if (!time.set) continue;
    if (absl::Status status = CheckDuration(time.field, time.value,
                                            absl::Nanoseconds(1), timeout_max);
        !status.ok()) {
      return status;
    }
  }
  const int slow_max = chunks.max_consecutive_slow_chunks();
  if (chunks.has_max_consecutive_slow_chunks() &&
      (slow_max < 1 || slow_max > kSlowChunksMax)) {
    return Invalid("spec.chunk_policy.max_consecutive_slow_chunks",
                   absl::StrFormat("is %d; it must be from 1 to %d", slow_max,
                                   kSlowChunksMax));
  }
  return absl::OkStatus();
}

absl::Status CheckNesting(const v1::JobSpec& spec) {
  if (!v1::JobSpec::OnNestedPool_IsValid(spec.on_nested_pool())) {
    return Invalid(
        "spec.on_nested_pool",
        absl::StrFormat("is %d, which this coordinator does not "
                        "know; it must be from 0 (the default) to "
                        "%d",
                        spec.on_nested_pool(), v1::JobSpec::OnNestedPool_MAX));
  }
  if (spec.has_max_processes() &&
      (spec.max_processes() < 0 || spec.max_processes() > kProcessesMax)) {
    return Invalid("spec.max_processes",
                   absl::StrFormat("is %d; it must be from 0 to %d",
                                   spec.max_processes(), kProcessesMax));
  }
  if (spec.has_max_threads() &&
      (spec.max_threads() < 1 || spec.max_threads() > kThreadsMax)) {
    return Invalid("spec.max_threads",
                   absl::StrFormat("is %d; it must be from 1 to %d",
                                   spec.max_threads(), kThreadsMax));
  }
  if (spec.max_rss_bytes() != 0 && spec.max_rss_bytes() < kRssBytesMin) {
    return Invalid("spec.max_rss_bytes",
                   absl::StrFormat("is %d; it must be 0 (no limit) or at least "
                                   "%d, which is 1 MiB",
                                   spec.max_rss_bytes(), kRssBytesMin));
  }
  const int signal = spec.stack_dump_signal();
  if (signal < 0 || signal > kSignalMax || signal == SIGKILL ||
      signal == SIGSTOP) {
    return Invalid(
        "spec.stack_dump_signal",
        absl::StrFormat("is %d; it must be 0 (none), or from 1 to %d "
                        "but 9 and 19, which no program can handle; "
                        "10 (SIGUSR1) is a good choice",
                        signal, kSignalMax));
  }
  return absl::OkStatus();
}

}  // namespace vigil::coordinator
