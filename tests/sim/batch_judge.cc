#include "tests/sim/batch_judge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "coordinator/core/limits.h"
#include "tests/sim/violation.h"

namespace vigil::sim {
namespace {

using coordinator::BatchState;
using coordinator::JobState;
using coordinator::StopCause;

// How late a batch may be stopped when nothing was stopped: a few turns.
constexpr absl::Duration kLateMax = absl::Milliseconds(20);

// From a batch's stop to the end of its last job when nothing goes wrong: the
// longest grace, and the time after which a worker says that it cannot prove a
// tree dead (worker/core/limits.h), and as much again for what waits between.
constexpr absl::Duration kDyingMax = absl::Seconds(40);

const char* StopEvent(StopCause cause) {
  switch (cause) {
    case StopCause::kDeadline:
      return "batch: stopped by its deadline";
    case StopCause::kStopRule:
      return "batch: stopped by its stop rule";
    case StopCause::kCancelled:
      return "batch: stopped by a client";
    case StopCause::kDisconnected:
      return "batch: stopped for its lost stream";
    case StopCause::kNone:
      break;
  }
  return "batch: stopped for no cause";
}

}  // namespace

void BatchJudge::Check(bool condition, const BatchId& batch,
                       const char* what) const {
  if (condition) return;
  EndByViolation(parts_.queue->now(), absl::StrCat(batch.value(), ": ", what));
}

BatchJudge::Truth& BatchJudge::Find(const BatchId& batch) {
  const auto it = batches_.find(batch);
  VIGIL_CHECK(it != batches_.end(), batch.value());
  return it->second;
}

const BatchJudge::Truth& BatchJudge::Find(const BatchId& batch) const {
  const auto it = batches_.find(batch);
  VIGIL_CHECK(it != batches_.end(), batch.value());
  return it->second;
}

void BatchJudge::Submitted(BatchSpec spec) {
  const BatchId id = spec.id;
  batches_[id].spec = std::move(spec);
}

void BatchJudge::OwnerLost(const BatchId& batch) {
  Find(batch).lost_time = parts_.queue->now();
}

void BatchJudge::OwnerBack(const BatchId& batch) {
  Truth& truth = Find(batch);
  // It may be stopped already, which the store does not know yet.
  truth.was_lost |=
      truth.lost_time + HostClock::Shortest(coordinator::kOwnerGrace) <=
      parts_.queue->now();
  truth.lost_time = absl::InfiniteFuture();
}

void BatchJudge::Acknowledged(const BatchId& batch, int64_t items) {
  Truth& truth = Find(batch);
  truth.acknowledged = std::max(truth.acknowledged, items);
}

void BatchJudge::AcknowledgedClosed(const BatchId& batch) const {
  const coordinator::Batch* row = parts_.store->FindBatch(batch);
  Check(row != nullptr && row->state != BatchState::kOpen, batch,
        "was closed, and is open in the store");
}

void BatchJudge::AcknowledgedStopped(const BatchId& batch) const {
  const coordinator::Batch* row = parts_.store->FindBatch(batch);
  Check(row != nullptr && (row->state == BatchState::kStopping ||
                           row->state == BatchState::kEnded),
        batch, "was cancelled, and goes on in the store");
}

bool BatchJudge::Stopped(const BatchId& batch) const {
  const coordinator::Batch* row = parts_.store->FindBatch(batch);
  return row != nullptr && row->stop_cause != StopCause::kNone;
}

void BatchJudge::Storing(const coordinator::Batch& row) {
  touched_.insert(row.id);
  Truth& truth = Find(row.id);
  const coordinator::Batch* old = parts_.store->FindBatch(row.id);
  if (old != nullptr) {
    Check(old->state != BatchState::kEnded, row.id, "changes after its end");
    Check(row.state >= old->state, row.id, "its state goes back");
    Check(row.revision > old->revision, row.id, "its revision does not grow");
    Check(row.accepted >= old->accepted, row.id, "accepted items are lost");
    Check(row.started >= old->started, row.id, "started items are lost");
    Check(old->state != BatchState::kStopping || row.started == old->started,
          row.id, "starts an item after it was stopped");
    Check(old->state == BatchState::kOpen || row.accepted == old->accepted,
          row.id, "accepts an item after it was closed");
    if (old->stop_cause != StopCause::kNone) {
      Check(row.stop_cause == old->stop_cause, row.id,
            "another cause takes the place of the first");
      return;
    }
  }
  if (row.stop_cause != StopCause::kNone) CheckStop(row, &truth);
}

void BatchJudge::CheckStop(const coordinator::Batch& row, Truth* truth) const {
  const absl::Time now = parts_.queue->now();
  parts_.coverage->Count(StopEvent(row.stop_cause));
  truth->stop_time = now;
  switch (row.stop_cause) {
    case StopCause::kDeadline:
      Check(parts_.clock->When(row.create_time) +
                    HostClock::Shortest(truth->spec.policy.schedule_to_close) <=
                now,
            row.id, "is stopped before its deadline");
      return;
    case StopCause::kStopRule:
      // See Stored, which knows all outcomes.
      return;
    case StopCause::kCancelled:
      Check(truth->may_cancel, row.id, "is stopped, but nobody wanted that");
      return;
    case StopCause::kDisconnected:
      Check(truth->spec.policy.streamed &&
                (truth->was_lost ||
                 truth->lost_time +
                         HostClock::Shortest(coordinator::kOwnerGrace) <=
                     now),
            row.id, "is stopped for a stream that was not lost");
      return;
    case StopCause::kNone:
      return;
  }
}

void BatchJudge::StoringJob(const JobSpec& spec, const coordinator::Job& row) {
  touched_.insert(spec.batch);
  Truth& truth = Find(spec.batch);
  const auto [job, first] = truth.jobs.try_emplace(spec.batch_index, row.id);
  Check(job->second == row.id, spec.batch, "an item became two jobs");
  if (first) {
    Check(row.batch == spec.batch && row.batch_index == spec.batch_index,
          spec.batch, "a job of it is taken for another item");
  }
  if (IsFinal(row.state)) {
    truth.live.erase(row.id);
  } else {
    truth.live.insert(row.id);
  }
}

void BatchJudge::Storing(const coordinator::ItemEnd& end) {
  touched_.insert(end.batch);
  Truth& truth = Find(end.batch);
  Check(parts_.store->FindOutcome(end.batch, end.index) == nullptr, end.batch,
        "an item has two outcomes");
  Check(end.number == truth.tally.ended + 1, end.batch,
        "the numbers of outcomes have a gap, or repeat");
  const coordinator::Job* row = nullptr;
  if (end.job.empty()) {
    Check(truth.spec.Refuses(end.index), end.batch, "an item is refused");
    Check(truth.jobs.try_emplace(end.index, JobId()).second, end.batch,
          "an item is refused that became a job");
  } else {
    const auto job = truth.jobs.find(end.index);
    Check(job != truth.jobs.end() && job->second == end.job, end.batch,
          "an outcome is of another item");
    row = parts_.store->Find(end.job);
    Check(row != nullptr && IsFinal(row->state), end.batch,
          "an item has an outcome before its job has ended");
  }
  truth.tally.Count(row, truth.spec.policy.stop_rule);
  CountOutcome(row);
}

void BatchJudge::CountOutcome(const coordinator::Job* job) const {
  if (job == nullptr) {
    parts_.coverage->Count("batch: item refused");
  } else if (job->fallback_failure.has_value()) {
    parts_.coverage->Count("batch: item degraded");
  } else if (job->state == JobState::kCancelled) {
    parts_.coverage->Count("batch: item cancelled");
  } else if (job->state == JobState::kSucceeded && job->charged_attempts > 1) {
    parts_.coverage->Count("batch: item retried");
  }
}

void BatchJudge::Stored() {
  for (const BatchId& id : std::exchange(touched_, {})) {
    const Truth& truth = Find(id);
    const coordinator::Batch* row = parts_.store->FindBatch(id);
    Check(row != nullptr, id, "has a job, and is not in the store");
    CheckCounts(*row, truth);
    const bool goes_on =
        row->state == BatchState::kOpen || row->state == BatchState::kClosed;
    Check(!truth.tally.rule_held || !goes_on, id, "goes on past its stop rule");
    Check(row->stop_cause != StopCause::kStopRule || truth.tally.rule_held, id,
          "is stopped by a rule that does not hold");
    Check(row->state != BatchState::kClosed || truth.may_close, id,
          "is closed, but nobody closed it");
    if (row->state == BatchState::kEnded) CheckEnd(*row, truth);
  }
}

void BatchJudge::CheckCounts(const coordinator::Batch& row,
                             const Truth& truth) const {
  const BatchId& id = row.id;
  const int64_t in_flight = static_cast<int64_t>(truth.live.size());
  Check(in_flight <= truth.spec.policy.max_in_flight, id,
        "more items are in flight than max_in_flight");
  Check(row.started <= row.accepted && row.accepted <= truth.spec.items, id,
        "has items that nobody gave it");
  Check(
      row.started == static_cast<int64_t>(truth.jobs.size()) &&
          (truth.jobs.empty() || truth.jobs.rbegin()->first == row.started - 1),
      id, "its items did not start in their order");
  Check(row.started == truth.tally.ended + in_flight, id,
        "an item that has started neither ended nor is in flight");
  Check(truth.tally.Agrees(row), id, "its counts are not those of its items");
}

void BatchJudge::CheckEnd(const coordinator::Batch& row,
                          const Truth& truth) const {
  const BatchId& id = row.id;
  parts_.coverage->Count(row.partial() ? "batch: ENDED early"
                                       : "batch: ENDED with all its items");
  if (row.not_run() > 0) parts_.coverage->Count("batch: items not run");
  Check(truth.live.empty(), id, "ends before one of its jobs has");
  Check(std::none_of(truth.begun.begin(), truth.begun.end(),
                     [](const Begun& begun) { return begun.runnable(); }),
        id, "ends while a process of it runs");
  Check(row.partial() || (truth.may_close && row.not_run() == 0), id,
        "ends without being stopped, and not all its items have run");
}

void BatchJudge::Began(const JobSpec& item, std::shared_ptr<const TaskRun> run,
                       std::shared_ptr<const TaskTree> tree) {
  Truth& truth = Find(item.batch);
  std::erase_if(truth.begun,
                [](const Begun& begun) { return !begun.runnable(); });
  Check(static_cast<int>(truth.begun.size()) < truth.spec.policy.max_in_flight,
        item.batch, "more items run at once than max_in_flight");
  if (truth.spec.policy.max_in_flight == 1 && item.batch_index > 0) {
    parts_.coverage->Count("batch: next item of a sequential one begins");
    Check(
        parts_.store->FindOutcome(item.batch, item.batch_index - 1) != nullptr,
        item.batch, "an item begins before the end of the one before it");
  }
  truth.begun.push_back(Begun{std::move(run), std::move(tree)});
}

void BatchJudge::CheckAcknowledged(const coordinator::Core* core) const {
  for (const auto& [id, truth] : batches_) {
    if (truth.acknowledged < 0) continue;
    const coordinator::Batch* row = parts_.store->FindBatch(id);
    Check(row != nullptr && row->accepted >= truth.acknowledged, id,
          "was acknowledged with items that are not in the store");
    Check(row->state == BatchState::kEnded || core == nullptr ||
              core->FindBatch(id) != nullptr,
          id, "was acknowledged and disappeared");
  }
}

void BatchJudge::CheckNotLate(const coordinator::Core& core,
                              absl::Time calm_since) const {
  const absl::Time now = parts_.queue->now() - kLateMax;
  for (const auto& [id, batch] : core.batches()) {
    const Truth& truth = Find(id);
    if (batch->state == BatchState::kEnded) continue;
    if (batch->state == BatchState::kStopping) {
      Check(!batch->live.empty(), id,
            "is stopped, has no jobs and does not end");
      for (const auto& [index, job_id] : batch->live) {
        Check(core.FindJob(job_id)->cancel_requested, id,
              "is stopped, and a job of it is not");
      }
      Check(now < std::max(truth.stop_time, calm_since) +
                      HostClock::Longest(kDyingMax),
            id, "is stopped, and does not come to its end");
      continue;
    }
    Check(now < parts_.clock->When(batch->create_time) +
                    HostClock::Longest(truth.spec.policy.schedule_to_close),
          id, "runs past schedule_to_close_timeout");
    // While the coordinator stood still nobody could take it up.
    Check(now < std::max(truth.lost_time, calm_since) +
                    HostClock::Longest(coordinator::kOwnerGrace),
          id, "runs on without its stream");
  }
}

bool BatchJudge::AllEnded() const {
  return std::all_of(
      batches_.begin(), batches_.end(), [this](const auto& entry) {
        const coordinator::Batch* row = parts_.store->FindBatch(entry.first);
        return row == nullptr ? entry.second.acknowledged < 0
                              : row->state == BatchState::kEnded;
      });
}

void BatchJudge::CheckAllOver() const {
  for (const auto& [id, row] : parts_.store->batches()) {
    if (row.state == BatchState::kEnded) continue;
    EndByViolation(
        parts_.queue->now(),
        absl::StrCat(id.value(), ": is still in state ",
                     static_cast<int>(row.state), " at the end; accepted ",
                     row.accepted, ", started ", row.started, ", ended ",
                     row.ended()));
  }
}

}  // namespace vigil::sim
