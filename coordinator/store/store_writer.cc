#include "coordinator/store/store_writer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace vigil::store {

StoreWriter::StoreWriter(std::unique_ptr<Store> store, Callbacks callbacks,
                         const Options& options)
    : store_(std::move(store)),
      callbacks_(std::move(callbacks)),
      options_(options),
      thread_([this] { Run(); }) {
  VIGIL_CHECK(
      callbacks_.on_committed && callbacks_.on_stalled && callbacks_.on_deleted,
      "a callback is not set");
}

StoreWriter::~StoreWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  sleeper_.Wake();
  thread_.join();
}

void StoreWriter::Commit(Batch batch, uint64_t number) {
  absl::MutexLock lock(&mutex_);
  VIGIL_CHECK(queue_.size() < kQueuedBatchesMax, "too many batches in flight");
  queue_.push_back({std::move(batch), number});
}

void StoreWriter::Retain(const Retention& retention) {
  absl::MutexLock lock(&mutex_);
  retention_ = retention;
}

void StoreWriter::Run() {
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !queue_.empty() || retention_.has_value() || stopping_;
  };
  for (;;) {
    bool batch_waits = false;
    std::optional<Retention> retention;
    {
      absl::MutexLock lock(&mutex_);
      if (!delete_before_.has_value()) {
        mutex_.Await(absl::Condition(&has_work));
      }
      batch_waits = !queue_.empty();
      if (!batch_waits && stopping_) return;
      if (!batch_waits) retention = std::exchange(retention_, std::nullopt);
    }
    if (batch_waits) {
      CommitFront();
    } else if (retention.has_value()) {
      BeginRetention(*retention);
    } else {
      RetentionStep();
    }
  }
}

void StoreWriter::CommitFront() {
  const Numbered* front = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    // A deque does not move its elements while others are added behind.
    front = &queue_.front();
  }
  const uint64_t number = front->number;
  if (failure_.ok()) failure_ = CommitOrWait(front->batch);
  {
    absl::MutexLock lock(&mutex_);
    queue_.pop_front();
  }
  callbacks_.on_committed(number, failure_);
}

absl::Status StoreWriter::CommitOrWait(const Batch& batch) {
  absl::Status status = store_->Commit(batch);
  if (!absl::IsUnavailable(status)) return status;
  callbacks_.on_stalled(status);
  for (;;) {
    const bool stopping = sleeper_.Sleep(options_.retry_interval);
    status = store_->Commit(batch);
    if (status.ok()) callbacks_.on_stalled(status);
    if (!absl::IsUnavailable(status) || stopping) return status;
  }
}

void StoreWriter::BeginRetention(const Retention& retention) {
  if (!failure_.ok()) return;
  absl::StatusOr<absl::Time> cutoff =
      store_->view().RetentionCutoff(retention.ended_jobs_max);
  if (!cutoff.ok()) return EndRetention(cutoff.status());
  delete_before_ = std::max(*cutoff, retention.end_before);
}

void StoreWriter::RetentionStep() {
  absl::StatusOr<Store::Deleted> deleted =
      store_->DeleteEnded(*delete_before_, options_.retention_rows_max);
  if (!deleted.ok()) return EndRetention(deleted.status());
  if (!deleted->jobs.empty()) callbacks_.on_deleted(std::move(deleted->jobs));
  if (!deleted->more) EndRetention(absl::OkStatus());
}

void StoreWriter::EndRetention(const absl::Status& status) {
  delete_before_.reset();
  if (!absl::IsUnavailable(status)) failure_ = status;
}

}  // namespace vigil::store
