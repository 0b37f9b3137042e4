#include "base/catalog_check.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/catalog_policy_check.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"

namespace vigil {
namespace {

// The bounds that catalog.proto and job.proto state.
constexpr size_t kNameBytesMax = 64;
constexpr int kArgvMax = 4096;
constexpr size_t kArgvBytesMax = 1 << 20;
constexpr int kEnvMax = 1024;
constexpr size_t kEnvBytesMax = 256 << 10;
constexpr int kReasonPatternsMax = 32;
constexpr int kExitStatusMax = 255;
constexpr int kMaxJobsMax = 1000000;
constexpr int kMaxInFlightMax = 64;
constexpr int kMaxSlotsMax = 1024;

bool HasNul(absl::string_view text) {
  return text.find('\0') != absl::string_view::npos;
}

// Finds what textproto takes and no coordinator could read, or show as JSON:
// strings that are not UTF-8, and durations that are none. `path` is the field
// that holds `message`.
Problem CheckForm(const google::protobuf::Message& message,
                  const std::vector<std::string>& path) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    std::vector<std::string> place = path;
    // Of a map, the map is named.
    if (!message.GetDescriptor()->options().map_entry()) {
      place.push_back(field->name());
    }
    const bool repeated = field->is_repeated();
    const int size = repeated ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      const int index = repeated && !field->is_map() ? i : -1;
      if (field->type() == FieldDescriptor::TYPE_STRING) {
        const std::string text =
            repeated ? reflection.GetRepeatedString(message, field, i)
                     : reflection.GetString(message, field);
        if (!IsUtf8(text)) return Bad(place, "is not UTF-8", index);
        continue;
      }
      if (field->type() != FieldDescriptor::TYPE_MESSAGE) break;
      const google::protobuf::Message& inner =
          repeated ? reflection.GetRepeatedMessage(message, field, i)
                   : reflection.GetMessage(message, field);
      const auto* duration =
          dynamic_cast<const google::protobuf::Duration*>(&inner);
      if (duration != nullptr && !IsWellFormed(*duration)) {
        return Bad(place, "is not a valid google.protobuf.Duration");
      }
      Problem problem = CheckForm(inner, place);
      if (!problem.has_value()) continue;
      if (index < 0) return problem;
      // Which one it is can be said of the last name only.
      return Bad(place, absl::StrCat(problem->field.back(), " ", problem->what),
                 index);
    }
  }
  return std::nullopt;
}

Problem CheckName(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '_' || c == '-';
  });
  if (name.empty() || name.size() > kNameBytesMax || !plain) {
    return Bad({"name"}, "must be 1 to 64 characters of [A-Za-z0-9._-]");
  }
  return std::nullopt;
}

Problem CheckArgv(const google::protobuf::RepeatedPtrField<std::string>& argv,
                  const std::vector<std::string>& field) {
  if (argv.empty() || argv.size() > kArgvMax) {
    return Bad(field, "must have 1 to 4096 entries");
  }
  size_t bytes = 0;
  for (int i = 0; i < argv.size(); ++i) {
    bytes += argv[i].size();
    if (HasNul(argv[i])) return Bad(field, "has a NUL byte", i);
  }
  if (argv[0].empty()) return Bad(field, "the program is empty", 0);
  if (bytes > kArgvBytesMax) return Bad(field, "is longer than 1 MiB");
  return std::nullopt;
}

Problem CheckEnv(const v1::TaskType& type) {
  size_t bytes = 0;
  for (const auto& [name, value] : type.env()) {
    bytes += name.size() + value.size();
    if (name.empty() || absl::StrContains(name, '=') || HasNul(name) ||
        HasNul(value)) {
      return Bad({"env"}, absl::StrCat("\"", name,
                                       "\": names are not empty and without "
                                       "'=', neither side has a NUL byte"));
    }
    if (absl::StartsWith(name, "VIGIL_")) {
      return Bad({"env"}, absl::StrCat("\"", name,
                                       "\": names starting with VIGIL_ are "
                                       "Vigil's own"));
    }
  }
  if (type.env_size() > kEnvMax || bytes > kEnvBytesMax) {
    return Bad({"env"}, "must have at most 1024 entries and 256 KiB");
  }
  if (HasNul(type.working_directory())) {
    return Bad({"working_directory"}, "has a NUL byte");
  }
  return std::nullopt;
}

Problem CheckReasons(const v1::TaskType& type) {
  for (const auto& [status, reason] : type.exit_reasons()) {
    if (status < 1 || status > kExitStatusMax) {
      return Bad({"exit_reasons"},
                 absl::StrCat(status, ": exit statuses are 1 to 255"));
    }
    if (reason == v1::Failure::REASON_UNSPECIFIED) {
      return Bad({"exit_reasons"}, absl::StrCat(status, ": has no reason"));
    }
  }
  if (type.reason_patterns_size() > kReasonPatternsMax) {
    return Bad({"reason_patterns"}, "must have at most 32 entries");
  }
  for (int i = 0; i < type.reason_patterns_size(); ++i) {
    const v1::ReasonPattern& pattern = type.reason_patterns(i);
    std::string problem = PatternProblem(pattern.pattern());
    if (pattern.pattern().empty()) problem = "has an empty pattern";
    if (pattern.reason() == v1::Failure::REASON_UNSPECIFIED) {
      problem = "has no reason";
    }
    if (!problem.empty()) return Bad({"reason_patterns"}, problem, i);
  }
  return std::nullopt;
}

