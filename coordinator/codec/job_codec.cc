#include "coordinator/codec/job_codec.h"

#include <openssl/sha.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/wire/attempt_wire.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/stored_job.pb.h"

namespace vigil::coordinator {
namespace {

constexpr int kRequestHashVersion = 1;

// Instants that are not known have no form in protobuf: the field is left out.
template <typename Mutable>
void SetTime(absl::Time time, Mutable mutable_field) {
  if (time != absl::InfinitePast() && time != absl::InfiniteFuture()) {
    vigil::ToProto(time, mutable_field());
  }
}

absl::Time GetTime(bool set, const google::protobuf::Timestamp& proto) {
  return set ? FromProto(proto) : absl::InfinitePast();
}

AttemptRecord FromProto(const v1::Attempt& proto, const JobId& job_id) {
  AttemptRecord attempt;
  attempt.number = proto.number();
  attempt.phase = static_cast<Phase>(proto.phase());
  attempt.worker = WorkerId(proto.worker_id());
  attempt.session = SessionId(proto.session_id());
  attempt.assign_time = GetTime(proto.has_assign_time(), proto.assign_time());
  attempt.start_time = GetTime(proto.has_start_time(), proto.start_time());
  attempt.active_time = GetTime(proto.has_active_time(), proto.active_time());
  attempt.end_time = GetTime(proto.has_end_time(), proto.end_time());
  attempt.last_activity_time =
      GetTime(proto.has_last_activity_time(), proto.last_activity_time());
  attempt.retry_time = GetTime(proto.has_retry_time(), proto.retry_time());
  attempt.last.attempt = {job_id, proto.number()};
  attempt.last.tokens = proto.tokens();
  attempt.last.heartbeats = proto.heartbeats();
  attempt.last.stdout_bytes = proto.stdout_bytes();
  attempt.last.stderr_bytes = proto.stderr_bytes();
  attempt.last.longest_silence = vigil::FromProto(proto.longest_silence());
  if (proto.has_progress()) {
    attempt.last.progress = vigil::FromProto(proto.progress());
  }
  if (proto.has_failure()) attempt.failure = vigil::FromProto(proto.failure());
  if (proto.has_exit()) attempt.exit = vigil::FromProto(proto.exit());
  if (proto.has_evidence()) {
    attempt.evidence = vigil::FromProto(proto.evidence());
  }
  attempt.spawn_errno = proto.spawn_errno();
  attempt.charged = proto.charged();
  for (const v1::Failure& observed : proto.observed()) {
    attempt.observed.push_back(vigil::FromProto(observed));
  }
  for (const v1::NestedCall& call : proto.nested_calls()) {
    attempt.last.nested_calls.push_back(vigil::FromProto(call));
  }
  attempt.sequential = proto.sequential();
  attempt.nested_dispatches = proto.nested_dispatches();
  return attempt;
}

}  // namespace

uint64_t StableHash(const std::string& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         digest);
  uint64_t hash;
  std::memcpy(&hash, digest, sizeof(hash));
  return hash;
}

