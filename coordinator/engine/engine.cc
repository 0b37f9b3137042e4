// Turns, batches and what jobs bring.
#include "coordinator/engine/engine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "coordinator/codec/batch_codec.h"
#include "coordinator/codec/job_codec.h"

namespace vigil::coordinator {
namespace {

// Leaves a large result to the store, where each of those who watch the job
// finds it: what they have not passed on yet must not cost that much for each
// job. Returns its size; 0: there is none.
int64_t TakeLargeResult(v1::Job* job) {
  const size_t size =
      std::max(job->result().size(), job->partial_result().size());
  if (static_cast<int64_t>(size) <= kToldResultBytesMax) return 0;
  if (job->has_result()) delete job->release_result();
  if (job->has_partial_result()) delete job->release_partial_result();
  return static_cast<int64_t>(size);
}

}  // namespace

absl::StatusOr<std::optional<std::string>> Engine::ReadResult(
    store::StoreView* view, const std::string& job_id, bool degraded) {
  return degraded ? view->GetPayload(job_id) : view->GetResult(job_id);
}

Engine::~Engine() {
  // What changed since the last hand-over; nobody waits for it any more.
  Gather(&turn_);
  if (writer_ != nullptr) {
    FillRows(&gathering_);
    if (!gathering_.batch.empty()) {
      writer_->Commit(std::move(gathering_.batch), gathering_.number);
    }
  }
  // The writer finishes what it has; its answers find no loop any more. The
  // last connection to close folds the log into the database: it must be the
  // writer's.
  reader_.reset();
  writer_.reset();
}

void Engine::BeginTurn(absl::Time expected) {
  now_ = clock_.Now();
  const absl::Duration late = now_ - expected;
  if (late > kStallMin) core_->GrantStall(late);
}

absl::Time Engine::NextDeadline() const {
  // Something was applied after this turn had handed over: by one who waited
  // for what turned out to be durable already.
  if (!turn_.save.empty() || !turn_.save_batches.empty() || !taken_.empty() ||
      (!in_flight_.has_value() && !gathering_.empty())) {
    return now_;
  }
  return std::min({core_->NextDeadline(), clears_.NextDeadline(),
                   sweeps_.NextDeadline(), recorder_.NextDeadline(),
                   housekeeping_time_, feed_time_});
}

void Engine::Gather(Effects* turn) {
  for (JobId& id : turn->save) gathering_.dirty.insert(std::move(id));
  for (BatchId& id : turn->save_batches) {
    gathering_.dirty_batches.insert(std::move(id));
  }
  for (ItemEnd& end : turn->item_ends) {
    gathering_.item_ends.push_back(std::move(end));
  }
  for (ResultBlob& result : turn->results) {
    const Job* job = core_->FindJob(result.job_id);
    if (job != nullptr && !IsFinal(job->state)) {
      checkpoints_.Add(result.job_id, result.bytes);
    }
    gathering_.results[result.job_id] = std::move(result.bytes);
  }
  for (Effect& effect : turn->after_commit) {
    gathering_.effects.push_back(std::move(effect));
  }
}

void Engine::Record(const Effects& turn) {
  for (const AttemptId& ended : turn.ended) {
    const Job* job = core_->FindJob(ended.job_id);
    VIGIL_CHECK(job != nullptr, ended.job_id.value());
    // The last one, unless the next was assigned in the same turn.
    for (auto it = job->attempts.rbegin(); it != job->attempts.rend(); ++it) {
      if (it->number != ended.number) continue;
      recorder_.AttemptEnded(*job, *it, now_);
      break;
    }
  }
  for (const WorkerNews& news : turn.workers) {
    recorder_.WorkerChanged(news, now_);
  }
  recorder_.Tick(now_);
}

void Engine::EndTurn() {
  FeedBatches();
  core_->Tick(now_, &turn_);
  clears_.Expire(now_);
  sweeps_.Expire(now_);
  Housekeeping();
  Effects turn = std::exchange(turn_, {});
  Record(turn);
  Gather(&turn);
  for (const Effect& effect : turn.at_once) Perform(effect);
  for (const Notice& notice : turn.notices) {
    for (Watcher* watcher : hub_.Of(notice.job_id)) {
      watcher->OnNotice(notice.failure);
    }
  }
  for (const JobId& id : turn.touched) {
    const std::vector<Watcher*> watchers = hub_.Of(id);
    const Job* job = watchers.empty() ? nullptr : core_->FindJob(id);
    if (job == nullptr || IsFinal(job->state)) continue;
    const auto shown = std::make_shared<const v1::Job>(
        ToProto(*job, core_->WaitingReasonOf(*job)));
    for (Watcher* watcher : watchers) watcher->OnJob(shown, 0);
  }
  HandOver();
  AcknowledgeTaken();
  FlushLinks();
}

void Engine::HandOver() {
  if (in_flight_.has_value() || gathering_.empty()) return;
  Gathering batch = std::exchange(gathering_, {});
  gathering_.number = batch.number + 1;
  FillRows(&batch);
  for (const JobId& id : batch.dirty) {
    const Job* job = core_->FindJob(id);
    if (hub_.Watched(id)) batch.shown.push_back(Show(*job, batch));
    if (IsFinal(job->state)) batch.ended.push_back(id);
  }
  if (batch.batch.empty()) {
    Settle(std::move(batch));
    return;
  }
  for (auto& [attempt, log] : outputs_) log.Handed();
  store::Batch rows = std::move(batch.batch);
  rows.meta.push_back(TimeFact());
  const uint64_t number = batch.number;
  in_flight_ = std::move(batch);
  writer_->Commit(std::move(rows), number);
}

void Engine::FillRows(Gathering* batch) const {
  for (const JobId& id : batch->dirty) {
    const Job* job = core_->FindJob(id);
    VIGIL_CHECK(job != nullptr, id.value());
    batch->batch.jobs.push_back(EncodeRow(*job));
  }
  for (const auto& [id, bytes] : batch->results) {
    batch->batch.results.push_back({id.value(), *bytes});
  }
  FillBatches(batch);
}

Engine::Shown Engine::Show(const Job& job, const Gathering& batch) const {
  Shown shown{job.id, std::make_shared<v1::Job>(
                          ToProto(job, core_->WaitingReasonOf(job)))};
  Blob bytes;
  if (shown.job->degraded()) {
    bytes = payloads_.Find(job.id);
  } else if (job.result_bytes.has_value()) {
    const auto it = batch.results.find(job.id);
    // A result comes with the end; what is older is the last checkpoint.
    bytes = it != batch.results.end() ? it->second : checkpoints_.Find(job.id);
  } else {
    return shown;
  }
  if (bytes != nullptr) {
    SetResult(*bytes, shown.job.get());
  } else {
    shown.result_in_store = true;
  }
  return shown;
}

void Engine::Tell(Shown shown) {
  if (!shown.result_in_store) {
    const int64_t large = TakeLargeResult(shown.job.get());
    for (Watcher* watcher : hub_.Of(shown.id)) {
      watcher->OnJob(shown.job, large);
    }
    return;
  }
  auto bytes = std::make_shared<absl::StatusOr<std::optional<std::string>>>();
  const bool queued = Read(
      [id = shown.id, degraded = shown.job->degraded(),
       bytes](store::StoreView& view) {
        *bytes = ReadResult(&view, id.value(), degraded);
      },
      [this, shown, bytes]() mutable {
        if (bytes->ok() && (*bytes)->has_value()) {
          SetResult(std::move(***bytes), shown.job.get());
        } else {
          Log(LogSeverity::kError,
              absl::StrCat("the result of job ", shown.id.value(),
                           " cannot be read: ", bytes->status().ToString()));
        }
        shown.result_in_store = false;
        Tell(std::move(shown));
      });
  // It is a watch's last event, so nothing overtakes it.
  if (!queued) post_([this, shown] { Tell(shown); });
}

void Engine::OnCommitted(uint64_t number, absl::Status status) {
  if (!status.ok()) {
    // What is durable is unknown: only a new process can find out.
    Log(LogSeverity::kError,
        absl::StrCat("the store failed, ending: ", status.message()));
    std::_Exit(1);
  }
  VIGIL_CHECK(in_flight_.has_value() && in_flight_->number == number,
              "batches are answered in order");
  for (auto& [attempt, log] : outputs_) log.Committed();
  Gathering batch = *std::move(in_flight_);
  in_flight_.reset();
  Settle(std::move(batch));
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, log] : outputs_) attempts.push_back(attempt);
  for (const AttemptId& attempt : attempts) AcknowledgeOutput(attempt);
}

