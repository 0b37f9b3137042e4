// Batches: what they ask of the jobs. What they are is BatchTable's.
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "coordinator/core/core.h"

namespace vigil::coordinator {

void Core::RestoreBatch(std::unique_ptr<Batch> batch, absl::Time now) {
  batches_.Restore(std::move(batch), now);
}

absl::StatusOr<const Batch*> Core::CreateBatch(NewBatch submission,
                                               absl::Time now, Effects* fx) {
  const int64_t live = static_cast<int64_t>(batches_.batches().size());
  if (live >= kLiveBatchesMax) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "%d batches have not ended, which is the most this coordinator holds; "
        "try again in %s",
        live, absl::FormatDuration(kAdmissionRetryDelay)));
  }
  auto batch = std::make_unique<Batch>();
  batch->id = std::move(submission.id);
  batch->namespace_ = std::move(submission.namespace_);
  batch->request_id = std::move(submission.request_id);
  batch->request_hash = submission.request_hash;
  batch->policy = std::move(submission.policy);
  return batches_.Create(std::move(batch), now, fx);
}

void Core::AcceptItems(const BatchId& id, int64_t items, Effects* fx) {
  Batch* batch = batches_.Find(id);
  if (batch != nullptr && batch->state == BatchState::kOpen) {
    batches_.Accept(batch, items, fx);
  }
}

absl::StatusOr<const Job*> Core::StartItem(const BatchId& id, NewJob submission,
                                           absl::Time now, Effects* fx) {
  Batch* batch = batches_.Find(id);
  VIGIL_CHECK(batch != nullptr && batch->room() > 0, id.value());
  absl::StatusOr<Job*> job = Admit(std::move(submission), batch, now, fx);
  if (job.ok()) batches_.Start(batch, (*job)->id, fx);
  return job;
}

void Core::RefuseItem(const BatchId& id, absl::Status why, absl::Time now,
                      Effects* fx) {
  Batch* batch = batches_.Find(id);
  VIGIL_CHECK(batch != nullptr && batch->room() > 0, id.value());
  batches_.Refuse(batch, std::move(why), now, fx);
}

void Core::CloseBatch(const BatchId& id, absl::Time now, Effects* fx) {
  Batch* batch = batches_.Find(id);
  if (batch != nullptr) batches_.Close(batch, now, fx);
}

void Core::CancelBatch(const BatchId& id, Effects* fx) {
  Batch* batch = batches_.Find(id);
  if (batch == nullptr) return;
  batches_.Stop(batch, StopCause::kCancelled, "a client cancelled it", fx);
}

int64_t Core::BatchOwnerBack(const BatchId& id) {
  Batch* batch = batches_.Find(id);
  return batch == nullptr ? 0 : batches_.OwnerBack(batch);
}

void Core::BatchOwnerGone(const BatchId& id, int64_t owner, absl::Time now) {
  Batch* batch = batches_.Find(id);
  if (batch != nullptr) batches_.OwnerGone(batch, owner, now);
}

std::unique_ptr<Batch> Core::ForgetBatch(const BatchId& id) {
  return batches_.Forget(id);
}

void Core::StopBatches(absl::Time now, Effects* fx) {
  while (Batch* batch = batches_.TakeStopped()) {
    // A copy: a job that waits ends at once, and leaves the batch.
    std::vector<JobId> jobs;
    for (const auto& [index, id] : batch->live) jobs.push_back(id);
    for (const JobId& id : jobs) RequestCancel(FindMutable(id), now, fx);
    batches_.EndIfDone(batch, now, fx);
  }
}

}  // namespace vigil::coordinator
