// The workers: streams, leases, what they offer, and how they go.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "coordinator/core/core.h"

namespace vigil::coordinator {
namespace {

WorkerNews NewsOf(const WorkerRecord& worker, WorkerNews::Kind kind,
                  const std::string& cause) {
  return {kind,
          worker.hello.worker,
          worker.hello.session,
          worker.hello.hostname,
          worker.usable(),
          worker.slots_max,
          cause};
}

// Whether what is known of a session lets it attach as it says.
absl::Status CheckSession(const WorkerRecord& worker,
                          const WorkerHello& hello) {
  if (worker.lost || worker.being_killed) {
    return absl::AbortedError(absl::StrCat(
        "session ", hello.session.value(), " of worker ", hello.worker.value(),
        " was given up after its lease; start a new session"));
  }
  if (worker.hello.worker != hello.worker) {
    // What is known of it is filed under its worker's name.
    return absl::AbortedError(
        absl::StrCat("session ", hello.session.value(), " is one of worker ",
                     worker.hello.worker.value(), ", not of ",
                     hello.worker.value(), "; start a new session"));
  }
  if (hello.attach_number < worker.hello.attach_number) {
    // What it lists is out of date: an attempt that it does not name may have
    // been assigned, and be running, since.
    return absl::UnavailableError(absl::StrCat(
        "session ", hello.session.value(), " has attached again meanwhile"));
  }
  return absl::OkStatus();
}

}  // namespace

WorkerRecord* Core::FindStream(StreamId stream) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) {
    ++counters_.fenced;
    return nullptr;
  }
  return it->second;
}

const WorkerRecord* Core::FindWorker(const WorkerId& id) const {
  return FindLatest(id);
}

WorkerRecord* Core::FindLatest(const WorkerId& id) const {
  const auto it = latest_session_.find(id);
  return it == latest_session_.end() ? nullptr : it->second;
}

std::vector<const WorkerRecord*> Core::Workers() const {
  std::vector<const WorkerRecord*> workers;
  workers.reserve(workers_.size());
  for (const auto& [session, worker] : workers_) {
    workers.push_back(worker.get());
  }
  return workers;
}

absl::StatusOr<AttachVerdict> Core::Attach(StreamId stream, WorkerHello hello,
                                           absl::Time now, Effects* fx) {
  if (!hello.history.empty() && hello.history != options_.history) {
    ++counters_.fenced;
    return absl::AbortedError(absl::StrCat(
        "session ", hello.session.value(), " of worker ", hello.worker.value(),
        " worked for a coordinator with another history: this one's store was "
        "restored from a backup, or is another; start a new session"));
  }
  const auto found = workers_.find(hello.session);
  WorkerRecord* worker =
      found == workers_.end() ? nullptr : found->second.get();
  if (worker != nullptr) {
    if (absl::Status status = CheckSession(*worker, hello); !status.ok()) {
      ++counters_.fenced;
      return status;
    }
  }
  if (worker == nullptr) {
    // Not before: nobody would drop the record of one that was refused.
    std::unique_ptr<WorkerRecord>& record = workers_[hello.session];
    record = std::make_unique<WorkerRecord>();
    record->attach_time = now;
    record->slots_max = hello.slots;
    worker = record.get();
  }
  if (worker->stream != 0) {
    fx->at_once.push_back(CloseStream{
        worker->stream,
        absl::AbortedError("replaced by a newer stream of the same session")});
    streams_.erase(worker->stream);
  }
  // A session restored from the store has not said yet how many slots it has.
  if (worker->hello.slots == 0) worker->slots_max = hello.slots;
  worker->hello = std::move(hello);
  // It says anew how its task types are doing.
  worker->ClearStatuses();
  worker->stream = stream;
  worker->last_heartbeat_time = now;
  worker->lease_time = now + options_.lease + options_.lease_margin;
  lease_deadlines_.Set(worker, worker->lease_time);
  streams_[stream] = worker;
  latest_session_[worker->hello.worker] = worker;
  worker->predecessors.clear();
  if (worker->hello.predecessors_dead) worker->predecessors = OthersOf(*worker);
  if (worker->slots_max != worker->hello.slots) {
    fx->at_once.push_back(SendSlots{stream, worker->slots_max});
  }

  fx->workers.push_back(NewsOf(*worker, WorkerNews::Kind::kAttached, ""));
  if (worker->hello.draining) {
    worker->leaving = true;
  } else if (worker->leaving) {
    // The stream may have broken before it was told.
    fx->at_once.push_back(SendDrain{stream, worker->leave_grace});
  }
  std::set<AttemptId> listed(worker->hello.running.begin(),
                             worker->hello.running.end());
  for (const AttemptEnd& end : worker->hello.ended) listed.insert(end.attempt);
  RequeueNeverStarted(worker, listed, now, fx);
  AttachVerdict verdict;
  for (const AttemptId& attempt : worker->hello.running) {
    Job* job = FindCurrent(*worker, attempt);
    if (job == nullptr) {
      verdict.kill.push_back(attempt);
    } else if (job->cancel_requested) {
      fx->after_commit.push_back(SendStop{stream, attempt, Reason::kCancelled});
    }
  }
  std::vector<AttemptEnd> ended = std::move(worker->hello.ended);
  worker->hello.ended.clear();
  worker->hello.running.clear();
  for (AttemptEnd& end : ended) End(stream, std::move(end), now, fx);
  return verdict;
}

