// Submits what a client might: an input is a Request, as textproto. What is
// refused must be refused by a status that the API has for it; what is accepted
// must be within the bounds that the protos state, and come out of the store as
// it went in.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/catalog_check.h"
#include "base/check.h"
#include "base/wire/policy_wire.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/batch_codec.h"
#include "coordinator/codec/batch_resolver.h"
#include "coordinator/codec/deterministic.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/codec/policy_pool.h"
#include "coordinator/codec/spec_resolver.h"
#include "coordinator/core/limits.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "tests/fuzz/quiet_errors.h"
#include "tests/fuzz/request_script.pb.h"

namespace {

using ::google::protobuf::Message;
using ::vigil::coordinator::PolicyPool;
using ::vigil::coordinator::SerializeDeterministically;
using ::vigil::coordinator::ServerDefaults;
using ::vigil::coordinator::SpecResolver;
using ::vigil::fuzz::Request;
using ::vigil::v1::BatchSpec;
using ::vigil::v1::JobSpec;
using ::vigil::v1::TaskType;

void CheckRefused(const absl::Status& status) {
  VIGIL_CHECK(
      absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status),
      status.ToString());
  VIGIL_CHECK(!status.message().empty(), status.ToString());
}

void CheckShowable(const Message& message) {
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json);
  VIGIL_CHECK(status.ok(), absl::StrCat(status.ToString(), "\n",
                                        message.ShortDebugString()));
}

bool Same(const Message& a, const Message& b) {
  return SerializeDeterministically(a) == SerializeDeterministically(b);
}

// A clock that is on.
void CheckClock(bool set, const google::protobuf::Duration& proto,
                absl::Duration min, const JobSpec& spec) {
  const absl::Duration value = vigil::FromProto(proto);
  VIGIL_CHECK(!set || (value >= min && value <= ServerDefaults().timeout_max),
              spec.ShortDebugString());
}

void CheckBounds(const JobSpec& spec) {
  constexpr absl::Duration kTick = absl::Nanoseconds(1);
  const vigil::v1::Timeouts& t = spec.timeouts();
  CheckClock(t.has_startup_timeout(), t.startup_timeout(), kTick, spec);
  CheckClock(t.has_inactivity_timeout(), t.inactivity_timeout(), kTick, spec);
  CheckClock(t.has_progress_timeout(), t.progress_timeout(), kTick, spec);
  CheckClock(t.has_start_to_close_timeout(), t.start_to_close_timeout(), kTick,
             spec);
  CheckClock(t.has_schedule_to_start_timeout(), t.schedule_to_start_timeout(),
             kTick, spec);
  CheckClock(true, t.schedule_to_close_timeout(), kTick, spec);
  CheckClock(true, t.shutdown_grace(), absl::ZeroDuration(), spec);
  const vigil::v1::RetryPolicy& retry = spec.retry();
  CheckClock(true, retry.initial_interval(), absl::Milliseconds(1), spec);
  CheckClock(true, retry.maximum_interval(), kTick, spec);
  const vigil::v1::ChunkPolicy& chunks = spec.chunk_policy();
  CheckClock(spec.has_chunk_policy(), chunks.chunk_timeout(), kTick, spec);
  CheckClock(chunks.has_expected_chunk_time(), chunks.expected_chunk_time(),
             kTick, spec);
  VIGIL_CHECK(retry.maximum_attempts() >= 1 &&
                  retry.maximum_attempts() <= 100 &&
                  retry.backoff_coefficient() >= 1 &&
                  retry.backoff_coefficient() <= 100 && retry.jitter() >= 0 &&
                  retry.jitter() <= 1,
              spec.ShortDebugString());
  VIGIL_CHECK(spec.priority() >= -1000 && spec.priority() <= 1000 &&
                  spec.labels_size() <= 32 && spec.input().size() <= 3 << 20 &&
                  spec.fallback().value().size() <= 3 << 20 &&
                  spec.arguments_size() <= 4096 &&
                  spec.command().argv_size() <= 4096 &&
                  spec.command().env_size() <= 1024,
              spec.ShortDebugString());
  VIGIL_CHECK(
      spec.max_processes() >= 0 && spec.max_processes() <= 10000 &&
          spec.max_threads() >= 1 && spec.max_threads() <= 100000 &&
          (spec.max_rss_bytes() == 0 || spec.max_rss_bytes() >= 1 << 20) &&
          spec.stack_dump_signal() >= 0 && spec.stack_dump_signal() <= 31,
      spec.ShortDebugString());
}

