// Proves each rule of a slot: when it starts, signals, kills, reports and ends.
// How: inputs with invented instants go into the core, and the actions that
// come out are compared as text; no process and no clock is involved.
#include "worker/slot/slot_core.h"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/limits.h"

namespace vigil::slot {
namespace {

using State = SlotCore::State;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kNow = absl::Seconds(1000);
constexpr absl::Duration kTickLength = absl::Nanoseconds(1);

std::string Text(const Ready&) { return "Ready"; }
std::string Text(const Spawned& spawned) {
  return absl::StrCat("Spawned ", spawned.pid);
}
std::string Text(const SpawnFailed& failed) {
  return absl::StrCat("SpawnFailed ", failed.error);
}
std::string Text(const Exited& exited) {
  return exited.status.has_value()
             ? absl::StrCat("Exited status ", *exited.status)
             : absl::StrCat("Exited signal ", exited.signum.value());
}
std::string Text(const NestedCallSeen& seen) {
  return absl::StrCat("NestedCallSeen ", seen.count);
}
std::string Text(const TreeEmpty& empty) {
  return absl::StrCat("TreeEmpty leftovers ", empty.leftovers_killed,
                      empty.killed ? " killed" : "",
                      empty.lease_expired ? " lease_expired" : "",
                      empty.unconfirmed ? " unconfirmed" : "");
}
std::string Text(const Pong& pong) {
  return absl::StrCat("Pong ", pong.number);
}

std::string Text(const StartTask&) { return "StartTask"; }
std::string Text(const SignalTask& action) {
  return absl::StrCat("SignalTask ", action.signum);
}
std::string Text(const ReapTree&) { return "ReapTree"; }
std::string Text(const KillTree&) { return "KillTree"; }
std::string Text(const SendEvent& action) {
  return std::visit([](const auto& event) { return Text(event); },
                    action.event);
}
std::string Text(const Exit&) { return "Exit"; }

TreeReport ExitReport(int status, bool empty) {
  TreeReport report;
  report.exited = Exited{.status = status, .signum = {}};
  report.empty = empty;
  return report;
}

TreeReport KilledReport() {
  TreeReport report;
  report.exited = Exited{.status = {}, .signum = 9};
  report.empty = true;
  return report;
}

TreeReport EmptyReport(int leftovers) {
  TreeReport report;
  report.empty = true;
  report.leftovers_killed = leftovers;
  return report;
}

TreeReport StillAlive() { return TreeReport(); }

class SlotCoreTest : public ::testing::Test {
 protected:
  std::vector<std::string> Apply(const Input& input,
                                 absl::Duration now = kNow) {
    std::vector<std::string> texts;
    for (const Action& action : core_.Apply(input, now)) {
      texts.push_back(
          std::visit([](const auto& each) { return Text(each); }, action));
    }
    return texts;
  }

  void Start() {
    ASSERT_THAT(Apply(SpawnRequested{}), ElementsAre("StartTask"));
    ASSERT_THAT(Apply(Spawned{42}), ElementsAre("Spawned 42"));
    ASSERT_EQ(core_.state(), State::kRunning);
  }

