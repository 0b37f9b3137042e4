#include "coordinator/core/batch_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"

namespace vigil::coordinator {

Batch* BatchTable::Find(const BatchId& id) const {
  const auto it = batches_.find(id);
  return it == batches_.end() ? nullptr : it->second.get();
}

void BatchTable::Save(Batch* batch, Effects* fx) {
  ++batch->revision;
  fx->save_batches.push_back(batch->id);
}

void BatchTable::UpdateDeadline(Batch* batch) {
  const bool runs =
      batch->state == BatchState::kOpen || batch->state == BatchState::kClosed;
  deadlines_.Set(batch, runs ? std::min(batch->owner_deadline,
                                        batch->create_time +
                                            batch->policy.schedule_to_close)
                             : absl::InfiniteFuture());
}

Batch* BatchTable::Create(std::unique_ptr<Batch> owned, absl::Time now,
                          Effects* fx) {
  Batch* batch = owned.get();
  batch->create_time = now;
  VIGIL_CHECK(batches_.try_emplace(batch->id, std::move(owned)).second,
              batch->id.value());
  UpdateDeadline(batch);
  Save(batch, fx);
  return batch;
}

void BatchTable::Restore(std::unique_ptr<Batch> owned, absl::Time now) {
  Batch* batch = owned.get();
  VIGIL_CHECK(batch->state != BatchState::kEnded, batch->id.value());
  VIGIL_CHECK(batches_.try_emplace(batch->id, std::move(owned)).second,
              batch->id.value());
  if (batch->policy.streamed) {
    batch->owner_deadline = now + kOwnerGrace;
  }
  if (batch->state == BatchState::kStopping) stopped_.push_back(batch->id);
  UpdateDeadline(batch);
}

void BatchTable::RestoreJob(const Job& job) {
  Batch* batch = Find(job.batch);
  VIGIL_CHECK(batch != nullptr, job.id.value());
  batch->live[job.batch_index] = job.id;
}

std::unique_ptr<Batch> BatchTable::Forget(const BatchId& id) {
  const auto it = batches_.find(id);
  if (it == batches_.end() || it->second->state != BatchState::kEnded) {
    return nullptr;
  }
  std::unique_ptr<Batch> batch = std::move(it->second);
  batches_.erase(it);
  return batch;
}

void BatchTable::Accept(Batch* batch, int64_t items, Effects* fx) {
  VIGIL_CHECK(batch->state == BatchState::kOpen, batch->id.value());
  batch->accepted += items;
  Save(batch, fx);
}

void BatchTable::Start(Batch* batch, const JobId& job, Effects* fx) {
  VIGIL_CHECK(batch->room() > 0 && batch->started < batch->accepted,
              batch->id.value());
  batch->live[batch->started++] = job;
  Save(batch, fx);
}

void BatchTable::Refuse(Batch* batch, absl::Status why, absl::Time now,
                        Effects* fx) {
  VIGIL_CHECK(batch->started < batch->accepted, batch->id.value());
  ItemEnd end{batch->id, batch->started++, 0, JobId(), std::move(why)};
  ++batch->refused;
  ItemEnded(batch, std::move(end), true, now, fx);
}

void BatchTable::JobEnded(const Job& job, absl::Time now, Effects* fx) {
  Batch* batch = Find(job.batch);
  VIGIL_CHECK(batch != nullptr && batch->live.erase(job.batch_index) == 1,
              job.id.value());
  const std::optional<Failure>& failure =
      job.fallback_failure.has_value() ? job.fallback_failure : job.failure;
  if (job.state == JobState::kSucceeded) {
    ++batch->succeeded;
    if (job.fallback_failure.has_value()) {
      ++batch->degraded;
    } else if (job.truncation.has_value()) {
      ++batch->truncated;
    } else if (job.retry_cured()) {
      ++batch->retried;
    }
  } else if (job.state == JobState::kFailed) {
    ++batch->failed;
  } else {
    ++batch->cancelled;
  }
  if (failure.has_value() && job.state != JobState::kCancelled) {
    ++batch->reasons[failure->reason];
  }
  ItemEnded(batch, {batch->id, job.batch_index, 0, job.id, {}},
            job.state == JobState::kFailed, now, fx);
}

void BatchTable::ItemEnded(Batch* batch, ItemEnd end, bool failed,
                           absl::Time now, Effects* fx) {
  batch->consecutive_failures = failed ? batch->consecutive_failures + 1 : 0;
  end.number = batch->ended();
  fx->item_ends.push_back(std::move(end));
  Save(batch, fx);
  EndIfDone(batch, now, fx);
  ApplyStopRule(batch, fx);
}

void BatchTable::ApplyStopRule(Batch* batch, Effects* fx) {
  const StopRule& rule = batch->policy.stop_rule;
  const int64_t failures = batch->failed + batch->refused;
  if (rule.failures > 0 && failures >= rule.failures) {
    Stop(batch, StopCause::kStopRule,
         absl::StrCat(failures, " items failed (stop_rule.failures)"), fx);
  } else if (rule.consecutive_failures > 0 &&
             batch->consecutive_failures >= rule.consecutive_failures) {
    Stop(batch, StopCause::kStopRule,
         absl::StrCat(batch->consecutive_failures,
                      " items failed one after the other "
                      "(stop_rule.consecutive_failures)"),
         fx);
  } else if (rule.failure_ratio > 0 && batch->ended() >= kStopRatioItemsMin &&
             static_cast<double>(failures) >
                 rule.failure_ratio * static_cast<double>(batch->ended())) {
    Stop(batch, StopCause::kStopRule,
         absl::StrFormat("%d of the %d items that ended failed, more than "
                         "%g (stop_rule.failure_ratio)",
                         failures, batch->ended(), rule.failure_ratio),
         fx);
  }
}

void BatchTable::Close(Batch* batch, absl::Time now, Effects* fx) {
  if (batch->state != BatchState::kOpen) return;
  batch->state = BatchState::kClosed;
  Save(batch, fx);
  EndIfDone(batch, now, fx);
}

void BatchTable::Stop(Batch* batch, StopCause cause, std::string message,
                      Effects* fx) {
  if (batch->state != BatchState::kOpen &&
      batch->state != BatchState::kClosed) {
    return;
  }
  batch->state = BatchState::kStopping;
  batch->stop_cause = cause;
  batch->stop_message = std::move(message);
  stopped_.push_back(batch->id);
  UpdateDeadline(batch);
  Save(batch, fx);
}

int64_t BatchTable::OwnerBack(Batch* batch) {
  batch->owner = ++last_owner_;
  batch->owner_deadline = absl::InfiniteFuture();
  UpdateDeadline(batch);
  return batch->owner;
}

void BatchTable::OwnerGone(Batch* batch, int64_t owner, absl::Time now) {
  if (!batch->policy.streamed || batch->owner != owner) return;
  batch->owner_deadline = now + kOwnerGrace;
  UpdateDeadline(batch);
}

void BatchTable::GrantStall(absl::Duration stall) {
  for (const auto& [id, batch] : batches_) {
    if (batch->owner_deadline == absl::InfiniteFuture()) continue;
    batch->owner_deadline += stall;
    UpdateDeadline(batch.get());
  }
}

void BatchTable::ApplyDeadlines(absl::Time now, Effects* fx) {
  while (Batch* batch = deadlines_.PopDue(now)) {
    if (batch->create_time + batch->policy.schedule_to_close <= now) {
      Stop(batch, StopCause::kDeadline,
           absl::StrFormat(
               "not done %s after it was made (schedule_to_close_timeout)",
               absl::FormatDuration(batch->policy.schedule_to_close)),
           fx);
    } else {
      Stop(batch, StopCause::kDisconnected,
           absl::StrFormat("its RunBatch stream broke, and no other took it up "
                           "within %s",
                           absl::FormatDuration(kOwnerGrace)),
           fx);
    }
  }
}

Batch* BatchTable::TakeStopped() {
  while (!stopped_.empty()) {
    Batch* batch = Find(stopped_.back());
    stopped_.pop_back();
    if (batch != nullptr) return batch;
  }
  return nullptr;
}

void BatchTable::EndIfDone(Batch* batch, absl::Time now, Effects* fx) {
  const bool all_started =
      batch->state == BatchState::kClosed && batch->started == batch->accepted;
  if (!all_started && batch->state != BatchState::kStopping) return;
  if (!batch->live.empty()) return;
  batch->state = BatchState::kEnded;
  batch->end_time = now;
  UpdateDeadline(batch);
  Save(batch, fx);
}

void BatchTable::CheckInvariants() const {
  for (const auto& [id, batch] : batches_) {
    const std::string& name = id.value();
    VIGIL_CHECK(batch->started <= batch->accepted, name);
    VIGIL_CHECK(batch->in_flight() <= batch->policy.max_in_flight, name);
    // Every item that started has one outcome, or is a job.
    VIGIL_CHECK(batch->ended() + batch->in_flight() == batch->started, name);
    VIGIL_CHECK(
        batch->degraded + batch->truncated + batch->retried <= batch->succeeded,
        name);
    VIGIL_CHECK(batch->state != BatchState::kEnded || batch->live.empty(),
                name);
    VIGIL_CHECK(batch->state == BatchState::kEnded ||
                    batch->partial() == (batch->state == BatchState::kStopping),
                name);
  }
}

}  // namespace vigil::coordinator