// Stores a job of this spec and reads it back.
void CheckStored(const JobSpec& resolved) {
  PolicyPool pool;
  vigil::coordinator::Job job;
  job.id = vigil::JobId("1m8c2j7qkephvv8");
  job.namespace_ = "default";
  job.request_id = "r";
  job.request_hash = 7;
  job.task_type = resolved.task_type();
  job.priority = resolved.priority();
  job.policy = pool.Get(resolved, true);
  job.create_time = job.queue_time = absl::FromUnixSeconds(1'800'000'000);
  JobSpec rest = resolved;
  const JobSpec program = vigil::coordinator::TakeProgram(&rest);

  const vigil::coordinator::WaitingReason waiting =
      vigil::coordinator::WaitingReason::kUnspecified;
  const vigil::v1::Job shown = vigil::coordinator::ToProto(job, waiting);
  CheckShowable(shown);
  const vigil::store::JobRow row = vigil::coordinator::EncodeRow(job);
  PolicyPool other;
  const auto decoded = vigil::coordinator::RowDecoder(&other).Decode(row);
  VIGIL_CHECK(decoded.ok(), decoded.status().ToString());
  VIGIL_CHECK(*(*decoded)->policy == *job.policy, shown.ShortDebugString());
  VIGIL_CHECK(Same(vigil::coordinator::ToProto(**decoded, waiting), shown) &&
                  (*decoded)->request_hash == job.request_hash &&
                  (*decoded)->task_type == job.task_type &&
                  (*decoded)->priority == job.priority &&
                  (*decoded)->queue_time == job.queue_time,
              shown.ShortDebugString());
  const auto view = vigil::coordinator::ViewRow(row);
  VIGIL_CHECK(view.ok() && Same(view->job, shown), shown.ShortDebugString());

  // What a worker is sent is what was asked for.
  JobSpec sent;
  VIGIL_CHECK(sent.ParseFromString(job.policy->spec) &&
                  sent.MergeFromString(program.SerializeAsString()),
              "a policy is not a spec");
  VIGIL_CHECK(Same(sent, resolved),
              absl::StrCat(sent.DebugString(), "\n", resolved.DebugString()));
  vigil::SupervisionOf(sent);
}

void FuzzJob(const JobSpec& spec, const TaskType* type) {
  const SpecResolver resolver((ServerDefaults()));
  const absl::StatusOr<JobSpec> resolved = resolver.Resolve(spec, type);
  if (!resolved.ok()) return CheckRefused(resolved.status());
  CheckBounds(*resolved);
  CheckShowable(*resolved);
  CheckStored(*resolved);
  // A client may ask for what it was shown.
  if (type != nullptr && type->frames() != TaskType::FRAMES_UNSPECIFIED) return;
  const absl::StatusOr<JobSpec> again = resolver.Resolve(*resolved, type);
  VIGIL_CHECK(again.ok() && Same(*again, *resolved),
              absl::StrCat(again.status().ToString(), "\n",
                           resolved->ShortDebugString()));
}

// Stores a batch of this spec and reads it back.
void CheckStoredBatch(const BatchSpec& resolved) {
  BatchSpec spec = resolved;
  vigil::coordinator::TakeProgram(spec.mutable_job());
  vigil::coordinator::Batch batch;
  batch.id = vigil::BatchId("1m8c2j7qkephvv9");
  batch.namespace_ = "default";
  batch.state = vigil::coordinator::BatchState::kOpen;
  batch.create_time = absl::FromUnixSeconds(1'800'000'000);
  batch.policy = vigil::coordinator::PolicyOf(spec, true);
  const vigil::v1::Batch shown = vigil::coordinator::ToProto(batch);
  CheckShowable(shown);
  const vigil::store::BatchRow row =
      vigil::coordinator::EncodeBatchRow(batch, shown);
  const auto decoded = vigil::coordinator::DecodeBatchRow(row);
  VIGIL_CHECK(decoded.ok(), decoded.status().ToString());
  VIGIL_CHECK(Same(vigil::coordinator::ToProto(**decoded), shown),
              shown.ShortDebugString());
  const vigil::coordinator::BatchPolicy& policy = (*decoded)->policy;
  VIGIL_CHECK(policy.streamed &&
                  policy.max_in_flight == batch.policy.max_in_flight &&
                  policy.schedule_to_close == batch.policy.schedule_to_close &&
                  policy.stop_rule.failure_ratio ==
                      batch.policy.stop_rule.failure_ratio,
              shown.ShortDebugString());
}

void FuzzBatch(const Request& request, const TaskType* type) {
  const SpecResolver resolver((ServerDefaults()));
  const absl::StatusOr<BatchSpec> resolved =
      vigil::coordinator::ResolveBatch(request.batch(), type, resolver);
  if (!resolved.ok()) return CheckRefused(resolved.status());
  CheckBounds(resolved->job());
  VIGIL_CHECK(
      resolved->max_in_flight() >= 1 &&
          resolved->max_in_flight() <= vigil::coordinator::kBatchInFlightMax,
      resolved->ShortDebugString());
  CheckShowable(*resolved);
  CheckStoredBatch(*resolved);
  JobSpec rest = resolved->job();
  const JobSpec program = vigil::coordinator::TakeProgram(&rest);
  for (const vigil::v1::BatchItem& item : request.items()) {
    const absl::StatusOr<JobSpec> own = vigil::coordinator::ProgramOf(
        program, type, rest.fallback().input(), item);
    if (!own.ok()) {
      CheckRefused(own.status());
      continue;
    }
    // An item's job is one that could have been submitted by itself.
    JobSpec alone = request.batch().job();
    if (own->has_command()) {
      *alone.mutable_command() = own->command();
    }
    *alone.mutable_arguments() = own->arguments();
    if (own->has_input()) alone.set_input(own->input());
    const absl::StatusOr<JobSpec> job = resolver.Resolve(alone, type);
    VIGIL_CHECK(job.ok(), absl::StrCat(job.status().ToString(), "\n",
                                       alone.ShortDebugString()));
    JobSpec whole = rest;
    whole.MergeFrom(*own);
    VIGIL_CHECK(Same(whole, *job),
                absl::StrCat(whole.DebugString(), "\n", job->DebugString()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  vigil::fuzz::QuietErrors quiet;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&quiet);
  // What was read before an error is a request, too.
  Request request;
  parser.ParseFromString(text, &request);
  // What cannot come over the wire is not received.
  if (!Request().ParseFromString(request.SerializeAsString())) return 0;
  // A worker announces what it read from a catalog.
  const bool typed =
      request.has_type() && !vigil::CheckTaskType(request.type()).has_value();
  const TaskType* type = typed ? &request.type() : nullptr;
  if (request.has_job()) {
    JobSpec spec = request.job();
    spec.set_task_type(typed ? request.type().name() : "");
    FuzzJob(spec, type);
  }
  if (request.has_batch()) {
    JobSpec* job = request.mutable_batch()->mutable_job();
    job->set_task_type(typed ? request.type().name() : "");
    FuzzBatch(request, type);
  }
  return 0;
}