std::vector<SessionId> Core::OthersOf(const WorkerRecord& worker) const {
  std::vector<SessionId> others;
  for (const auto& [session, other] : workers_) {
    if (other.get() != &worker && !other->lost &&
        other->hello.worker == worker.hello.worker) {
      others.push_back(session);
    }
  }
  return others;
}

void Core::RequeueNeverStarted(WorkerRecord* worker,
                               const std::set<AttemptId>& listed,
                               absl::Time now, Effects* fx) {
  std::vector<std::pair<AttemptId, Job*>> missing;
  for (const auto& [attempt, job] : worker->running) {
    if (!listed.contains(attempt)) missing.emplace_back(attempt, job);
  }
  for (const auto& [attempt, job] : missing) {
    worker->Release(attempt);
    if (TakeBack(job, "the assignment never reached its worker", now, fx)) {
      Enqueue(job, now, fx);
    }
  }
}

void Core::NotSent(const AttemptId& attempt, const absl::Status& why,
                   absl::Time now, Effects* fx) {
  Job* job = FindMutable(attempt.job_id);
  // It may have been taken back, or given up, meanwhile.
  if (job == nullptr || job->state != JobState::kRunning ||
      job->last_attempt != attempt.number) {
    return;
  }
  const auto worker = workers_.find(job->current().session);
  VIGIL_CHECK(worker != workers_.end(), attempt.job_id.value());
  worker->second->Release(attempt);
  if (!TakeBack(job, "the assignment could not be sent", now, fx)) return;
  if (absl::IsResourceExhausted(why) || absl::IsUnavailable(why)) {
    BackOff(job, 1, kAdmissionRetryDelay, now, fx);
  } else {
    Fail(job,
         Failure{Reason::kInternal,
                 absl::StrCat("what it runs cannot be read from the store: ",
                              why.message()),
                 "Restore the coordinator's store from a backup, or submit "
                 "the job again."},
         now, fx);
  }
}

void Core::StreamLost(StreamId stream) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  it->second->stream = 0;
  streams_.erase(it);
}