// What a warm task cannot have.
Problem CheckWarmTask(const v1::TaskType& type) {
  constexpr char kNoArguments[] =
      "cannot be given with frames: a warm task gets its jobs as input";
  constexpr char kNoPty[] =
      "cannot be given with frames: a terminal is for commands";
  constexpr char kNoPatterns[] =
      "cannot be given with frames: a warm task says so in a frame";
  if (type.allow_arguments()) return Bad({"allow_arguments"}, kNoArguments);
  if (type.pty()) return Bad({"pty"}, kNoPty);
  if (!type.activity().ready_pattern().empty()) {
    return Bad({"activity", "ready_pattern"}, kNoPatterns);
  }
  if (!type.activity().progress_pattern().empty()) {
    return Bad({"activity", "progress_pattern"}, kNoPatterns);
  }
  if (!v1::TaskType::ResultValidator_IsValid(type.result_validator())) {
    return Bad({"result_validator"}, "is not known");
  }
  if (type.max_jobs() < 0 || type.max_jobs() > kMaxJobsMax) {
    return Bad({"max_jobs"}, "must be 0 to 1000000");
  }
  if (type.recycle_rss_bytes() < 0) {
    return Bad({"recycle_rss_bytes"}, "must not be negative");
  }
  if (type.max_in_flight() < 0 || type.max_in_flight() > kMaxInFlightMax) {
    return Bad({"max_in_flight"}, "must be 0 to 64");
  }
  return CheckTimeout({"idle_timeout"}, type.has_idle_timeout(),
                      type.idle_timeout());
}

// What only a warm task can have.
Problem CheckCommand(const v1::TaskType& type) {
  const struct {
    const char* field;
    bool given;
  } fields[] = {
      {"result_validator", type.result_validator() != 0},
      {"max_jobs", type.max_jobs() != 0},
      {"recycle_rss_bytes", type.recycle_rss_bytes() != 0},
      {"idle_timeout", type.has_idle_timeout()},
      {"reset", type.reset()},
      {"max_in_flight", type.max_in_flight() != 0},
  };
  for (const auto& field : fields) {
    if (field.given) {
      return Bad({field.field}, "is for warm tasks only: set frames too");
    }
  }
  if (type.activity().streams() == v1::ActivityPolicy::STREAMS_NONE) {
    return Bad({"activity", "streams"},
               "STREAMS_NONE is for warm tasks only: nothing would show that "
               "a command is alive");
  }
  return std::nullopt;
}

Problem CheckFrames(const v1::TaskType& type) {
  if (!v1::TaskType::Frames_IsValid(type.frames())) {
    return Bad({"frames"}, "is not known");
  }
  return type.frames() == v1::TaskType::FRAMES_UNSPECIFIED
             ? CheckCommand(type)
             : CheckWarmTask(type);
}

Problem CheckWarmUp(const v1::WarmUp& warm_up) {
  if (!warm_up.argv().empty()) {
    Problem problem = CheckArgv(warm_up.argv(), {"warm_up", "argv"});
    if (problem.has_value()) return problem;
  }
  if (Problem problem = CheckTimeout(
          {"warm_up", "timeout"}, warm_up.has_timeout(), warm_up.timeout())) {
    return problem;
  }
  return CheckTimeout({"warm_up", "start_to_close_timeout"},
                      warm_up.has_start_to_close_timeout(),
                      warm_up.start_to_close_timeout());
}

}  // namespace

Problem CheckTaskType(const v1::TaskType& type) {
  if (Problem problem = CheckForm(type, {})) return problem;
  if (Problem problem = CheckName(type.name())) return problem;
  if (Problem problem = CheckArgv(type.argv(), {"argv"})) return problem;
  if (Problem problem = CheckEnv(type)) return problem;
  if (Problem problem = CheckTimeouts(type.timeouts())) return problem;
  if (Problem problem = CheckRetry(type.retry())) return problem;
  if (Problem problem = CheckChunks(type.chunk_policy())) return problem;
  if (Problem problem = CheckActivity(type.activity())) return problem;
  if (Problem problem = CheckReasons(type)) return problem;
  if (Problem problem = CheckFrames(type)) return problem;
  if (Problem problem = CheckWarmUp(type.warm_up())) return problem;
  if (Problem problem = CheckNesting(type)) return problem;
  if (type.max_slots() < 0 || type.max_slots() > kMaxSlotsMax) {
    return Bad({"max_slots"}, "must be 0 to 1024");
  }
  return std::nullopt;
}

}  // namespace vigil
