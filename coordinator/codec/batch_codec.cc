#include "coordinator/codec/batch_codec.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/stored_batch.pb.h"

namespace vigil::coordinator {
namespace {

// As of jobs.
constexpr int kRequestHashVersion = 1;

absl::StatusOr<StoredBatch> Parse(const store::BatchRow& row) {
  StoredBatch stored;
  if (!stored.ParseFromString(row.value)) {
    return absl::DataLossError(
        absl::StrCat("the row of batch ", row.batch_id,
                     " is damaged; restore the database from a backup"));
  }
  return stored;
}

}  // namespace

v1::Batch ToProto(const Batch& batch) {
  v1::Batch proto;
  proto.set_batch_id(batch.id.value());
  proto.set_namespace_(batch.namespace_);
  proto.mutable_spec()->ParseFromString(batch.policy.spec);
  proto.set_state(static_cast<v1::Batch::State>(batch.state));
  proto.set_revision(batch.revision);
  vigil::ToProto(batch.create_time, proto.mutable_create_time());
  if (batch.state == BatchState::kEnded) {
    vigil::ToProto(batch.end_time, proto.mutable_end_time());
  }
  if (batch.policy.schedule_to_close != absl::InfiniteDuration()) {
    vigil::ToProto(batch.create_time + batch.policy.schedule_to_close,
                   proto.mutable_deadline_time());
  }
  v1::BatchCounts* counts = proto.mutable_counts();
  counts->set_accepted(batch.accepted);
  counts->set_in_flight(batch.in_flight());
  counts->set_succeeded(batch.succeeded);
  counts->set_degraded(batch.degraded);
  counts->set_truncated(batch.truncated);
  counts->set_retried(batch.retried);
  counts->set_failed(batch.failed);
  counts->set_cancelled(batch.cancelled);
  counts->set_refused(batch.refused);
  counts->set_not_run(batch.not_run());
  proto.set_stop_cause(static_cast<v1::Batch::StopCause>(batch.stop_cause));
  proto.set_stop_message(batch.stop_message);
  proto.set_partial(batch.state == BatchState::kEnded && batch.partial());
  proto.set_request_id(batch.request_id);
  for (const auto& [reason, items] : batch.reasons) {
    v1::Batch::ReasonCount* count = proto.add_reasons();
    count->set_reason(static_cast<v1::Failure::Reason>(reason));
    count->set_items(items);
  }
  std::stable_sort(
      proto.mutable_reasons()->begin(), proto.mutable_reasons()->end(),
      [](const v1::Batch::ReasonCount& a, const v1::Batch::ReasonCount& b) {
        return a.items() > b.items();
      });
  return proto;
}

BatchPolicy PolicyOf(const v1::BatchSpec& spec, bool streamed) {
  BatchPolicy policy;
  policy.max_in_flight = spec.max_in_flight();
  if (spec.has_schedule_to_close_timeout()) {
    policy.schedule_to_close =
        vigil::FromProto(spec.schedule_to_close_timeout());
  }
  policy.stop_rule = {spec.stop_rule().failures(),
                      spec.stop_rule().consecutive_failures(),
                      spec.stop_rule().failure_ratio()};
  policy.streamed = streamed;
  policy.spec = spec.SerializeAsString();
  return policy;
}

v1::JobSpec TakeProgram(v1::JobSpec* spec) {
  v1::JobSpec program;
  if (spec->has_command()) {
    program.mutable_command()->Swap(spec->mutable_command());
    spec->clear_command();
  }
  program.mutable_arguments()->Swap(spec->mutable_arguments());
  if (spec->has_input()) {
    program.set_input(std::move(*spec->mutable_input()));
    spec->clear_input();
  }
  if (spec->fallback().has_value()) {
    program.mutable_fallback()->set_value(
        std::move(*spec->mutable_fallback()->mutable_value()));
    spec->mutable_fallback()->set_value("");
  }
  return program;
}

void ToProto(const absl::Status& refusal, v1::BatchResult::Refusal* proto) {
  proto->set_code(static_cast<int>(refusal.code()));
  proto->set_message(std::string(refusal.message()));
}

store::BatchRow EncodeBatchRow(const Batch& batch, const v1::Batch& proto) {
  StoredBatch stored;
  *stored.mutable_batch() = proto;
  stored.set_request_hash(batch.request_hash);
  stored.set_request_hash_version(kRequestHashVersion);
  stored.set_streamed(batch.policy.streamed);
  stored.set_started(batch.started);
  stored.set_consecutive_failures(batch.consecutive_failures);
  store::BatchRow row;
  row.batch_id = batch.id.value();
  row.namespace_id = batch.namespace_;
  if (batch.state == BatchState::kEnded) row.end_time = batch.end_time;
  row.request_id = batch.request_id;
  row.value = stored.SerializeAsString();
  return row;
}

absl::StatusOr<std::unique_ptr<Batch>> DecodeBatchRow(
    const store::BatchRow& row) {
  absl::StatusOr<StoredBatch> stored = Parse(row);
  if (!stored.ok()) return stored.status();
  const v1::Batch& proto = stored->batch();
  auto batch = std::make_unique<Batch>();
  batch->id = BatchId(row.batch_id);
  batch->namespace_ = row.namespace_id;
  batch->request_id = row.request_id;
  batch->request_hash = stored->request_hash();
  batch->policy = PolicyOf(proto.spec(), stored->streamed());
  batch->state = static_cast<BatchState>(proto.state());
  batch->revision = proto.revision();
  batch->create_time = vigil::FromProto(proto.create_time());
  batch->stop_cause = static_cast<StopCause>(proto.stop_cause());
  batch->stop_message = proto.stop_message();
  const v1::BatchCounts& counts = proto.counts();
  batch->accepted = counts.accepted();
  batch->started = stored->started();
  batch->succeeded = counts.succeeded();
  batch->degraded = counts.degraded();
  batch->truncated = counts.truncated();
  batch->retried = counts.retried();
  batch->failed = counts.failed();
  batch->cancelled = counts.cancelled();
  batch->refused = counts.refused();
  batch->consecutive_failures = stored->consecutive_failures();
  for (const v1::Batch::ReasonCount& count : proto.reasons()) {
    batch->reasons[static_cast<Reason>(count.reason())] = count.items();
  }
  return batch;
}

absl::StatusOr<StoredBatchView> ViewBatchRow(const store::BatchRow& row) {
  absl::StatusOr<StoredBatch> stored = Parse(row);
  if (!stored.ok()) return stored.status();
  StoredBatchView view;
  view.batch = std::move(*stored->mutable_batch());
  view.request_hash = stored->request_hash();
  view.streamed = stored->streamed();
  return view;
}

store::ItemRow EncodeItemEnd(const ItemEnd& end) {
  StoredItemEnd stored;
  if (end.job.empty()) {
    ToProto(end.refusal, stored.mutable_refusal());
  } else {
    stored.set_job_id(end.job.value());
  }
  return {end.batch.value(), end.index, end.number, stored.SerializeAsString()};
}

}  // namespace vigil::coordinator
