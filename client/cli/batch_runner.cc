#include "client/cli/batch_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/wire/time_wire.h"
#include "client/cli/format.h"
#include "client/cli/status_format.h"

namespace vigil::cli {
namespace {

// The label by which the jobs of a batch can be listed.
constexpr char kBatchLabel[] = "vigil-batch";

// How long to wait after a refusal that gives no time of its own.
constexpr absl::Duration kRefusedDelay = absl::Milliseconds(200);

// At most one note on lost connections in this time.
constexpr absl::Duration kNoteInterval = absl::Seconds(5);

absl::Status StatusOf(const v1::SubmitJobsResponse::Refusal& refusal) {
  return absl::Status(static_cast<absl::StatusCode>(refusal.code()),
                      refusal.message());
}

// A refusal that every other item would meet as well.
bool ConcernsAll(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsNotFound(status) ||
         absl::IsFailedPrecondition(status) ||
         absl::IsUnauthenticated(status) || absl::IsUnimplemented(status);
}

ItemResult WithoutJob(Item item, absl::string_view state,
                      const absl::Status& status) {
  ItemResult result;
  result.item = std::move(item);
  result.state = std::string(state);
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

int64_t BatchRunner::in_flight() const {
  return static_cast<int64_t>(submitting_ + accepted_.size() + watched_.size());
}

bool BatchRunner::finished() const {
  if (abandoned_) return true;
  if (in_flight() > 0 || cancelling_ > 0 || saving_ > 0 || !to_save_.empty()) {
    return false;
  }
  return stopping_ || (source_->ended() && waiting_.empty());
}

BatchProgress BatchRunner::progress() const {
  BatchProgress progress;
  progress.done = done_;
  progress.read = read_;
  progress.total = source_->total();
  for (const auto& [index, watched] : watched_) {
    if (watched.state == v1::Job::STATE_RUNNING) ++progress.running;
  }
  if (progress.running == 0 && !watched_.empty() &&
      watched_.begin()->second.state == v1::Job::STATE_QUEUED) {
    progress.waits = WaitingText(watched_.begin()->second.waiting);
  }
  return progress;
}

bool BatchRunner::WantsItems() const {
  return !stopping_ && !source_->ended() && waiting_.size() < kItemsAheadMax &&
         waiting_bytes_ < kItemsAheadBytesMax;
}

int BatchRunner::Step(absl::Time until) {
  SubmitSome();
  WatchSome();
  CancelSome();
  SaveSome();
  if (finished()) return 0;
  if (!waiting_.empty() && submitting_ == 0 && !stopping_ &&
      in_flight() < options_.window) {
    until = std::min(until, submit_time_);
  }
  const int fd = WantsItems() ? source_->fd() : -1;
  const EventQueue::Wakeup wakeup = events_->Wait(until - clock_->Now(), fd);
  if (wakeup.readable) {
    const size_t before = waiting_.size();
    absl::Status status = source_->ReadSome(&waiting_);
    read_ += static_cast<int64_t>(waiting_.size() - before);
    for (size_t i = before; i < waiting_.size(); ++i) {
      waiting_bytes_ += waiting_[i].text.size();
    }
    if (!status.ok()) FailBatch(status);
  }
  return wakeup.signal;
}

absl::StatusOr<v1::SubmitJobRequest> BatchRunner::RequestFor(
    const Item& item) const {
  if (!item.error.empty()) return absl::InvalidArgumentError(item.error);
  v1::SubmitJobRequest request;
  request.set_namespace_(options_.job_namespace);
  request.set_request_id(absl::StrCat(options_.batch_id, "-", item.index));
  v1::JobSpec* spec = request.mutable_spec();
  *spec = options_.spec;
  auto* words = spec->task_type().empty()
                    ? spec->mutable_command()->mutable_argv()
                    : spec->mutable_arguments();
  bool placed = PlaceItem(item.text, words);
  if (options_.input.has_value()) {
    absl::StatusOr<std::string> input = options_.input->Fill(item.text);
    if (!input.ok()) return input.status();
    spec->set_input(*std::move(input));
    placed = placed || options_.input->has_place();
  }
  if (!placed) words->Add(std::string(item.text));
  (*spec->mutable_labels())[kBatchLabel] = options_.batch_id;
  return request;
}

std::vector<Item> BatchRunner::TakeChunk(v1::SubmitJobsRequest* request) {
  const int64_t room =
      std::min<int64_t>(options_.window - in_flight(), kSubmitChunkJobsMax);
  std::vector<Item> chunk;
  size_t bytes = 0;
  while (!waiting_.empty() && static_cast<int64_t>(chunk.size()) < room) {
    Item& item = waiting_.front();
    const size_t item_bytes = item.text.size();
    absl::StatusOr<v1::SubmitJobRequest> job = RequestFor(item);
    if (!job.ok()) {
      Finish(WithoutJob(std::move(item), "REFUSED", job.status()));
      waiting_.pop_front();
      waiting_bytes_ -= item_bytes;
      continue;
    }
    bytes += job->ByteSizeLong();
    // A job that is too large by itself is sent, and refused, alone.
    if (bytes > kSubmitChunkBytesMax && !chunk.empty()) break;
    *request->add_jobs() = *std::move(job);
    chunk.push_back(std::move(item));
    waiting_.pop_front();
    waiting_bytes_ -= item_bytes;
  }
  return chunk;
}

void BatchRunner::SubmitSome() {
  if (stopping_ || submitting_ > 0 || in_flight() >= options_.window ||
      clock_->Now() < submit_time_) {
    return;
  }
  v1::SubmitJobsRequest request;
  std::vector<Item> chunk = TakeChunk(&request);
  if (chunk.empty()) return;
  submitting_ = chunk.size();
  client_->SubmitJobs(
      std::move(request),
      [this, chunk = std::move(chunk)](
          absl::StatusOr<v1::SubmitJobsResponse> response) mutable {
        events_->Post(
            [this, chunk = std::move(chunk), response = std::move(response)] {
              OnSubmitted(chunk, response);
            });
      },
      {.retry_for = options_.reconnect});
}

void BatchRunner::OnSubmitted(
    std::vector<Item> chunk,
    const absl::StatusOr<v1::SubmitJobsResponse>& response) {
  submitting_ = 0;
  if (!response.ok() ||
      response->results_size() != static_cast<int>(chunk.size())) {
    FailBatch(response.ok() ? absl::InternalError(
                                  "the coordinator did not answer every item")
                            : response.status());
    return;
  }
  std::deque<Item> again;
  for (size_t i = 0; i < chunk.size(); ++i) {
    const auto& result = response->results(static_cast<int>(i));
    if (result.has_refusal()) {
      OnRefused(std::move(chunk[i]), result.refusal(), &again);
      continue;
    }
    if (stopping_) to_cancel_.push_back(result.job_id());
    const int64_t index = chunk[i].index;
    accepted_.emplace(index, std::pair(std::move(chunk[i]), result.job_id()));
  }
  for (const Item& item : again) waiting_bytes_ += item.text.size();
  waiting_.insert(waiting_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
}

void BatchRunner::OnRefused(Item item,
                            const v1::SubmitJobsResponse::Refusal& refusal,
                            std::deque<Item>* again) {
  const absl::Status status = StatusOf(refusal);
  if (absl::IsResourceExhausted(status) || absl::IsUnavailable(status)) {
    const absl::Duration delay = refusal.has_retry_delay()
                                     ? FromProto(refusal.retry_delay())
                                     : kRefusedDelay;
    submit_time_ = std::max(submit_time_, clock_->Now() + delay);
    again->push_back(std::move(item));
    return;
  }
  Finish(WithoutJob(std::move(item), "REFUSED", status));
  if (ConcernsAll(status)) FailBatch(status);
}

void BatchRunner::WatchSome() {
  while (!accepted_.empty() && !abandoned_ &&
         static_cast<int>(watched_.size()) < options_.watches &&
         static_cast<int>(to_save_.size()) < kBatchCallsMax) {
    auto oldest = accepted_.extract(accepted_.begin());
    const int64_t index = oldest.key();
    v1::WatchJobRequest request;
    request.set_namespace_(options_.job_namespace);
    request.set_job_id(oldest.mapped().second);
    request.set_skip_output(true);
    Watched& watched = watched_[index];
    watched.item = std::move(oldest.mapped().first);
    client::JobObserver observer;
    observer.on_job = [this, index](const v1::Job& job) {
      events_->Post(
          [this, index, state = job.state(), waiting = job.waiting_reason()] {
            OnState(index, state, waiting);
          });
    };
    observer.on_retry = [this](const absl::Status& error, absl::Duration) {
      events_->Post([this, error] { NoteRetry(error); });
    };
    observer.on_end = [this, index](absl::StatusOr<v1::Job> job) {
      events_->Post([this, index, job = std::move(job)] { OnEnd(index, job); });
    };
    watched.stream = client_->Watch(std::move(request), std::move(observer));
  }
}

void BatchRunner::OnState(int64_t index, v1::Job::State state,
                          v1::Job::WaitingReason waiting) {
  auto found = watched_.find(index);
  if (found == watched_.end()) return;
  found->second.state = state;
  found->second.waiting = waiting;
}

void BatchRunner::OnEnd(int64_t index, const absl::StatusOr<v1::Job>& job) {
  auto node = watched_.extract(index);
  VIGIL_CHECK(!node.empty(), "a job ended twice");
  if (!job.ok()) {
    Finish(WithoutJob(std::move(node.mapped().item), "UNKNOWN", job.status()));
    // A job may have been forgotten; the others are still there.
    if (!absl::IsNotFound(job.status())) FailBatch(job.status());
    return;
  }
  ItemResult result;
  result.item = std::move(node.mapped().item);
  result.has_job = true;
  result.job = *job;
  if (saver_ != nullptr && !result.job.attempts().empty()) {
    to_save_.push_back(std::move(result));
  } else {
    Finish(result);
  }
}

void BatchRunner::SaveSome() {
  while (!to_save_.empty() && saving_ < kBatchCallsMax && !abandoned_) {
    auto result = std::make_shared<ItemResult>(std::move(to_save_.front()));
    to_save_.pop_front();
    ++saving_;
    saver_->Save(options_.job_namespace, result->job.job_id(),
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
  for (const auto& [index, watched] : watched_) {
    to_cancel_.push_back(watched.stream.job_id());
  }
  for (const auto& [index, accepted] : accepted_) {
    to_cancel_.push_back(accepted.second);
  }
}

void BatchRunner::CancelSome() {
  while (!to_cancel_.empty() && cancelling_ < kBatchCallsMax && !abandoned_) {
    v1::CancelJobRequest request;
    request.set_namespace_(options_.job_namespace);
    request.set_job_id(to_cancel_.front());
    to_cancel_.pop_front();
    ++cancelling_;
    client_->CancelJob(std::move(request),
                       [this](const absl::StatusOr<v1::CancelJobResponse>&) {
                         // Whatever hinders it also ends the watching, and is
                         // told there.
                         events_->Post([this] { --cancelling_; });
                       },
                       {.retry_for = options_.reconnect});
  }
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