void ToProto(const AttemptRecord& attempt, v1::Attempt* proto) {
  proto->set_number(attempt.number);
  proto->set_phase(static_cast<v1::Attempt::Phase>(attempt.phase));
  proto->set_worker_id(attempt.worker.value());
  proto->set_session_id(attempt.session.value());
  SetTime(attempt.assign_time, [&] { return proto->mutable_assign_time(); });
  SetTime(attempt.start_time, [&] { return proto->mutable_start_time(); });
  SetTime(attempt.active_time, [&] { return proto->mutable_active_time(); });
  SetTime(attempt.end_time, [&] { return proto->mutable_end_time(); });
  SetTime(attempt.last_activity_time,
          [&] { return proto->mutable_last_activity_time(); });
  SetTime(attempt.retry_time, [&] { return proto->mutable_retry_time(); });
  proto->set_tokens(attempt.last.tokens);
  proto->set_heartbeats(attempt.last.heartbeats);
  proto->set_stdout_bytes(attempt.last.stdout_bytes);
  proto->set_stderr_bytes(attempt.last.stderr_bytes);
  vigil::ToProto(attempt.last.longest_silence,
                 proto->mutable_longest_silence());
  if (attempt.last.progress.has_value()) {
    vigil::ToProto(*attempt.last.progress, proto->mutable_progress());
  }
  if (attempt.failure.has_value()) {
    vigil::ToProto(*attempt.failure, proto->mutable_failure());
  }
  if (attempt.exit.has_value()) {
    vigil::ToProto(*attempt.exit, proto->mutable_exit());
  }
  if (attempt.evidence.has_value()) {
    vigil::ToProto(*attempt.evidence, proto->mutable_evidence());
  }
  proto->set_spawn_errno(attempt.spawn_errno);
  proto->set_charged(attempt.charged);
  for (const Failure& observed : attempt.observed) {
    vigil::ToProto(observed, proto->add_observed());
  }
  for (const NestedCall& call : attempt.last.nested_calls) {
    vigil::ToProto(call, proto->add_nested_calls());
  }
  proto->set_sequential(attempt.sequential);
  proto->set_nested_dispatches(attempt.nested_dispatches);
}

v1::Job ToProto(const Job& job, WaitingReason waiting) {
  v1::Job proto;
  proto.set_job_id(job.id.value());
  proto.set_namespace_(job.namespace_);
  proto.mutable_spec()->ParseFromString(job.policy->spec);
  proto.set_state(static_cast<v1::Job::State>(job.state));
  proto.set_waiting_reason(static_cast<v1::Job::WaitingReason>(waiting));
  proto.set_revision(job.revision);
  SetTime(job.create_time, [&] { return proto.mutable_create_time(); });
  SetTime(job.start_time, [&] { return proto.mutable_start_time(); });
  SetTime(job.end_time, [&] { return proto.mutable_end_time(); });
  SetTime(job.retry_time, [&] { return proto.mutable_retry_time(); });
  for (const AttemptRecord& attempt : job.attempts) {
    ToProto(attempt, proto.add_attempts());
  }
  if (job.failure.has_value()) {
    vigil::ToProto(*job.failure, proto.mutable_failure());
  }
  if (job.fallback_failure.has_value()) {
    proto.set_degraded(true);
    vigil::ToProto(*job.fallback_failure, proto.mutable_fallback_failure());
  }
  if (job.truncation.has_value()) {
    proto.set_truncated(true);
    v1::Truncation* truncation = proto.mutable_truncation();
    vigil::ToProto(job.truncation->failure, truncation->mutable_failure());
    truncation->set_chunks_done(job.truncation->chunks_done);
    truncation->set_chunks_total(job.truncation->chunks_total);
  }
  if (job.exit.has_value()) vigil::ToProto(*job.exit, proto.mutable_exit());
  proto.set_cancel_requested(job.cancel_requested);
  proto.set_request_id(job.request_id);
  if (!job.batch.empty()) {
    proto.set_batch_id(job.batch.value());
    proto.set_batch_index(job.batch_index);
  }
  if (job.checkpoint.has_value()) {
    v1::Checkpoint* checkpoint = proto.mutable_checkpoint();
    checkpoint->set_attempt(job.checkpoint->attempt);
    vigil::ToProto(job.checkpoint->time, checkpoint->mutable_time());
    checkpoint->set_size_bytes(job.checkpoint->size_bytes);
  }
  return proto;
}

store::JobRow EncodeRow(const Job& job) {
  StoredJob stored;
  *stored.mutable_job() = ToProto(job, WaitingReason::kUnspecified);
  stored.set_request_hash(job.request_hash);
  stored.set_request_hash_version(kRequestHashVersion);
  stored.set_cancel_on_disconnect(job.policy->cancel_on_disconnect);
  stored.set_charged_attempts(job.charged_attempts);
  stored.set_lost_attempts(job.lost_attempts);
  stored.set_process_failures(job.process_failures);
  if (job.result_bytes.has_value()) {
    stored.set_result_bytes(*job.result_bytes);
  }
  stored.set_last_attempt(job.last_attempt);
  stored.set_sequential(job.sequential);
  vigil::ToProto(job.queue_time, stored.mutable_queue_time());
  store::JobRow row;
  row.job_id = job.id.value();
  row.namespace_id = job.namespace_;
  row.state = static_cast<int>(job.state);
  if (IsFinal(job.state)) row.end_time = job.end_time;
  row.request_id = job.request_id;
  row.value = stored.SerializeAsString();
  return row;
}

