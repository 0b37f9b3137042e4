#include "coordinator/codec/batch_resolver.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/spec_checks.h"
#include "coordinator/core/limits.h"

namespace vigil::coordinator {
namespace {

absl::Status CheckStopRule(const v1::StopRule& rule) {
  if (rule.failures() < 0) {
    return Invalid("spec.stop_rule.failures", "is negative");
  }
  if (rule.consecutive_failures() < 0) {
    return Invalid("spec.stop_rule.consecutive_failures", "is negative");
  }
  // Also what is no number.
  if (!(rule.failure_ratio() >= 0 && rule.failure_ratio() <= 1)) {
    return Invalid(
        "spec.stop_rule.failure_ratio",
        absl::StrFormat("is %g; it must be from 0 to 1", rule.failure_ratio()));
  }
  return absl::OkStatus();
}

absl::Status ResolveInFlight(v1::BatchSpec* spec) {
  if (!v1::BatchSpec::Mode_IsValid(spec->mode())) {
    return Invalid("spec.mode", "is none of PARALLEL and SEQUENTIAL");
  }
  if (spec->max_in_flight() < 0 || spec->max_in_flight() > kBatchInFlightMax) {
    return Invalid("spec.max_in_flight",
                   absl::StrFormat("is %d; it must be from 0 (the default) to "
                                   "%d",
                                   spec->max_in_flight(), kBatchInFlightMax));
  }
  if (spec->mode() != v1::BatchSpec::MODE_SEQUENTIAL) {
    spec->set_mode(v1::BatchSpec::MODE_PARALLEL);
    if (spec->max_in_flight() == 0) {
      spec->set_max_in_flight(kBatchInFlightDefault);
    }
    return absl::OkStatus();
  }
  if (spec->max_in_flight() > 1) {
    return Invalid("spec.max_in_flight",
                   absl::StrFormat("is %d; a SEQUENTIAL batch has 1",
                                   spec->max_in_flight()));
  }
  spec->set_max_in_flight(1);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::BatchSpec> ResolveBatch(const v1::BatchSpec& spec,
                                           const v1::TaskType* type,
                                           const SpecResolver& resolver) {
  v1::BatchSpec resolved = spec;
  if (absl::Status status = ResolveInFlight(&resolved); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckStopRule(spec.stop_rule()); !status.ok()) {
    return status;
  }
  if (spec.has_schedule_to_close_timeout()) {
    absl::Status status = CheckDuration("spec.schedule_to_close_timeout",
                                        spec.schedule_to_close_timeout(),
                                        absl::Nanoseconds(1), kBatchTimeoutMax);
    if (!status.ok()) return status;
  }
  // Each item may bring its own; for now, anything stands in for them.
  v1::JobSpec job = spec.job();
  const bool no_argv = job.has_command() && job.command().argv().empty();
  if (no_argv) *job.mutable_command()->add_argv() = std::string(1, '-');
  const bool no_input = job.fallback().input() && !job.has_input();
  if (no_input) job.set_input("");
  absl::StatusOr<v1::JobSpec> resolved_job = resolver.Resolve(job, type);
  if (!resolved_job.ok()) return resolved_job.status();
  if (no_argv) resolved_job->mutable_command()->clear_argv();
  if (no_input) resolved_job->clear_input();
  *resolved.mutable_job() = *std::move(resolved_job);
  return resolved;
}

absl::StatusOr<v1::JobSpec> ProgramOf(const v1::JobSpec& program,
                                      const v1::TaskType* type,
                                      bool needs_input, v1::BatchItem item) {
  v1::JobSpec own = program;
  if (item.has_input()) {
    if (item.input().size() > kInputBytesMax) {
      return Invalid("input",
                     absl::StrFormat("has %d bytes; at most %d",
                                     item.input().size(), kInputBytesMax));
    }
    own.set_input(std::move(*item.mutable_input()));
  }
  if (needs_input && !own.has_input()) {
    return Invalid("input", "is missing, and it is to be the job's fallback");
  }
  if (!item.arguments().empty()) {
    if (absl::Status status = CheckArguments("arguments", item.arguments());
        !status.ok()) {
      return status;
    }
    if (own.has_command()) {
      own.mutable_command()->mutable_argv()->Swap(item.mutable_arguments());
    } else if (type == nullptr || !type->allow_arguments() ||
               type->frames() != v1::TaskType::FRAMES_UNSPECIFIED) {
      return absl::FailedPreconditionError(
          "arguments: the batch's task type takes none; give what it needs as "
          "input, or set allow_arguments in its catalog");
    } else {
      own.mutable_arguments()->Swap(item.mutable_arguments());
    }
  }
  if (own.has_command() &&
      (own.command().argv().empty() || own.command().argv(0).empty())) {
    return Invalid("arguments", "are empty, and the batch has no argv either");
  }
  return own;
}

}  // namespace vigil::coordinator
