#include "coordinator/codec/spec_resolver.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/nesting_resolver.h"
#include "coordinator/codec/spec_checks.h"

namespace vigil::coordinator {
namespace {

using DurationProto = google::protobuf::Duration;

// Whether a process of the type takes one job after another as frames.
bool IsWarm(const v1::TaskType* type) {
  return type != nullptr && type->frames() != v1::TaskType::FRAMES_UNSPECIFIED;
}

// What has no meaning for a warm task is refused rather than ignored.
absl::Status CheckWarm(const v1::JobSpec& spec, const v1::TaskType& type) {
  const auto refuse = [&type](const std::string& field,
                              const std::string& why) {
    return Invalid(field, absl::StrCat("cannot be set for task type ",
                                       type.name(), ": ", why));
  };
  if (spec.pty()) {
    return refuse("spec.pty", "its process serves many jobs");
  }
  if (!spec.activity().ready_pattern().empty()) {
    return refuse("spec.activity.ready_pattern",
                  "it says by a frame that it has started");
  }
  if (!spec.activity().progress_pattern().empty()) {
    return refuse("spec.activity.progress_pattern",
                  "it reports progress by frames");
  }
  return CheckWarmNesting(spec, type);
}

void ResolveActivity(const v1::ActivityPolicy* type, bool warm,
                     v1::ActivityPolicy* activity) {
  if (type != nullptr) {
    if (activity->mode() == v1::ActivityPolicy::MODE_UNSPECIFIED) {
      activity->set_mode(type->mode());
    }
    if (activity->streams() == v1::ActivityPolicy::STREAMS_UNSPECIFIED) {
      activity->set_streams(type->streams());
    }
    if (activity->ready_pattern().empty()) {
      activity->set_ready_pattern(type->ready_pattern());
    }
    if (activity->progress_pattern().empty()) {
      activity->set_progress_pattern(type->progress_pattern());
    }
  }
  if (activity->mode() == v1::ActivityPolicy::MODE_UNSPECIFIED) {
    activity->set_mode(v1::ActivityPolicy::MODE_STREAMING);
  }
  if (activity->streams() == v1::ActivityPolicy::STREAMS_UNSPECIFIED) {
    activity->set_streams(warm ? v1::ActivityPolicy::STREAMS_NONE
                               : v1::ActivityPolicy::STREAMS_BOTH);
  }
}

}  // namespace

absl::Status SpecResolver::ResolveTimeouts(const v1::Timeouts* type,
                                           bool silent,
                                           v1::Timeouts* timeouts) const {
  using T = v1::Timeouts;
  struct Field {
    const char* name;
    bool (T::*has)() const;
    const DurationProto& (T::*get)() const;
    DurationProto* (T::*mutate)();
    absl::Duration fallback;
    absl::Duration min;
  };
  constexpr absl::Duration kTick = absl::Nanoseconds(1);
  const Timeouts& server = defaults_.timeouts;
  const Field fields[] = {
      {"startup_timeout", &T::has_startup_timeout, &T::startup_timeout,
       &T::mutable_startup_timeout, server.startup, kTick},
      {"inactivity_timeout", &T::has_inactivity_timeout, &T::inactivity_timeout,
       &T::mutable_inactivity_timeout, server.inactivity, kTick},
      {"progress_timeout", &T::has_progress_timeout, &T::progress_timeout,
       &T::mutable_progress_timeout, server.progress, kTick},
      {"start_to_close_timeout", &T::has_start_to_close_timeout,
       &T::start_to_close_timeout, &T::mutable_start_to_close_timeout,
       silent ? defaults_.silent_start_to_close : server.start_to_close, kTick},
      {"schedule_to_start_timeout", &T::has_schedule_to_start_timeout,
       &T::schedule_to_start_timeout, &T::mutable_schedule_to_start_timeout,
       server.schedule_to_start, kTick},
      {"schedule_to_close_timeout", &T::has_schedule_to_close_timeout,
       &T::schedule_to_close_timeout, &T::mutable_schedule_to_close_timeout,
       server.schedule_to_close, kTick},
      {"shutdown_grace", &T::has_shutdown_grace, &T::shutdown_grace,
       &T::mutable_shutdown_grace, server.shutdown_grace, absl::ZeroDuration()},
  };
  for (const Field& field : fields) {
    if ((timeouts->*field.has)()) {
      if (absl::Status status = CheckDuration(
              absl::StrCat("spec.timeouts.", field.name),
              (timeouts->*field.get)(), field.min, defaults_.timeout_max);
          !status.ok()) {
        return status;
      }
    } else if (type != nullptr && (type->*field.has)()) {
      *(timeouts->*field.mutate)() = (type->*field.get)();
    } else if (field.fallback != absl::InfiniteDuration()) {
      vigil::ToProto(field.fallback, (timeouts->*field.mutate)());
    }
  }
  return absl::OkStatus();
}

absl::Status SpecResolver::ResolveRetry(const v1::RetryPolicy* type,
                                        v1::RetryPolicy* retry) const {
  if (retry->has_initial_interval()) {
    if (absl::Status status = CheckDuration(
            "spec.retry.initial_interval", retry->initial_interval(),
            absl::Milliseconds(1), absl::Hours(1));
        !status.ok()) {
      return status;
    }
  }
  if (retry->has_maximum_interval()) {
    if (absl::Status status = CheckDuration(
            "spec.retry.maximum_interval", retry->maximum_interval(),
            absl::Milliseconds(1), absl::Hours(24));
        !status.ok()) {
      return status;
    }
  }
  const auto in = [](double value, double min, double max) {
    return std::isfinite(value) && value >= min && value <= max;
  };
  if (retry->has_backoff_coefficient() &&
      !in(retry->backoff_coefficient(), 1, 100)) {
    return Invalid("spec.retry.backoff_coefficient", "must be from 1 to 100");
  }
  if (retry->has_jitter() && !in(retry->jitter(), 0, 1)) {
    return Invalid("spec.retry.jitter", "must be from 0 to 1");
  }
  if (retry->has_maximum_attempts() &&
      !in(retry->maximum_attempts(), 1, kAttemptsMax)) {
    return Invalid("spec.retry.maximum_attempts",
                   absl::StrFormat("is %d; it must be from 1 to %d",
                                   retry->maximum_attempts(), kAttemptsMax));
  }
  if (absl::Status status =
          CheckReasons("spec.retry.retry_on", retry->retry_on());
      !status.ok()) {
    return status;
  }
  if (type != nullptr) {
    v1::RetryPolicy merged = *type;
    if (!retry->retry_on().empty()) merged.clear_retry_on();
    if (!retry->non_retryable_reasons().empty()) {
      merged.clear_non_retryable_reasons();
    }
    // Durations are replaced as a whole, not merged field by field.
    if (retry->has_initial_interval()) merged.clear_initial_interval();
    if (retry->has_maximum_interval()) merged.clear_maximum_interval();
    merged.MergeFrom(*retry);
    *retry = std::move(merged);
  }
  const RetryPolicy& server = defaults_.retry;
  if (!retry->has_initial_interval()) {
    vigil::ToProto(server.initial_interval, retry->mutable_initial_interval());
  }
  if (!retry->has_maximum_interval()) {
    // A longer first wait was asked for: the default does not cut it short.
    vigil::ToProto(
        std::max(server.maximum_interval, FromProto(retry->initial_interval())),
        retry->mutable_maximum_interval());
  }
  if (!retry->has_backoff_coefficient()) {
    retry->set_backoff_coefficient(server.backoff_coefficient);
  }
  if (!retry->has_jitter()) retry->set_jitter(server.jitter);
  if (!retry->has_maximum_attempts()) {
    retry->set_maximum_attempts(server.maximum_attempts);
  }
  return absl::OkStatus();
}

absl::Status SpecResolver::ResolveChunks(const v1::TaskType* type,
                                         v1::JobSpec* spec) const {
  if (absl::Status status = CheckChunks(*spec, defaults_.timeout_max);
      !status.ok()) {
    return status;
  }
  v1::ChunkPolicy* chunks = spec->mutable_chunk_policy();
  const bool counts = chunks->has_max_consecutive_slow_chunks();
  if (type != nullptr && type->has_chunk_policy()) {
    v1::ChunkPolicy merged = type->chunk_policy();
    // Durations are replaced as a whole, not merged field by field.
    if (chunks->has_chunk_timeout()) merged.clear_chunk_timeout();
    if (chunks->has_expected_chunk_time()) merged.clear_expected_chunk_time();
    merged.MergeFrom(*chunks);
    *chunks = std::move(merged);
  }
  if (!chunks->has_chunk_timeout()) {
    vigil::ToProto(defaults_.chunks.chunk_timeout,
                   chunks->mutable_chunk_timeout());
  }
  if (!chunks->has_expected_chunk_time()) {
    if (!counts) {
      // A type's own counts for those jobs only that set the time.
      chunks->clear_max_consecutive_slow_chunks();
      return absl::OkStatus();
    }
    return Invalid("spec.chunk_policy.max_consecutive_slow_chunks",
                   "counts chunks slower than expected_chunk_time, which is "
                   "not set; set that too");
  }
  const absl::Duration timeout = FromProto(chunks->chunk_timeout());
  const absl::Duration expected = FromProto(chunks->expected_chunk_time());
  if (expected > timeout) {
    return Invalid(
        "spec.chunk_policy.expected_chunk_time",
        absl::StrCat("is ", absl::FormatDuration(expected),
                     "; it must be at most chunk_timeout, which is ",
                     absl::FormatDuration(timeout), ": raise that too"));
  }
  if (!chunks->has_max_consecutive_slow_chunks()) {
    chunks->set_max_consecutive_slow_chunks(
        defaults_.chunks.max_consecutive_slow_chunks);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JobSpec> SpecResolver::Resolve(
    const v1::JobSpec& spec, const v1::TaskType* type) const {
  if (type == nullptr) {
    if (!spec.has_command()) {
      return Invalid("spec", "needs a task_type or a command");
    }
    if (absl::Status status = CheckCommand(spec.command()); !status.ok()) {
      return status;
    }
    if (!spec.arguments().empty()) {
      return Invalid("spec.arguments",
                     "go with a task_type; put them into command.argv");
    }
  } else {
    if (spec.has_command()) {
      return Invalid("spec", "has both a task_type and a command; give one");
    }
    if (!spec.arguments().empty() &&
        (IsWarm(type) || !type->allow_arguments())) {
      return absl::FailedPreconditionError(absl::StrCat(
          "task type ", type->name(),
          " takes no arguments; give what it needs as input",
          IsWarm(type) ? "" : ", or set allow_arguments in its catalog"));
    }
    if (IsWarm(type)) {
      if (absl::Status status = CheckWarm(spec, *type); !status.ok()) {
        return status;
      }
    }
    if (absl::Status status =
            CheckArguments("spec.arguments", spec.arguments());
        !status.ok()) {
      return status;
    }
  }
  if (absl::Status status = CheckRest(spec); !status.ok()) return status;
  if (absl::Status status = CheckNesting(spec); !status.ok()) return status;

  v1::JobSpec resolved = spec;
  ResolveActivity(type == nullptr ? nullptr : &type->activity(), IsWarm(type),
                  resolved.mutable_activity());
  if (resolved.activity().streams() == v1::ActivityPolicy::STREAMS_NONE &&
      !IsWarm(type)) {
    return Invalid("spec.activity.streams",
                   "is STREAMS_NONE, which is for warm tasks: a command has "
                   "nothing but its output to show that it works (SILENT "
                   "switches the silence clocks off)");
  }
  const bool silent =
      resolved.activity().mode() == v1::ActivityPolicy::MODE_SILENT;
  if (absl::Status status =
          ResolveTimeouts(type == nullptr ? nullptr : &type->timeouts(), silent,
                          resolved.mutable_timeouts());
      !status.ok()) {
    return status;
  }
  if (absl::Status status = ResolveRetry(
          type == nullptr ? nullptr : &type->retry(), resolved.mutable_retry());
      !status.ok()) {
    return status;
  }
  if (resolved.has_chunk_policy() ||
      (type != nullptr && type->has_chunk_policy())) {
    if (absl::Status status = ResolveChunks(type, &resolved); !status.ok()) {
      return status;
    }
  }
  if (type != nullptr) {
    if (type->pty()) resolved.set_pty(true);
    for (const auto& [status, reason] : type->exit_reasons()) {
      resolved.mutable_exit_reasons()->insert({status, reason});
    }
  }
  if (absl::Status status = ResolveNesting(type, &resolved); !status.ok()) {
    return status;
  }
  return resolved;
}

}  // namespace vigil::coordinator