  SlotCore core_;
};

TEST_F(SlotCoreTest, StartsATaskAndReportsIt) {
  EXPECT_EQ(core_.state(), State::kIdle);
  Start();
}

TEST_F(SlotCoreTest, IsFreeAgainAfterAFailedStart) {
  EXPECT_THAT(Apply(SpawnRequested{}), ElementsAre("StartTask"));
  EXPECT_THAT(Apply(SpawnFailed{ENOENT, SpawnStage::kLookup, "nope"}),
              ElementsAre(absl::StrCat("SpawnFailed ", ENOENT)));
  Start();
}

TEST_F(SlotCoreTest, ReportsExitAndEmptyTreeTogetherWhenNothingIsLeft) {
  Start();
  EXPECT_THAT(Apply(ChildrenChanged{}), ElementsAre("ReapTree"));
  EXPECT_THAT(Apply(ExitReport(3, /*empty=*/true)),
              ElementsAre("Exited status 3", "TreeEmpty leftovers 0"));
  EXPECT_EQ(core_.state(), State::kIdle);
}

TEST_F(SlotCoreTest, KillsLeftoversAfterExitAndReportsEmptyOnlyThen) {
  Start();
  Apply(ChildrenChanged{});
  EXPECT_THAT(Apply(ExitReport(0, /*empty=*/false)),
              ElementsAre("Exited status 0", "KillTree"));
  EXPECT_THAT(Apply(StillAlive()), IsEmpty());
  EXPECT_EQ(core_.state(), State::kKilling);
  EXPECT_THAT(Apply(ChildrenChanged{}), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(EmptyReport(2)), ElementsAre("TreeEmpty leftovers 2"));
  EXPECT_EQ(core_.state(), State::kIdle);
}

TEST_F(SlotCoreTest, OrphansThatEndDoNotEndTheTask) {
  Start();
  EXPECT_THAT(Apply(ChildrenChanged{}), ElementsAre("ReapTree"));
  EXPECT_THAT(Apply(StillAlive()), IsEmpty());
  EXPECT_EQ(core_.state(), State::kRunning);
}

TEST_F(SlotCoreTest, RefusesASecondTaskUntilTheTreeIsEmpty) {
  const std::string refused = absl::StrCat("SpawnFailed ", EBUSY);
  Start();
  EXPECT_THAT(Apply(SpawnRequested{}), ElementsAre(refused));
  Apply(ChildrenChanged{});
  Apply(ExitReport(0, /*empty=*/false));
  Apply(StillAlive());
  EXPECT_THAT(Apply(SpawnRequested{}), ElementsAre(refused));
  Apply(ChildrenChanged{});
  Apply(EmptyReport(1));
  Start();
}

TEST_F(SlotCoreTest, SignalsOnlyARunningTask) {
  EXPECT_THAT(Apply(SignalRequested{15}), IsEmpty());
  Start();
  EXPECT_THAT(Apply(SignalRequested{15}), ElementsAre("SignalTask 15"));
  Apply(ChildrenChanged{});
  Apply(ExitReport(0, /*empty=*/false));
  Apply(StillAlive());
  EXPECT_THAT(Apply(SignalRequested{15}), IsEmpty());
}

TEST_F(SlotCoreTest, KillsOnRequestAndSaysSo) {
  Start();
  EXPECT_THAT(Apply(KillRequested{}), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(StillAlive()), IsEmpty());
  EXPECT_THAT(Apply(KillRequested{}), IsEmpty());
  EXPECT_THAT(Apply(ChildrenChanged{}), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(KilledReport()),
              ElementsAre("Exited signal 9", "TreeEmpty leftovers 0 killed"));
}

TEST_F(SlotCoreTest, IgnoresAKillThatComesAfterTheTreeIsEmpty) {
  EXPECT_THAT(Apply(KillRequested{}), IsEmpty());
  EXPECT_EQ(core_.state(), State::kIdle);
}

TEST_F(SlotCoreTest, AKillAfterTheExitIsNotTheTasksEnd) {
  Start();
  Apply(ChildrenChanged{});
  Apply(ExitReport(0, /*empty=*/false));
  Apply(StillAlive());
  EXPECT_THAT(Apply(KillRequested{}), IsEmpty());
  Apply(ChildrenChanged{});
  EXPECT_THAT(Apply(EmptyReport(1)), ElementsAre("TreeEmpty leftovers 1"));
}

TEST_F(SlotCoreTest, HasNoLimitBeforeTheFirstLease) {
  Start();
  EXPECT_EQ(core_.NextDeadline(), absl::InfiniteDuration());
  EXPECT_THAT(Apply(Tick{}, absl::Hours(100000)), IsEmpty());
}

TEST_F(SlotCoreTest, KillsAtTheLeaseAndNotOneTickBefore) {
  const absl::Duration lease = kNow + absl::Seconds(30);
  Apply(LeaseRenewed{lease});
  Start();
  EXPECT_EQ(core_.NextDeadline(), lease);
  EXPECT_THAT(Apply(Tick{}, lease - kTickLength), IsEmpty());
  EXPECT_THAT(Apply(Tick{}, lease), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(KilledReport(), lease),
              ElementsAre("Exited signal 9",
                          "TreeEmpty leftovers 0 killed lease_expired"));
}

TEST_F(SlotCoreTest, ARenewalMovesTheLease) {
  const absl::Duration lease = kNow + absl::Seconds(30);
  Apply(LeaseRenewed{lease});
  Start();
  Apply(LeaseRenewed{lease + absl::Seconds(3)}, lease);
  EXPECT_THAT(Apply(Tick{}, lease), IsEmpty());
  EXPECT_THAT(Apply(Tick{}, lease + absl::Seconds(3)), ElementsAre("KillTree"));
}

TEST_F(SlotCoreTest, ARenewalAfterTheLeaseDoesNotStopTheKill) {
  Apply(LeaseRenewed{kNow + absl::Seconds(1)});
  Start();
  const absl::Duration late = kNow + absl::Seconds(2);
  EXPECT_THAT(Apply(Tick{}, late), ElementsAre("KillTree"));
  Apply(StillAlive(), late);
  Apply(LeaseRenewed{late + absl::Seconds(30)}, late);
  EXPECT_EQ(core_.state(), State::kKilling);
  EXPECT_THAT(Apply(ChildrenChanged{}, late), ElementsAre("KillTree"));
}

TEST_F(SlotCoreTest, AnIdleSlotOutlivesItsLeaseButStartsNothing) {
  const absl::Duration lease = kNow + absl::Seconds(1);
  Apply(LeaseRenewed{lease});
  EXPECT_EQ(core_.NextDeadline(), absl::InfiniteDuration());
  EXPECT_THAT(Apply(Tick{}, lease), IsEmpty());
  EXPECT_THAT(Apply(SpawnRequested{}, lease),
              ElementsAre(absl::StrCat("SpawnFailed ", ETIME)));
  EXPECT_THAT(Apply(SpawnRequested{}, lease - kTickLength),
              ElementsAre("StartTask"));
}

TEST_F(SlotCoreTest, ExitsAtOnceWhenItsWorkerIsGoneAndNothingRuns) {
  EXPECT_THAT(Apply(WorkerGone{}), ElementsAre("Exit"));
}

TEST_F(SlotCoreTest, KillsTheTreeBeforeExitingWhenItsWorkerIsGone) {
  Start();
  EXPECT_THAT(Apply(WorkerGone{}), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(StillAlive()), IsEmpty());
  Apply(ChildrenChanged{});
  EXPECT_THAT(
      Apply(KilledReport()),
      ElementsAre("Exited signal 9", "TreeEmpty leftovers 0 killed", "Exit"));
}

TEST_F(SlotCoreTest, ExitsAfterAKillInProgressWhenItsWorkerIsGone) {
  Start();
  Apply(KillRequested{});
  Apply(StillAlive());
  EXPECT_THAT(Apply(WorkerGone{}), IsEmpty());
  Apply(ChildrenChanged{});
  EXPECT_THAT(
      Apply(KilledReport()),
      ElementsAre("Exited signal 9", "TreeEmpty leftovers 0 killed", "Exit"));
}

TEST_F(SlotCoreTest, KillsAgainAtTheRetryTimeAndNotOneTickBefore) {
  Start();
  Apply(KillRequested{});
  Apply(StillAlive());
  const absl::Duration retry = kNow + kKillRetryInterval;
  EXPECT_EQ(core_.NextDeadline(), retry);
  EXPECT_THAT(Apply(Tick{}, retry - kTickLength), IsEmpty());
  EXPECT_THAT(Apply(Tick{}, retry), ElementsAre("KillTree"));
  Apply(StillAlive(), retry);
  EXPECT_EQ(core_.NextDeadline(), retry + kKillRetryInterval);
}

TEST_F(SlotCoreTest, ReportsATreeThatDoesNotDieOnceAndGoesOn) {
  Start();
  Apply(KillRequested{});
  Apply(StillAlive());
  const absl::Duration bound = kNow + kTreeKillMax;
  Apply(ChildrenChanged{}, bound - kTickLength);
  EXPECT_THAT(Apply(StillAlive(), bound - kTickLength), IsEmpty());
  EXPECT_EQ(core_.NextDeadline(), bound);
  EXPECT_THAT(Apply(Tick{}, bound), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(StillAlive(), bound),
              ElementsAre("TreeEmpty leftovers 0 killed unconfirmed"));

  const absl::Duration later = bound + kKillRetryInterval;
  EXPECT_EQ(core_.NextDeadline(), later);
  EXPECT_THAT(Apply(Tick{}, later), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(StillAlive(), later), IsEmpty());
  EXPECT_THAT(Apply(SpawnRequested{}, later),
              ElementsAre(absl::StrCat("SpawnFailed ", EBUSY)));
  Apply(ChildrenChanged{}, later);
  EXPECT_THAT(Apply(KilledReport(), later),
              ElementsAre("Exited signal 9", "TreeEmpty leftovers 0 killed"));
  Start();
}

TEST_F(SlotCoreTest, ATreeFoundEmptyAtTheBoundIsConfirmed) {
  Start();
  Apply(ChildrenChanged{});
  Apply(ExitReport(0, /*empty=*/false));
  Apply(StillAlive());
  const absl::Duration late = kNow + kTreeKillMax + absl::Seconds(60);
  EXPECT_THAT(Apply(Tick{}, late), ElementsAre("KillTree"));
  EXPECT_THAT(Apply(EmptyReport(1), late),
              ElementsAre("TreeEmpty leftovers 1"));
}

TEST_F(SlotCoreTest, NothingOfOneTaskIsSaidOfTheNext) {
  Apply(LeaseRenewed{kNow});
  EXPECT_THAT(Apply(SpawnRequested{}, kNow - kTickLength),
              ElementsAre("StartTask"));
  Apply(Spawned{42}, kNow - kTickLength);
  Apply(Tick{});
  Apply(KilledReport());
  Apply(LeaseRenewed{kNow + absl::Seconds(30)});
  Start();
  Apply(ChildrenChanged{});
  EXPECT_THAT(Apply(ExitReport(0, /*empty=*/true)),
              ElementsAre("Exited status 0", "TreeEmpty leftovers 0"));
}

TEST_F(SlotCoreTest, AnswersAPingInEveryState) {
  EXPECT_THAT(Apply(PingReceived{1}), ElementsAre("Pong 1"));
  Start();
  EXPECT_THAT(Apply(PingReceived{2}), ElementsAre("Pong 2"));
  Apply(KillRequested{});
  Apply(StillAlive());
  EXPECT_THAT(Apply(PingReceived{3}), ElementsAre("Pong 3"));
}

TEST_F(SlotCoreTest, PassesUsageOn) {
  Start();
  Apply(ChildrenChanged{});
  TreeReport report = ExitReport(0, /*empty=*/true);
  report.user_time = absl::Milliseconds(5);
  report.system_time = absl::Milliseconds(7);
  report.max_rss_bytes = 4096;
  const std::vector<Action> actions = core_.Apply(report, kNow);
  ASSERT_EQ(actions.size(), 2u);
  const auto& empty =
      std::get<TreeEmpty>(std::get<SendEvent>(actions[1]).event);
  EXPECT_EQ(empty.user_time, absl::Milliseconds(5));
  EXPECT_EQ(empty.system_time, absl::Milliseconds(7));
  EXPECT_EQ(empty.max_rss_bytes, 4096);
}

using SlotCoreDeathTest = SlotCoreTest;

TEST_F(SlotCoreDeathTest, ChecksThatActionsAreAnswered) {
  Apply(SpawnRequested{});
  EXPECT_DEATH(Apply(Tick{}), "StartTask is answered");
  Apply(Spawned{42});
  EXPECT_DEATH(Apply(StillAlive()), "a TreeReport answers");
  Apply(ChildrenChanged{});
  EXPECT_DEATH(Apply(Tick{}), "a TreeReport answers");
  EXPECT_DEATH(Apply(EmptyReport(0)), "reported how that ended");
}

}  // namespace
}  // namespace vigil::slot