void Core::Heartbeat(StreamId stream, int64_t number, HostLoad host,
                     std::set<int> stuck_slots, absl::Time now, Effects* fx) {
  WorkerRecord* worker = FindStream(stream);
  if (worker == nullptr) return;
  // An Attach that a dead session left behind may have come after ours.
  WorkerRecord*& latest = latest_session_[worker->hello.worker];
  if (latest == nullptr || !latest->connected()) latest = worker;
  worker->last_heartbeat_time = now;
  worker->host = std::move(host);
  worker->stuck_slots = std::move(stuck_slots);
  for (const SessionId& dead : std::exchange(worker->predecessors, {})) {
    const auto it = workers_.find(dead);
    if (it == workers_.end()) continue;
    Fence(it->second.get(),
          "died; its successor proved that nothing of it is left", now, fx);
  }
  if (worker->being_killed) return;
  worker->lease_time = now + options_.lease + options_.lease_margin;
  lease_deadlines_.Set(worker, worker->lease_time);
  fx->at_once.push_back(SendHeartbeatAck{stream, number});
}

void Core::Announce(StreamId stream, std::set<std::string> task_types,
                    std::map<std::string, int> max_slots) {
  WorkerRecord* worker = FindStream(stream);
  if (worker == nullptr) return;
  worker->hello.task_types = std::move(task_types);
  worker->hello.max_slots = std::move(max_slots);
  worker->DropOldStatuses();
}

void Core::SetTaskTypeStatus(StreamId stream, TaskTypeStatus status) {
  WorkerRecord* worker = FindStream(stream);
  if (worker != nullptr) worker->SetStatus(std::move(status));
}

void Core::SetAhead(StreamId stream, int attempts) {
  WorkerRecord* worker = FindStream(stream);
  if (worker != nullptr) worker->SetAhead(attempts);
}

void Core::SetUsableSlots(StreamId stream, int slots, std::string cause,
                          Effects* fx) {
  WorkerRecord* worker = FindStream(stream);
  if (worker == nullptr) return;
  worker->SetUsable(slots, std::move(cause));
  fx->workers.push_back(
      NewsOf(*worker, WorkerNews::Kind::kUsableSlots, worker->usable_cause));
}

void Core::Dismiss(WorkerRecord* worker, absl::Status status, absl::Time now,
                   Effects* fx) {
  worker->lost = true;
  worker->lease_time = now;
  lease_deadlines_.Remove(worker);
  if (worker->stream == 0) return;
  fx->at_once.push_back(CloseStream{worker->stream, std::move(status)});
  streams_.erase(worker->stream);
  worker->stream = 0;
}

void Core::Fence(WorkerRecord* worker, const std::string& how, absl::Time now,
                 Effects* fx) {
  if (worker->lost) return;
  Dismiss(worker,
          absl::AbortedError(
              absl::StrCat("session ", worker->hello.session.value(), " ", how,
                           "; kill what it runs and start a new session")),
          now, fx);
  fx->workers.push_back(NewsOf(*worker, WorkerNews::Kind::kLost, how));
  while (!worker->running.empty()) {
    const auto [attempt, job] = *worker->running.begin();
    worker->Release(attempt);
    LoseAttempt(job, how, now, fx);
  }
}

void Core::WorkerDead(const SessionId& session, absl::Time now, Effects* fx) {
  const auto it = workers_.find(session);
  if (it == workers_.end()) return;
  Fence(it->second.get(), "died; its whole tree was reaped", now, fx);
}

void Core::SetDraining(StreamId stream) {
  WorkerRecord* worker = FindStream(stream);
  if (worker != nullptr) worker->leaving = true;
}

void Core::Left(StreamId stream, absl::Time now, Effects* fx) {
  WorkerRecord* worker = FindStream(stream);
  if (worker == nullptr || worker->being_killed) return;
  RequeueNeverStarted(worker, {}, now, fx);
  worker->left = true;
  Dismiss(worker, absl::OkStatus(), now, fx);
  fx->workers.push_back(NewsOf(*worker, WorkerNews::Kind::kLeft, ""));
}

const WorkerRecord* Core::Pause(const WorkerId& id) {
  WorkerRecord* worker = FindLatest(id);
  if (worker != nullptr) worker->paused = true;
  return worker;
}

const WorkerRecord* Core::Resume(const WorkerId& id) {
  WorkerRecord* worker = FindLatest(id);
  if (worker != nullptr) worker->paused = false;
  return worker;
}