std::shared_ptr<const JobPolicy> RowDecoder::PolicyOf() {
  const v1::JobSpec& spec = stored_.job().spec();
  const bool cancel_on_disconnect = stored_.cancel_on_disconnect();
  // Equal bytes are equal specs; the other way round does not matter.
  spec.SerializeToString(&spec_);
  if (last_policy_ == nullptr || spec_ != last_spec_ ||
      last_policy_->cancel_on_disconnect != cancel_on_disconnect) {
    last_policy_ = pool_->Get(spec, cancel_on_disconnect);
    last_spec_.swap(spec_);
  }
  return last_policy_;
}

absl::StatusOr<std::unique_ptr<Job>> RowDecoder::Decode(
    const store::JobRow& row) {
  const StoredJob& stored = stored_;
  if (!stored_.ParseFromString(row.value)) {
    return absl::DataLossError(
        absl::StrCat("the row of job ", row.job_id,
                     " is damaged; restore the database from a backup"));
  }
  const v1::Job& proto = stored.job();
  auto job = std::make_unique<Job>();
  job->id = JobId(row.job_id);
  job->namespace_ = row.namespace_id;
  job->request_id = row.request_id;
  job->request_hash = stored.request_hash();
  job->task_type = proto.spec().task_type();
  job->batch = BatchId(proto.batch_id());
  job->batch_index = proto.batch_index();
  job->policy = PolicyOf();
  job->priority = proto.spec().priority();
  job->state = static_cast<JobState>(proto.state());
  job->revision = proto.revision();
  job->create_time = vigil::FromProto(proto.create_time());
  job->start_time = GetTime(proto.has_start_time(), proto.start_time());
  job->retry_time = GetTime(proto.has_retry_time(), proto.retry_time());
  job->queue_time = vigil::FromProto(stored.queue_time());
  job->cancel_requested = proto.cancel_requested();
  job->charged_attempts = stored.charged_attempts();
  job->lost_attempts = stored.lost_attempts();
  job->process_failures = stored.process_failures();
  job->last_attempt = stored.last_attempt();
  job->sequential = stored.sequential();
  for (const v1::Attempt& attempt : proto.attempts()) {
    job->attempts.push_back(FromProto(attempt, job->id));
  }
  if (proto.has_failure()) job->failure = vigil::FromProto(proto.failure());
  if (proto.has_exit()) job->exit = vigil::FromProto(proto.exit());
  if (proto.has_checkpoint()) {
    const v1::Checkpoint& checkpoint = proto.checkpoint();
    job->checkpoint =
        Checkpoint{checkpoint.attempt(), vigil::FromProto(checkpoint.time()),
                   checkpoint.size_bytes()};
  }
  return job;
}

absl::StatusOr<StoredJobView> ViewRow(const store::JobRow& row) {
  StoredJob stored;
  if (!stored.ParseFromString(row.value)) {
    return absl::DataLossError(
        absl::StrCat("the row of job ", row.job_id,
                     " is damaged; restore the database from a backup"));
  }
  StoredJobView view;
  view.job = std::move(*stored.mutable_job());
  view.request_hash = stored.request_hash();
  if (stored.has_result_bytes()) view.result_bytes = stored.result_bytes();
  return view;
}

void SetResult(std::string bytes, v1::Job* job) {
  if (job->degraded()) {
    v1::JobSpec program;
    program.ParseFromString(bytes);
    job->set_result(
        job->spec().fallback().has_value()
            ? std::move(*program.mutable_fallback()->mutable_value())
            : std::move(*program.mutable_input()));
  } else if (job->state() == v1::Job::STATE_SUCCEEDED) {
    job->set_result(std::move(bytes));
  } else {
    job->set_partial_result(std::move(bytes));
  }
}

}  // namespace vigil::coordinator