void Engine::Settle(Gathering batch) {
  for (const Effect& effect : batch.effects) Perform(effect);
  for (Shown& shown : batch.shown) Tell(std::move(shown));
  SettleBatches(batch);
  for (const JobId& id : batch.ended) {
    payloads_.Drop(id);
    checkpoints_.Drop(id);
    if (std::unique_ptr<Job> job = core_->Forget(id)) {
      recorder_.JobEnded(*job, now_);
      outputs_.erase({id, job->last_attempt});
    }
  }
  for (const std::function<void()>& waiter : batch.waiters) waiter();
  std::erase_if(stall_waiters_,
                [](const StallWaiter& waiter) { return *waiter == nullptr; });
}

void Engine::WhenDurable(std::function<void()> done) {
  // Changes of this turn are not in gathering_ yet: they will be at its end.
  if (!in_flight_.has_value() && gathering_.empty() && turn_.save.empty() &&
      turn_.save_batches.empty()) {
    done();
    return;
  }
  gathering_.waiters.push_back(std::move(done));
}

void Engine::WhenDurableOrStalled(std::function<void(bool durable)> done) {
  if (!store_status_.ok()) {
    done(false);
    return;
  }
  auto waiter =
      std::make_shared<std::function<void(bool durable)>>(std::move(done));
  WhenDurable([waiter] { Call(waiter, true); });
  if (*waiter) stall_waiters_.push_back(std::move(waiter));
}

