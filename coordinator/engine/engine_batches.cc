// Batches: items from the store to the core, and what became of them to the
// store and to those who watch.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "coordinator/codec/batch_codec.h"
#include "coordinator/codec/batch_resolver.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/codec/stored_batch.pb.h"
#include "coordinator/engine/engine.h"

namespace vigil::coordinator {

// Items of one batch that wait, as read from the store.
struct Engine::ItemPage {
  absl::Status status;
  std::vector<store::ItemRow> rows;
};

Engine::Feed Engine::FeedOf(const v1::JobSpec& job, v1::JobSpec program,
                            std::shared_ptr<const JobPolicy> policy) {
  Feed feed;
  feed.policy = std::move(policy);
  feed.task_type = job.task_type();
  feed.priority = job.priority();
  feed.program = std::move(program);
  feed.program_bytes = static_cast<int64_t>(feed.program.ByteSizeLong());
  feed.needs_input = job.fallback().input();
  return feed;
}

absl::Status Engine::LoadBatches(store::StoreView* view) {
  std::vector<store::BatchRow> rows;
  absl::Status status = view->LoadLiveBatches(
      [&](store::BatchRow row) { rows.push_back(std::move(row)); });
  if (!status.ok()) return status;
  for (const store::BatchRow& row : rows) {
    absl::StatusOr<std::unique_ptr<Batch>> batch = DecodeBatchRow(row);
    if (!batch.ok()) return batch.status();
    absl::StatusOr<std::optional<std::string>> payload =
        view->GetPayload(row.batch_id);
    if (!payload.ok()) return payload.status();
    v1::BatchSpec spec;
    v1::JobSpec program;
    if (!spec.ParseFromString((*batch)->policy.spec) ||
        !program.ParseFromString(payload->value_or(""))) {
      return absl::DataLossError(
          absl::StrCat("the program of batch ", row.batch_id,
                       " is damaged; restore the database from a backup"));
    }
    Feed& feed = feeds_[(*batch)->id];
    feed = FeedOf(spec.job(), std::move(program),
                  policies_.Get(spec.job(), false));
    feed.durable_items = (*batch)->accepted;
    feed.durable_started = (*batch)->started;
    core_->RestoreBatch(*std::move(batch), now_);
  }
  return absl::OkStatus();
}

absl::StatusOr<const Batch*> Engine::CreateBatch(BatchSubmission submission) {
  if (absl::Status status = CanAccept(submission.namespace_); !status.ok()) {
    return status;
  }
  NewBatch batch;
  batch.id = BatchId(ids_.Next(now_).value());
  batch.namespace_ = submission.namespace_;
  batch.request_id = std::move(submission.request_id);
  batch.request_hash = submission.request_hash;
  v1::BatchSpec& spec = submission.spec;
  std::shared_ptr<const JobPolicy> policy = policies_.Get(spec.job(), false);
  v1::JobSpec program = TakeProgram(spec.mutable_job());
  batch.policy = PolicyOf(spec, submission.streamed);
  const BatchId id = batch.id;
  absl::StatusOr<const Batch*> created =
      core_->CreateBatch(std::move(batch), now_, &turn_);
  if (!created.ok()) {
    return Refuse(Limit::kLiveBatches, submission.namespace_, created.status());
  }
  gathering_.batch.payloads.push_back(
      {id.value(), program.SerializeAsString()});
  feeds_[id] = FeedOf(spec.job(), std::move(program), std::move(policy));
  return created;
}

absl::Status Engine::AddItems(
    const BatchId& id,
    google::protobuf::RepeatedPtrField<v1::BatchItem> items) {
  const Batch* batch = core_->FindBatch(id);
  VIGIL_CHECK(batch != nullptr && batch->state == BatchState::kOpen,
              id.value());
  if (absl::Status status = CanAccept(batch->namespace_); !status.ok()) {
    return status;
  }
  if (batch->accepted - batch->started + items.size() > kBatchPendingMax) {
    return Refuse(Limit::kStoredItems, batch->namespace_,
                  absl::ResourceExhaustedError(absl::StrCat(
                      batch->accepted - batch->started, " items of batch ",
                      id.value(), " have not started, and at most ",
                      kBatchPendingMax, " may wait; add more when some have")));
  }
  int64_t index = batch->accepted;
  for (const v1::BatchItem& item : items) {
    gathering_.batch.items.push_back(
        {id.value(), index++, std::nullopt, item.SerializeAsString()});
  }
  core_->AcceptItems(id, items.size(), &turn_);
  return absl::OkStatus();
}

absl::Status Engine::TakeItem(const BatchId& id, v1::BatchItem item) {
  const std::string& name_space = core_->FindBatch(id)->namespace_;
  if (absl::Status status = CanAccept(name_space); !status.ok()) return status;
  if (absl::Status status = core_->CanAdmit(); !status.ok()) {
    return Refuse(Limit::kLiveJobs, name_space, std::move(status));
  }
  core_->AcceptItems(id, 1, &turn_);
  return StartItem(id, std::move(item));
}

absl::Status Engine::StartItem(const BatchId& id, v1::BatchItem item) {
  const Feed& feed = feeds_.at(id);
  absl::StatusOr<v1::JobSpec> program =
      ProgramOf(feed.program,
                feed.task_type.empty() ? nullptr : FindTaskType(feed.task_type),
                feed.needs_input, std::move(item));
  if (!program.ok()) {
    core_->RefuseItem(id, program.status(), now_, &turn_);
    return absl::OkStatus();
  }
  NewJob job;
  job.id = ids_.Next(now_);
  job.namespace_ = core_->FindBatch(id)->namespace_;
  job.task_type = feed.task_type;
  job.priority = feed.priority;
  job.policy = feed.policy;
  const JobId job_id = job.id;
  absl::StatusOr<const Job*> started =
      core_->StartItem(id, std::move(job), now_, &turn_);
  if (!started.ok()) return started.status();
  KeepProgram(job_id, *program);
  return absl::OkStatus();
}

void Engine::FeedBatches() {
  if (!accepts_) return;
  feed_time_ = absl::InfiniteFuture();
  for (auto& [id, feed] : feeds_) {
    const Batch* batch = core_->FindBatch(id);
    if (batch == nullptr || batch->policy.streamed || feed.reading ||
        feed.durable_started != batch->started) {
      continue;
    }
    const int64_t items =
        std::min({batch->room(), feed.durable_items - batch->started,
                  kFeedItemsMax, 1 + kFeedBytesMax / (1 + feed.program_bytes)});
    if (items <= 0) continue;
    if (feed.not_before > now_) {
      feed_time_ = std::min(feed_time_, feed.not_before);
      continue;
    }
    feed.reading = true;
    ReadItems(id, batch->started, items);
  }
}

void Engine::ReadItems(const BatchId& id, int64_t index, int64_t items) {
  auto page = std::make_shared<ItemPage>();
  const bool queued = Read(
      [id, index, items, page](store::StoreView& view) {
        int64_t bytes = 0;
        page->status =
            view.ReadItems(id.value(), index, [&](store::ItemRow row) {
              bytes += static_cast<int64_t>(row.value.size());
              page->rows.push_back(std::move(row));
              return static_cast<int64_t>(page->rows.size()) < items &&
                             bytes < kFeedBytesMax
                         ? store::Visit::kContinue
                         : store::Visit::kStop;
            });
      },
      [this, id, page] { TakePage(id, *page); });
  if (queued) return;
  page->status = absl::ResourceExhaustedError("too many reads wait");
  post_([this, id, page] { TakePage(id, *page); });
}

void Engine::LoseItem(const BatchId& id) {
  core_->RefuseItem(id, absl::DataLossError("the item is damaged in the store"),
                    now_, &turn_);
}

void Engine::TakePage(const BatchId& id, const ItemPage& page) {
  const auto it = feeds_.find(id);
  if (it == feeds_.end()) return;
  it->second.reading = false;
  absl::Status status = page.status;
  const Batch* waiting = core_->FindBatch(id);
  if (status.ok() && page.rows.empty() && waiting != nullptr &&
      waiting->room() > 0) {
    LoseItem(id);
  }
  for (const store::ItemRow& row : page.rows) {
    const Batch* batch = core_->FindBatch(id);
    // Others may have taken the room meanwhile, or the batch was stopped.
    if (batch == nullptr || batch->room() <= 0 || !status.ok()) break;
    v1::BatchItem item;
    if (row.index != batch->started || !item.ParseFromString(row.value)) {
      // Not in the store as it was put there: one item is lost, not the batch.
      core_->RefuseItem(id,
                        absl::DataLossError("the item is damaged in the store"),
                        now_, &turn_);
      break;
    }
    status = StartItem(id, std::move(item));
  }
  if (status.ok()) return;
  it->second.not_before = now_ + kAdmissionRetryDelay;
  if (!absl::IsResourceExhausted(status)) {
    Log(LogSeverity::kError,
        absl::StrCat("the items of batch ", id.value(),
                     " cannot be read: ", status.ToString()));
  }
}

void Engine::FillBatches(Gathering* gathered) const {
  for (const BatchId& id : gathered->dirty_batches) {
    const Batch* batch = core_->FindBatch(id);
    VIGIL_CHECK(batch != nullptr, id.value());
    auto proto = std::make_shared<const v1::Batch>(ToProto(*batch));
    gathered->batch.batches.push_back(EncodeBatchRow(*batch, *proto));
    gathered->news[id].batch = std::move(proto);
  }
  for (const ItemEnd& end : gathered->item_ends) {
    gathered->batch.items.push_back(EncodeItemEnd(end));
    if (!batch_hub_.Watched(end.batch)) continue;
    auto result = std::make_shared<v1::BatchResult>();
    result->set_index(end.index);
    bool in_store = false;
    if (end.job.empty()) {
      ToProto(end.refusal, result->mutable_refusal());
    } else {
      const Job* job = core_->FindJob(end.job);
      VIGIL_CHECK(job != nullptr, end.job.value());
      const Shown shown = Show(*job, *gathered);
      in_store = shown.result_in_store;
      result->mutable_job()->Swap(shown.job.get());
      result->mutable_job()->clear_spec();
    }
    BatchNews& news = gathered->news[end.batch];
    if (news.results.empty()) news.first_end_number = end.number;
    news.results.push_back(in_store ? nullptr : std::move(result));
  }
}

void Engine::SettleBatches(const Gathering& gathered) {
  for (const auto& [id, news] : gathered.news) {
    const auto feed = feeds_.find(id);
    if (feed != feeds_.end()) {
      const v1::BatchCounts& counts = news.batch->counts();
      feed->second.durable_items = counts.accepted();
      feed->second.durable_started = counts.in_flight() + counts.succeeded() +
                                     counts.failed() + counts.cancelled() +
                                     counts.refused();
    }
    for (BatchWatcher* watcher : batch_hub_.Of(id)) watcher->OnNews(news);
  }
  // A later batch may not have it: ended once, it changes no more.
  for (const auto& [id, news] : gathered.news) {
    if (news.batch->state() != v1::Batch::STATE_ENDED) continue;
    recorder_.BatchEnded(*news.batch, now_);
    core_->ForgetBatch(id);
    feeds_.erase(id);
  }
}

absl::StatusOr<v1::BatchResult> Engine::ReadItemEnd(store::StoreView* view,
                                                    const store::ItemRow& row) {
  StoredItemEnd end;
  if (!end.ParseFromString(row.value)) {
    return absl::DataLossError(absl::StrCat(
        "item ", row.index, " of batch ", row.batch_id,
        " is damaged in the store; restore the database from a backup"));
  }
  v1::BatchResult result;
  result.set_index(row.index);
  if (end.has_refusal()) {
    *result.mutable_refusal() = end.refusal();
    return result;
  }
  absl::StatusOr<std::optional<store::JobRow>> job_row =
      view->GetJob(end.job_id());
  if (!job_row.ok()) return job_row.status();
  if (!job_row->has_value()) {
    result.set_expired_job_id(end.job_id());
    return result;
  }
  absl::StatusOr<StoredJobView> stored = ViewRow(**job_row);
  if (!stored.ok()) return stored.status();
  v1::Job* job = result.mutable_job();
  *job = std::move(stored->job);
  if (job->degraded() || stored->result_bytes.value_or(-1) >= 0) {
    absl::StatusOr<std::optional<std::string>> bytes =
        ReadResult(view, end.job_id(), job->degraded());
    if (!bytes.ok()) return bytes.status();
    if (bytes->has_value()) SetResult(*std::move(*bytes), job);
  }
  job->clear_spec();
  return result;
}

}  // namespace vigil::coordinator
