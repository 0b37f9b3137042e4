#include "coordinator/rpc/loop.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <utility>

namespace vigil::coordinator {
namespace {

// Events applied in one turn, so that due deadlines and waiting commits do not
// starve under load. About 20 ms of work.
constexpr int kEventsPerTurnMax = 4096;

// Coroutines resumed in one turn, for the same reason: output of a job that ten
// thousand watch wakes all of them at once, and each writes. About 10 ms of
// work.
constexpr size_t kResumedPerTurnMax = 512;

// The longest sleep; nothing depends on it.
constexpr absl::Duration kSleepMax = absl::Minutes(1);

}  // namespace

Loop::Loop(std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : queue_(std::move(queue)) {}

void Loop::Wake::Complete(bool) { loop_->RunPosted(); }

void Loop::Post(std::function<void()> closure) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return;
  posted_.push_back(std::move(closure));
  if (wake_pending_) return;
  wake_pending_ = true;
  // In the past of this clock the alarm fires at once; set to now it would wait
  // for a timer.
  alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_REALTIME),
             static_cast<Completion*>(&wake_));
}

void Loop::RunPosted() {
  std::vector<std::function<void()>> posted;
  {
    absl::MutexLock lock(&mutex_);
    wake_pending_ = false;
    posted.swap(posted_);
  }
  for (const std::function<void()>& closure : posted) closure();
}

size_t Loop::RunReady(size_t count_max) {
  ReadyList ready = std::exchange(ready_, {});
  const size_t count = std::min(count_max, ready.size());
  for (size_t i = 0; i < count; ++i) ready[i].resume();
  if (count < ready.size()) {
    // Before those who were woken meanwhile.
    ready.erase(ready.begin(),
                ready.begin() + static_cast<std::ptrdiff_t>(count));
    ready.insert(ready.end(), ready_.begin(), ready_.end());
    ready_ = std::move(ready);
  }
  return count;
}

void Loop::Run(const Hooks& hooks, const std::function<bool()>& done) {
  const gpr_timespec at_once = gpr_time_0(GPR_CLOCK_MONOTONIC);
  while (!done()) {
    const absl::Time expected =
        std::min(hooks.next_deadline(), hooks.now() + kSleepMax);
    const absl::Duration sleep =
        ready_.empty() ? std::max(expected - hooks.now(), absl::ZeroDuration())
                       : absl::ZeroDuration();
    gpr_timespec deadline = gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC),
        gpr_time_from_nanos(absl::ToInt64Nanoseconds(sleep), GPR_TIMESPAN));
    void* tag = nullptr;
    bool ok = false;
    auto next = queue_->AsyncNext(&tag, &ok, deadline);
    hooks.begin_turn(expected);
    for (int events = 0;
         next == grpc::CompletionQueue::GOT_EVENT && events < kEventsPerTurnMax;
         ++events) {
      static_cast<Completion*>(tag)->Complete(ok);
      next = queue_->AsyncNext(&tag, &ok, at_once);
    }
    if (next == grpc::CompletionQueue::GOT_EVENT) {
      static_cast<Completion*>(tag)->Complete(ok);
    }
    // The end of a turn wakes those who wait for what became durable, and what
    // they then do belongs to the same turn, unless there are too many of them.
    size_t left = kResumedPerTurnMax;
    do {
      left -= RunReady(left);
      hooks.end_turn();
    } while (!ready_.empty() && left > 0);
  }
}

void Loop::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    static_cast<Completion*>(tag)->Complete(ok);
    RunReady(ready_.size());
  }
}

}  // namespace vigil::coordinator