void Engine::Call(const StallWaiter& waiter, bool durable) {
  if (*waiter) std::exchange(*waiter, nullptr)(durable);
}

void Engine::OnStalled(const absl::Status& status) {
  store_status_ = status;
  if (status.ok()) return;
  for (const StallWaiter& waiter : std::exchange(stall_waiters_, {})) {
    Call(waiter, false);
  }
}

bool Engine::Read(std::function<void(store::StoreView&)> read,
                  std::function<void()> done) {
  return reader_->Run([this, read = std::move(read),
                       done = std::move(done)](store::StoreView& view) {
    read(view);
    post_(done);
  });
}

void Engine::KeepProgram(const JobId& id, const v1::JobSpec& program) {
  auto payload =
      std::make_shared<const std::string>(program.SerializeAsString());
  gathering_.batch.payloads.push_back({id.value(), *payload});
  payloads_.Add(id, std::move(payload));
}

void Engine::StopAccepting() {
  accepts_ = false;
  core_->StopDispatch();
}

absl::Status Engine::Refuse(Limit limit, absl::string_view name_space,
                            absl::Status status) {
  refusals_.Count(limit, name_space, now_);
  return status;
}

absl::Status Engine::CanAccept(absl::string_view name_space) {
  if (!accepts_) {
    return Refuse(Limit::kStopping, name_space,
                  absl::UnavailableError(
                      "the coordinator is stopping and accepts nothing new; "
                      "try again when it, or the one that follows it, serves"));
  }
  if (store_status_.ok()) return absl::OkStatus();
  return Refuse(Limit::kDisk, name_space,
                absl::UnavailableError(absl::StrCat(
                    "nothing can be stored at the moment, so nothing is "
                    "accepted; try again later: ",
                    store_status_.message())));
}

absl::StatusOr<const Job*> Engine::Submit(Submission submission) {
  if (absl::Status status = CanAccept(submission.namespace_); !status.ok()) {
    return status;
  }
  NewJob job;
  job.id = ids_.Next(now_);
  job.namespace_ = submission.namespace_;
  job.request_id = submission.request_id;
  job.request_hash = submission.request_hash;
  job.task_type = submission.spec.task_type();
  job.priority = submission.spec.priority();
  job.policy = policies_.Get(submission.spec, submission.cancel_on_disconnect);
  const JobId id = job.id;
  absl::StatusOr<const Job*> accepted =
      core_->Submit(std::move(job), now_, &turn_);
  if (!accepted.ok()) {
    return Refuse(Limit::kLiveJobs, submission.namespace_, accepted.status());
  }
  KeepProgram(id, TakeProgram(&submission.spec));
  if (!submission.request_id.empty()) {
    request_hashes_.insert(
        RequestKey(submission.namespace_, submission.request_id));
  }
  return accepted;
}

}  // namespace vigil::coordinator
