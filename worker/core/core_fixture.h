// CoreFixture: a worker's core on a simulated clock, with slots and tasks that
// do as the test says. Time only moves when the test moves it; every step is
// followed by CheckInvariants. Test only; thread-compatible; owns the core.
#ifndef VIGIL_WORKER_CORE_CORE_FIXTURE_H_
#define VIGIL_WORKER_CORE_CORE_FIXTURE_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "worker/core/core.h"

namespace vigil::worker {

inline constexpr absl::Duration kTick = absl::Nanoseconds(1);

inline Exit ExitStatus(int status) {
  Exit exit;
  exit.status = status;
  return exit;
}

inline Exit ExitSignal(int signal) {
  Exit exit;
  exit.signal = signal;
  return exit;
}

class CoreFixture : public testing::Test {
 protected:
  // A core with `slots` ready slots and a lease of a week.
  void Start(int slots) {
    core_ = std::make_unique<Core>(slots, now_, &effects_);
    core_->CheckInvariants();
    core_->ExtendLease(now_ + absl::Hours(24 * 7));
    for (int slot = 0; slot < slots; ++slot) {
      Step([&] { core_->SlotReady(slot, now_, &effects_); });
    }
  }

  // Applies one event; `effects_` is what it brought.
  template <typename Function>
  void Step(Function function) {
    effects_.clear();
    function();
    core_->CheckInvariants();
  }

  static AttemptId Id(const std::string& job, int number = 1) {
    return {JobId(job), number};
  }

  void Assign(const std::string& job, const Supervision& supervision = {},
              absl::Duration time_left = absl::Hours(24)) {
    AttemptStart start;
    start.id = Id(job);
    start.supervision = supervision;
    start.time_left = time_left;
    Step([&] { core_->Assign(std::move(start), now_, &effects_); });
  }
  void Spawned(int slot) {
    Step([&] { core_->Spawned(slot, now_, &effects_); });
  }
  // Assigns `job`, which must find slot `slot` idle, and starts it.
  void Run(const std::string& job, const Supervision& supervision = {},
           int slot = 0) {
    Assign(job, supervision);
    ASSERT_EQ(Of<SpawnTask>().size(), 1u);
    ASSERT_EQ(Of<SpawnTask>()[0].slot, slot);
    Spawned(slot);
    ASSERT_EQ(core_->slot_state(slot), SlotState::kRunning);
  }
  void Stop(const std::string& job, Reason reason = Reason::kCancelled) {
    Step([&] { core_->Stop(Id(job), reason, now_, &effects_); });
  }
  void Stdout(int slot = 0, int64_t bytes = 1) {
    Step([&] { core_->Output(slot, false, bytes, now_, &effects_); });
  }
  void Stderr(int slot = 0, int64_t bytes = 1) {
    Step([&] { core_->Output(slot, true, bytes, now_, &effects_); });
  }
  void Progressed(int64_t done, int slot = 0, int64_t total = 100) {
    Step([&] {
      core_->ProgressRead(slot, Progress{done, total, ""}, now_, &effects_);
    });
  }
  void Exited(Exit exit, int slot = 0) {
    Step([&] { core_->Exited(slot, std::move(exit), now_, &effects_); });
  }
  void TreeEmpty(const TreeReport& report = {}, int slot = 0) {
    Step([&] { core_->TreeEmpty(slot, report, now_, &effects_); });
  }
  void Collected(int slot = 0, std::optional<Reason> text = std::nullopt) {
    Step([&] {
      core_->OutputCollected(slot, {.text_reason = text}, now_, &effects_);
    });
  }
  void SlotLost(int slot = 0) {
    Step([&] { core_->SlotLost(slot, now_, &effects_); });
  }
  // The program exits by itself and leaves nothing behind.
  void EndByItself(int status, int slot = 0) {
    Exited(ExitStatus(status), slot);
    TreeEmpty({}, slot);
    Collected(slot);
  }
  // The tree that was to be killed is gone.
  void Die(int slot = 0) {
    Exited(ExitSignal(9), slot);
    TreeEmpty({}, slot);
    Collected(slot);
  }

