// Proves which slots `vigil doctor` counts as its own to use, and whether a
// check that has too few of them failed or is skipped.
#include "client/cli/slot_survey.h"

#include "base/wire/time_wire.h"
#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using State = CheckResult::State;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

v1::Worker WorkerWith(int slots) {
  v1::Worker worker;
  worker.set_worker_id("w");
  worker.set_pid(17);
  worker.set_state(v1::Worker::STATE_CONNECTED);
  worker.set_allow_commands(true);
  ToProto(kNow, worker.mutable_last_heartbeat_time());
  for (int i = 0; i < slots; ++i) {
    worker.add_slots()->set_state(v1::Slot::STATE_IDLE);
  }
  return worker;
}

void Occupy(v1::Slot* slot, const std::string& job_namespace) {
  slot->set_state(v1::Slot::STATE_BUSY);
  slot->set_namespace_(job_namespace);
}

TEST(SlotSurveyTest, CountsTheSlotsOfAllWorkersThatAnswer) {
  const SlotSurvey survey = SurveyOf({WorkerWith(2), WorkerWith(3)}, kNow);
  EXPECT_EQ(survey.slots, 5);
  EXPECT_EQ(survey.busy, 0);
  EXPECT_EQ(survey.free, 5);
  EXPECT_THAT(survey.troubles, IsEmpty());
  EXPECT_FALSE(WithoutSlots(survey, 5).has_value());
}

TEST(SlotSurveyTest, OthersJobsHoldSlotsAndItsOwnDoNot) {
  v1::Worker worker = WorkerWith(3);
  Occupy(worker.mutable_slots(0), "default");
  Occupy(worker.mutable_slots(1), kDoctorNamespace);
  const SlotSurvey survey = SurveyOf({worker}, kNow);
  EXPECT_EQ(survey.busy, 1);
  EXPECT_EQ(survey.free, 2);
  EXPECT_FALSE(WithoutSlots(survey, 2).has_value());
  const auto without = WithoutSlots(survey, 3);
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(without->state, State::kSkipped);
  EXPECT_EQ(without->message,
            "1 of 3 slots are busy with other jobs, and it needs 3; try again "
            "when they are free");
}

TEST(SlotSurveyTest, StuckAndUnusableSlotsDoNotCount) {
  v1::Worker worker = WorkerWith(4);
  worker.mutable_slots(0)->set_state(v1::Slot::STATE_STUCK);
  EXPECT_EQ(SurveyOf({worker}, kNow).free, 3);
  worker.mutable_usable_slots()->set_slots(2);
  Occupy(worker.mutable_slots(1), "default");
  EXPECT_EQ(SurveyOf({worker}, kNow).slots, 2);
  EXPECT_EQ(SurveyOf({worker}, kNow).free, 1);
}

TEST(SlotSurveyTest, TooFewSlotsInAllSkipACheck) {
  const auto without = WithoutSlots(SurveyOf({WorkerWith(1)}, kNow), 2);
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(without->state, State::kSkipped);
  EXPECT_EQ(without->message, "it needs 2 slots, and there is 1 slot");
}

TEST(SlotSurveyTest, NoWorkerIsAFailure) {
  const auto without = WithoutSlots(SurveyOf({}, kNow), 1);
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(without->state, State::kFailed);
  EXPECT_THAT(without->advice, HasSubstr("--local_slots=N"));
  EXPECT_EQ(WithoutSlots(SurveyOf({WorkerWith(0)}, kNow), 1)->state,
            State::kFailed);
}

TEST(SlotSurveyTest, WorkersThatTakeNoCommandsSkipACheck) {
  v1::Worker worker = WorkerWith(2);
  worker.set_allow_commands(false);
  const auto without = WithoutSlots(SurveyOf({worker}, kNow), 1);
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(without->state, State::kSkipped);
  EXPECT_THAT(without->message, HasSubstr("--allow_commands"));
  // One that does is enough.
  EXPECT_FALSE(
      WithoutSlots(SurveyOf({worker, WorkerWith(1)}, kNow), 1).has_value());
}

TEST(SlotSurveyTest, ASilentWorkerIsInTroubleBeyondTheBound) {
  v1::Worker worker = WorkerWith(2);
  ToProto(kNow - kDoctorSilentWorker, worker.mutable_last_heartbeat_time());
  EXPECT_EQ(SurveyOf({worker}, kNow).free, 2);
  const SlotSurvey survey = SurveyOf({worker}, kNow + absl::Milliseconds(1));
  EXPECT_EQ(survey.free, 0);
  EXPECT_THAT(survey.troubles,
              ElementsAre("worker w (pid 17) was last heard from 10s ago"));
  const auto without = WithoutSlots(survey, 1);
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(without->state, State::kFailed);
  EXPECT_EQ(without->message,
            "no slot takes work: worker w (pid 17) was last heard from 10s "
            "ago");
  EXPECT_THAT(without->advice, HasSubstr("kill -CONT"));
}

TEST(SlotSurveyTest, DrainingAndDisconnectedWorkersAreInTrouble) {
  v1::Worker draining = WorkerWith(2);
  draining.set_state(v1::Worker::STATE_DRAINING);
  v1::Worker gone = WorkerWith(2);
  gone.set_state(v1::Worker::STATE_DISCONNECTED);
  gone.set_hostname("h");
  v1::Worker lost = WorkerWith(2);
  lost.set_state(v1::Worker::STATE_LOST);
  const SlotSurvey survey = SurveyOf({draining, gone, lost}, kNow);
  EXPECT_EQ(survey.slots, 0);
  EXPECT_THAT(survey.troubles,
              ElementsAre("worker w (pid 17) is draining",
                          "worker w (pid 17 on h) is DISCONNECTED"));
  EXPECT_THAT(survey.advice, HasSubstr("resume"));
}

}  // namespace
}  // namespace vigil::cli
