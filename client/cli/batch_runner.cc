#include "client/cli/batch_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/top_format.h"

namespace vigil::cli {
namespace {

// One that was not even sent.
ItemResult Refused(Item item, const absl::Status& status) {
  ItemResult result;
  result.item = std::move(item);
  result.state = "REFUSED";
  result.reason = absl::StatusCodeToString(status.code());
  result.message = std::string(status.message());
  return result;
}

}  // namespace

BatchRunner::BatchRunner(BatchOptions options, client::Client* client,
                         EventQueue* events, const Clock* clock,
                         ItemSource* source, OutputSaver* saver)
    : options_(std::move(options)),
      client_(client),
      events_(events),
      clock_(clock),
      source_(source),
      saver_(saver) {}

bool BatchRunner::finished() const {
  if (abandoned_) return true;
  if (saving_ > 0 || !to_save_.empty()) return false;
  if (begun()) return ended_;
  return stopping_ || (source_->ended() && waiting_.empty());
}

BatchProgress BatchRunner::progress() const {
  BatchProgress progress;
  progress.done = done_ + skipped_;
  progress.read = read_;
  progress.total = source_->total();
  progress.running = std::min(running_, in_flight());
  progress.retried = batch_.counts().retried();
  progress.degraded = batch_.counts().degraded();
  progress.truncated = batch_.counts().truncated();
  if (progress.running == 0 && in_flight() > 0) progress.waits = waits_;
  return progress;
}

bool BatchRunner::WantsItems() const {
  return !stopping_ && !ended_ && !source_->ended() &&
         waiting_.size() < kItemsAheadMax &&
         waiting_bytes_ < kItemsAheadBytesMax;
}

int BatchRunner::Step(absl::Time until) {
  SendSome();
  SaveSome();
  if (finished()) return 0;
  until = std::min(until, AskStatus());
  const int fd = WantsItems() ? source_->fd() : -1;
  const EventQueue::Wakeup wakeup = events_->Wait(until - clock_->Now(), fd);
  if (wakeup.readable) ReadItems();
  return wakeup.signal;
}

void BatchRunner::ReadItems() {
  const size_t before = waiting_.size();
  absl::Status status = source_->ReadSome(&waiting_);
  read_ += static_cast<int64_t>(waiting_.size() - before);
  for (size_t i = before; i < waiting_.size(); ++i) {
    waiting_bytes_ += waiting_[i].text.size();
  }
  if (!status.ok()) FailBatch(status);
}

absl::StatusOr<v1::BatchItem> BatchRunner::ItemFor(const Item& item) const {
  if (!item.error.empty()) return absl::InvalidArgumentError(item.error);
  const v1::JobSpec& spec = options_.open.spec().job();
  v1::BatchItem made;
  auto* words = made.mutable_arguments();
  *words = spec.task_type().empty() ? spec.command().argv() : spec.arguments();
  const bool in_words = PlaceItem(item.text, words);
  bool placed = in_words;
  if (options_.input.has_value()) {
    absl::StatusOr<std::string> input = options_.input->Fill(item.text);
    if (!input.ok()) return input.status();
    made.set_input(*std::move(input));
    placed = placed || options_.input->has_place();
  }
  if (!placed) words->Add(std::string(item.text));
  // As the batch has them.
  if (placed && !in_words) words->Clear();
  return made;
}

void BatchRunner::Begin() {
  client::BatchObserver observer;
  observer.on_event = [this](const v1::BatchEvent& event) {
    events_->Post([this, event]() mutable { OnEvent(std::move(event)); });
  };
  observer.on_retry = [this](const absl::Status& error, absl::Duration) {
    events_->Post([this, error] { NoteRetry(error); });
  };
  observer.on_end = [this](absl::StatusOr<v1::Batch> batch) {
    events_->Post([this, batch = std::move(batch)] { OnEnd(batch); });
  };
  stream_ =
      client_->RunBatch(options_.open, options_.order, std::move(observer));
}

void BatchRunner::SendSome() {
  while (!waiting_.empty() && !stopping_ && !ended_ &&
         to_save_.size() < kSavesWaitingMax &&
         stream_.held_items() < static_cast<int64_t>(kItemsHeldMax) &&
         stream_.held_bytes() < static_cast<int64_t>(kItemsHeldBytesMax)) {
    Item item = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= item.text.size();
    absl::StatusOr<bool> succeeded = options_.resume.Succeeded(item);
    if (!succeeded.ok()) {
      FailBatch(succeeded.status());
      return;
    }
    if (*succeeded) {
      ++skipped_;
      continue;
    }
    absl::StatusOr<v1::BatchItem> made = ItemFor(item);
    if (!made.ok()) {
      Finish(Refused(std::move(item), made.status()));
      continue;
    }
    if (!begun()) Begin();
    stream_.Add(*std::move(made));
    sent_.emplace(next_index_++, std::move(item));
  }
  if (source_->ended() && waiting_.empty()) stream_.Close();
}

void BatchRunner::OnEvent(v1::BatchEvent event) {
  if (event.has_batch()) batch_ = std::move(*event.mutable_batch());
  for (v1::BatchResult& result : *event.mutable_results()) {
    OnResult(std::move(result));
  }
}

void BatchRunner::OnResult(v1::BatchResult result) {
  auto node = sent_.extract(result.index());
  if (node.empty()) {
    FailBatch(absl::InternalError(
        absl::StrCat("the coordinator gave a result of item ", result.index(),
                     " of the batch, which has none to come")));
    return;
  }
  ItemResult ended = ResultOf(std::move(node.mapped()), std::move(result));
  if (saver_ != nullptr && !ended.job.attempts().empty()) {
    to_save_.push_back(std::move(ended));
  } else {
    Finish(ended);
  }
}

void BatchRunner::OnEnd(const absl::StatusOr<v1::Batch>& batch) {
  ended_ = true;
  if (!batch.ok()) {
    FailBatch(batch.status());
    return;
  }
  batch_ = *batch;
  // What did not run has no result.
  sent_.clear();
}

absl::Time BatchRunner::AskStatus() {
  if (!begun() || ended_ || status_asked_) return absl::InfiniteFuture();
  if (clock_->Now() < status_time_) return status_time_;
  status_asked_ = true;
  client_->Call(
      v1::GetStatusRequest(),
      [this](absl::StatusOr<v1::GetStatusResponse> status) {
        events_->Post([this, status = std::move(status)] { OnStatus(status); });
      });
  return absl::InfiniteFuture();
}

void BatchRunner::OnStatus(
    const absl::StatusOr<v1::GetStatusResponse>& status) {
  status_asked_ = false;
  status_time_ = clock_->Now() + kStatusInterval;
  running_ = 0;
  waits_.clear();
  if (!status.ok()) return;
  const v1::JobSpec& spec = options_.open.spec().job();
  for (const v1::GetStatusResponse::Queue& queue : status->queues()) {
    if (queue.task_type() != spec.task_type()) continue;
    running_ = queue.running();
    if (queue.queued() > 0) waits_ = WaitingText(queue.waiting_reason());
  }
}

void BatchRunner::SaveSome() {
  while (!to_save_.empty() && saving_ < kSavesMax && !abandoned_) {
    auto result = std::make_shared<ItemResult>(std::move(to_save_.front()));
    to_save_.pop_front();
    ++saving_;
    saver_->Save(options_.open.namespace_(), result->job.job_id(),
                 result->item.index,
                 [this, result](absl::StatusOr<int64_t> missing_bytes) {
                   --saving_;
                   Finish(*result);
                   if (missing_bytes.ok()) {
                     missing_output_bytes_ += *missing_bytes;
                   } else {
                     FailBatch(missing_bytes.status());
                   }
                 });
  }
}

void BatchRunner::Cancel() {
  if (stopping_) return;
  stopping_ = true;
  waiting_.clear();
  waiting_bytes_ = 0;
  // What it has is all it gets.
  stream_.Close();
  stream_.Cancel();
}

void BatchRunner::Finish(const ItemResult& result) {
  ++done_;
  if (on_result) on_result(result);
}

void BatchRunner::FailBatch(absl::Status status) {
  if (failure_.ok()) failure_ = status;
  Cancel();
  // Nobody can be told, and nobody will tell.
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
      absl::IsCancelled(status)) {
    abandoned_ = true;
  }
}

void BatchRunner::NoteRetry(const absl::Status& error) {
  const absl::Time now = clock_->Now();
  if (now - last_note_ < kNoteInterval) return;
  last_note_ = now;
  if (on_note) {
    on_note(absl::StrCat("lost the coordinator: ", OneLine(error.message()),
                         "; trying again for up to ",
                         HumanDuration(options_.reconnect)));
  }
}

}  // namespace vigil::cli