absl::StatusOr<const WorkerRecord*> Core::Drain(
    const WorkerId& id, std::optional<absl::Duration> grace, Effects* fx) {
  absl::StatusOr<WorkerRecord*> worker = FindConnected(id);
  if (!worker.ok()) return worker.status();
  if ((*worker)->hello.local) {
    return absl::FailedPreconditionError(absl::StrCat(
        "worker ", id.value(),
        " is the coordinator's own and leaves with it: stop the coordinator, "
        "or give the worker no more work with `stay`"));
  }
  (*worker)->leaving = true;
  (*worker)->leave_grace = grace;
  fx->at_once.push_back(SendDrain{(*worker)->stream, grace});
  return *worker;
}

absl::StatusOr<WorkerRecord*> Core::FindConnected(const WorkerId& id) {
  WorkerRecord* worker = FindLatest(id);
  if (worker == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "no worker ", id.value(), "; `vigil status` lists those there are"));
  }
  if (!worker->connected()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "worker ", id.value(), " is not connected; try again when it is"));
  }
  return worker;
}

absl::StatusOr<const WorkerRecord*> Core::SetSlots(const WorkerId& id,
                                                   int slots, Effects* fx) {
  absl::StatusOr<WorkerRecord*> worker = FindConnected(id);
  if (!worker.ok()) return worker.status();
  (*worker)->slots_max = slots;
  fx->at_once.push_back(SendSlots{(*worker)->stream, slots});
  return *worker;
}

void Core::Tick(absl::Time now, Effects* fx) {
  while (WorkerRecord* worker = lease_deadlines_.PopDue(now)) {
    if (worker->hello.local && !worker->being_killed) {
      // Its death is made sure of rather than assumed; WorkerDead follows,
      // unless the kernel does not let go of what it ran.
      worker->being_killed = true;
      lease_deadlines_.Set(worker, now + kLocalDeathMax);
      fx->at_once.push_back(KillLocalWorker{worker->hello.session});
    } else {
      Fence(worker, "was silent past its lease", now, fx);
    }
  }
  while (Job* job = job_deadlines_.PopDue(now)) ApplyDueDeadline(job, now, fx);
  batches_.ApplyDeadlines(now, fx);
  StopBatches(now, fx);
  if (dispatch_time_ <= now) dispatch_time_ = absl::InfinitePast();
  Dispatch(now, fx);
  DropOldLostWorkers(now);
}

absl::Time Core::NextDeadline() const {
  return std::min({job_deadlines_.NextDeadline(),
                   lease_deadlines_.NextDeadline(), batches_.NextDeadline(),
                   dispatch_time_ == absl::InfinitePast()
                       ? absl::InfiniteFuture()
                       : dispatch_time_});
}

void Core::GrantStall(absl::Duration stall) {
  for (const auto& [session, worker] : workers_) {
    if (worker->lost || worker->being_killed) continue;
    worker->lease_time += stall;
    lease_deadlines_.Set(worker.get(), worker->lease_time);
  }
  if (dispatch_time_ != absl::InfinitePast()) dispatch_time_ += stall;
  // Nor could anybody take a job or batch up meanwhile.
  for (const auto& [id, job] : jobs_) {
    if (job->owner_deadline == absl::InfiniteFuture()) continue;
    job->owner_deadline += stall;
    UpdateDeadline(job.get());
  }
  batches_.GrantStall(stall);
}

void Core::DropOldLostWorkers(absl::Time now) {
  int lost = 0;
  for (auto it = workers_.begin(); it != workers_.end();) {
    WorkerRecord* worker = it->second.get();
    const bool drop =
        worker->lost && (++lost > kLostWorkersMax ||
                         worker->lease_time + kLostWorkerKept <= now);
    if (!drop) {
      ++it;
      continue;
    }
    const auto latest = latest_session_.find(worker->hello.worker);
    if (latest != latest_session_.end() && latest->second == worker) {
      latest_session_.erase(latest);
    }
    it = workers_.erase(it);
  }
}

}  // namespace vigil::coordinator
