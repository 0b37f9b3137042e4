#include "base/wire/policy_wire.h"

#include "base/wire/time_wire.h"

namespace vigil {
namespace {

absl::Duration OrInfinite(bool set, const google::protobuf::Duration& proto) {
  return set ? FromProto(proto) : absl::InfiniteDuration();
}

}  // namespace

Timeouts FromProto(const v1::Timeouts& proto) {
  Timeouts timeouts;
  timeouts.startup =
      OrInfinite(proto.has_startup_timeout(), proto.startup_timeout());
  timeouts.inactivity =
      OrInfinite(proto.has_inactivity_timeout(), proto.inactivity_timeout());
  timeouts.progress =
      OrInfinite(proto.has_progress_timeout(), proto.progress_timeout());
  timeouts.start_to_close = OrInfinite(proto.has_start_to_close_timeout(),
                                       proto.start_to_close_timeout());
  timeouts.schedule_to_start = OrInfinite(proto.has_schedule_to_start_timeout(),
                                          proto.schedule_to_start_timeout());
  timeouts.schedule_to_close = OrInfinite(proto.has_schedule_to_close_timeout(),
                                          proto.schedule_to_close_timeout());
  if (proto.has_shutdown_grace()) {
    timeouts.shutdown_grace = FromProto(proto.shutdown_grace());
  }
  return timeouts;
}

RetryPolicy FromProto(const v1::RetryPolicy& proto) {
  RetryPolicy retry;
  if (proto.has_initial_interval()) {
    retry.initial_interval = FromProto(proto.initial_interval());
  }
  if (proto.has_backoff_coefficient()) {
    retry.backoff_coefficient = proto.backoff_coefficient();
  }
  if (proto.has_maximum_interval()) {
    retry.maximum_interval = FromProto(proto.maximum_interval());
  }
  if (proto.has_maximum_attempts()) {
    retry.maximum_attempts = proto.maximum_attempts();
  }
  if (proto.has_jitter()) retry.jitter = proto.jitter();
  for (int reason : proto.retry_on()) {
    retry.retry_on.push_back(static_cast<Reason>(reason));
  }
  for (int reason : proto.non_retryable_reasons()) {
    retry.non_retryable_reasons.push_back(static_cast<Reason>(reason));
  }
  return retry;
}

ChunkPolicy FromProto(const v1::ChunkPolicy& proto) {
  ChunkPolicy chunks;
  if (proto.has_chunk_timeout()) {
    chunks.chunk_timeout = FromProto(proto.chunk_timeout());
  }
  chunks.expected_chunk_time =
      OrInfinite(proto.has_expected_chunk_time(), proto.expected_chunk_time());
  if (proto.has_max_consecutive_slow_chunks()) {
    chunks.max_consecutive_slow_chunks = proto.max_consecutive_slow_chunks();
  }
  return chunks;
}

Supervision SupervisionOf(const v1::JobSpec& spec) {
  const v1::ActivityPolicy& activity = spec.activity();
  Supervision supervision;
  supervision.timeouts = FromProto(spec.timeouts());
  supervision.silent = activity.mode() == v1::ActivityPolicy::MODE_SILENT;
  supervision.observe = activity.observe();
  const bool neither = activity.streams() == v1::ActivityPolicy::STREAMS_NONE;
  supervision.stdout_is_activity =
      !neither && activity.streams() != v1::ActivityPolicy::STREAMS_STDERR;
  supervision.stderr_is_activity =
      !neither && activity.streams() != v1::ActivityPolicy::STREAMS_STDOUT;
  supervision.waits_for_ready = !activity.ready_pattern().empty();
  Nesting& nesting = supervision.nesting;
  nesting.action =
      spec.on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_UNSPECIFIED
          ? OnNestedPool::kFail
          : static_cast<OnNestedPool>(spec.on_nested_pool());
  if (spec.has_max_processes()) nesting.max_processes = spec.max_processes();
  if (spec.has_max_threads()) nesting.max_threads = spec.max_threads();
  supervision.max_rss_bytes = spec.max_rss_bytes();
  supervision.stack_dump_signal = spec.stack_dump_signal();
  if (spec.has_chunk_policy()) {
    supervision.chunks = FromProto(spec.chunk_policy());
  }
  return supervision;
}

}  // namespace vigil