  // One tick of the loop at `now`, and nothing else.
  void TickAt(absl::Time now) {
    now_ = now;
    Step([&] { core_->Tick(now_, &effects_); });
  }

  // Lets time run to `end`, through every deadline on the way, with slots that
  // answer pings (but those in `deaf_`) and output that was read (but of slots
  // in `unread_`). `effects_` is all that was asked meanwhile, those apart.
  void RunUntil(absl::Time end) {
    Effects all;
    while (core_->NextDeadline() <= end) {
      now_ = std::max(now_, core_->NextDeadline());
      Effects asked = TickOnce();
      all.insert(all.end(), asked.begin(), asked.end());
      ASSERT_LT(all.size(), 100000u) << "time does not pass";
    }
    now_ = end;
    Effects asked = TickOnce();
    all.insert(all.end(), asked.begin(), asked.end());
    effects_ = std::move(all);
  }
  void RunFor(absl::Duration duration) { RunUntil(now_ + duration); }

  // Runs to one tick before `deadline` and expects no stop and no kill; then
  // to it.
  void ExpectQuietBefore(absl::Time deadline) {
    RunUntil(deadline - kTick);
    EXPECT_TRUE(Of<SoftStop>().empty());
    EXPECT_TRUE(Of<KillTree>().empty());
    EXPECT_TRUE(Of<KillSlot>().empty());
    RunUntil(deadline);
  }

  // The asked effects of one kind.
  template <typename Kind>
  std::vector<Kind> Of() const {
    std::vector<Kind> found;
    for (const Effect& effect : effects_) {
      if (const Kind* kind = std::get_if<Kind>(&effect)) {
        found.push_back(*kind);
      }
    }
    return found;
  }
  // The end just sent; a failed test and an empty one when there is none.
  AttemptEnd TheEnd() const {
    const std::vector<SendEnd> ends = Of<SendEnd>();
    EXPECT_EQ(ends.size(), 1u);
    return ends.empty() ? AttemptEnd() : ends[0].end;
  }
  Reason EndReason() const {
    const AttemptEnd end = TheEnd();
    return end.failure.has_value() ? end.failure->reason : Reason::kUnspecified;
  }
  // What SoftStop was asked for; kUnspecified when it was not.
  Reason StopCause() const {
    const std::vector<SoftStop> stops = Of<SoftStop>();
    EXPECT_LE(stops.size(), 1u);
    return stops.empty() ? Reason::kUnspecified : stops[0].cause;
  }
  std::vector<Failure> Observed() const {
    std::vector<Failure> observed;
    for (const SendUpdate& update : Of<SendUpdate>()) {
      if (update.update.observed.has_value()) {
        observed.push_back(*update.update.observed);
      }
    }
    return observed;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  Effects effects_;
  std::unique_ptr<Core> core_;
  std::set<int> deaf_;
  std::set<int> unread_;

 private:
  // Ticks, and answers as slots and pipes do.
  Effects TickOnce() {
    Effects asked;
    Step([&] { core_->Tick(now_, &effects_); });
    std::swap(asked, effects_);
    Effects kept;
    for (const Effect& effect : asked) {
      if (const auto* ping = std::get_if<PingSlot>(&effect)) {
        if (!deaf_.contains(ping->slot)) core_->SlotHeard(ping->slot, now_);
      } else if (const auto* check = std::get_if<CheckOutput>(&effect);
                 check != nullptr && !unread_.contains(check->slot)) {
        Step([&] { core_->OutputChecked(check->slot, now_, &effects_); });
        kept.insert(kept.end(), effects_.begin(), effects_.end());
      } else {
        kept.push_back(effect);
      }
      core_->CheckInvariants();
    }
    return kept;
  }
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_CORE_FIXTURE_H_
