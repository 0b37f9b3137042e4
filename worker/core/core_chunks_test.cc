// Proves that the worker's core ends an attempt whose chunks are too slow, one
// tick after no rule was broken and not before: a chunk that runs past its
// timeout, and too many slow ones in a row; and that it never ends one that is
// simply finished (C3). Slots and tasks are simulated (see core_fixture.h).
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "worker/core/warm_fixture.h"

namespace vigil::worker {
namespace {

class ChunksTest : public WarmFixture {
 protected:
  ChunksTest() {
    // The clocks that are not looked at here are far away.
    supervision_.timeouts.startup = absl::Hours(1);
    supervision_.timeouts.inactivity = absl::Hours(1);
    supervision_.timeouts.start_to_close = absl::Hours(5);
    supervision_.chunks.emplace();
  }

  // Runs job "j" and makes it ACTIVE at once, with these rules.
  void RunActive() {
    Start(1);
    Run("j", supervision_);
    Stdout();
    start_ = now_;
  }
  void Expect(double seconds) {
    supervision_.chunks->expected_chunk_time = absl::Seconds(seconds);
  }
  absl::Time At(double seconds) const {
    return start_ + absl::Seconds(seconds);
  }
  // The chunks up to `done` end at `time`, and nothing is stopped before.
  void EndChunks(absl::Time time, int64_t done, int64_t total = 100) {
    RunUntil(time);
    EXPECT_EQ(StopCause(), Reason::kUnspecified) << "before chunk " << done;
    Progressed(done, 0, total);
    EXPECT_EQ(StopCause(), Reason::kUnspecified);
  }
  // Lets the rules speak, without a moment passing.
  Reason CauseNow() {
    RunUntil(now_);
    return StopCause();
  }

  Supervision supervision_;
  absl::Time start_;
};

TEST_F(ChunksTest, C3_TheFirstChunkIsStoppedAtItsTimeoutAndNotATickBefore) {
  RunActive();
  ExpectQuietBefore(At(30));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
  Die();
  EXPECT_EQ(EndReason(), Reason::kSlowChunks);
  EXPECT_EQ(TheEnd().failure->message,
            "0 chunks were done, and the next one ran for 30s (chunk_timeout "
            "30s)");
}

TEST_F(ChunksTest, C3_EveryEndOfAChunkBeginsTheNext) {
  RunActive();
  EndChunks(At(30) - kTick, 1);
  EndChunks(At(59), 2);
  EndChunks(At(60), 2);  // none ended
  ExpectQuietBefore(At(89));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
  Progressed(3);  // in its grace
  Die();
  EXPECT_EQ(TheEnd().failure->message,
            "2 of 100 chunks were done, and the next one ran for 30s "
            "(chunk_timeout 30s)");
  EXPECT_EQ(TheEnd().last.progress->done, 3);
}

TEST_F(ChunksTest, C3_ToHaveDoneNothingYetEndsNoChunk) {
  RunActive();
  EndChunks(At(20), 0);
  ExpectQuietBefore(At(30));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_OutputIsNoEndOfAChunk) {
  RunActive();
  RunUntil(At(29));
  Stdout();
  ExpectQuietBefore(At(30));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_AChunkThatEndedBeforeItsOutputWasReadIsNotStopped) {
  RunActive();
  unread_.insert(0);
  RunUntil(At(30));
  ASSERT_EQ(Of<CheckOutput>().size(), 1u);
  Progressed(1);
  Step([&] { core_->OutputChecked(0, now_, &effects_); });
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  unread_.clear();
  ExpectQuietBefore(At(60));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_StartupIsNoPartOfAChunk) {
  Start(1);
  Run("j", supervision_);
  RunFor(absl::Seconds(500));
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  Stdout();
  ExpectQuietBefore(now_ + absl::Seconds(30));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_TheFirstProgressBeginsWhereStdoutSaysNothing) {
  Expect(1);
  Start(1);
  Run("j", supervision_);
  RunFor(absl::Seconds(100));
  Stderr();
  Progressed(2);  // nobody knows how long these two took
  ExpectQuietBefore(now_ + absl::Seconds(30));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_WhatIsCountedBeforeTheReadyPatternIsNoChunk) {
  supervision_.waits_for_ready = true;
  Start(1);
  Run("j", supervision_);
  Stdout();
  Progressed(1);
  RunFor(absl::Seconds(100));
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  Step([&] { core_->Ready(0, now_, &effects_); });
  ExpectQuietBefore(now_ + absl::Seconds(30));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_WhatIsCountedAnewAfterItIsChunks) {
  supervision_.waits_for_ready = true;
  Start(1);
  Run("j", supervision_);
  Stdout();
  Progressed(20);  // it loads 20 parts
  Step([&] { core_->Ready(0, now_, &effects_); });
  const absl::Time ready = now_;
  RunUntil(ready + absl::Seconds(29));
  Progressed(1);
  ExpectQuietBefore(ready + absl::Seconds(59));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_ASilentTaskHasItsChunksJudgedToo) {
  supervision_.silent = true;
  RunActive();
  ExpectQuietBefore(At(30));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_TwoSlowChunksStopTheRestAfterTheSecond) {
  Expect(5);
  RunActive();
  EndChunks(At(5) + kTick, 1);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
  EndChunks(At(12), 2);
  EXPECT_EQ(CauseNow(), Reason::kSlowChunks);
  Die();
  EXPECT_EQ(TheEnd().failure->message,
            "2 of 100 chunks were done; 2 in a row were slower than expected, "
            "the last one took 6.9s (expected_chunk_time 5s, "
            "max_consecutive_slow_chunks 2)");
}

TEST_F(ChunksTest, C3_AChunkOfTheExpectedTimeIsNotSlow) {
  Expect(5);
  RunActive();
  for (int chunk = 1; chunk <= 20; ++chunk) {
    EndChunks(At(5 * chunk), chunk);
    EXPECT_EQ(CauseNow(), Reason::kUnspecified);
  }
}

TEST_F(ChunksTest, C3_AFastChunkBeginsTheCountAnew) {
  Expect(5);
  RunActive();
  EndChunks(At(6), 1);
  EndChunks(At(11), 2);  // fast
  EndChunks(At(17), 3);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
  EndChunks(At(23), 4);
  EXPECT_EQ(CauseNow(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_TheCountIsThePolicysOwn) {
  Expect(5);
  supervision_.chunks->max_consecutive_slow_chunks = 3;
  RunActive();
  EndChunks(At(6), 1);
  EndChunks(At(12), 2);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
  EndChunks(At(18), 3);
  EXPECT_EQ(CauseNow(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_OneSlowChunkMayBeOneTooMany) {
  Expect(5);
  supervision_.chunks->max_consecutive_slow_chunks = 1;
  RunActive();
  EndChunks(At(6), 1);
  EXPECT_EQ(CauseNow(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_ChunksThatEndTogetherShareTheTime) {
  Expect(5);
  RunActive();
  EndChunks(At(15), 3);  // 5 s each
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
  EndChunks(At(25) + absl::Nanoseconds(2), 5);  // two, and both too slow
  EXPECT_EQ(CauseNow(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_MoreChunksAtOnceThanCanBeCounted) {
  Expect(5);
  RunActive();
  EndChunks(At(6), 1);
  EndChunks(At(7), std::numeric_limits<int64_t>::max(), 0);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
}

TEST_F(ChunksTest, C3_ASlowRunIsStoppedThoughTheNextChunkWasFast) {
  Expect(5);
  RunActive();
  EndChunks(At(6), 1);
  EndChunks(At(12), 2);
  Progressed(3);  // read in the same turn
  EXPECT_EQ(CauseNow(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_AFinishedJobIsNotStopped) {
  Expect(5);
  RunActive();
  EndChunks(At(6), 1, 2);
  EndChunks(At(12), 2, 2);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
  // What it does afterwards is no chunk.
  RunUntil(At(600));
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  EndByItself(0);
  EXPECT_EQ(TheEnd().failure, std::nullopt);
}

TEST_F(ChunksTest, C3_NorOneThatFinishesInTheTurnInWhichItWouldBe) {
  Expect(5);
  RunActive();
  EndChunks(At(6), 1, 3);
  EndChunks(At(12), 2, 3);
  Progressed(3, 0, 3);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
}

TEST_F(ChunksTest, C3_AGrowingTotalGoesOn) {
  RunActive();
  EndChunks(At(1), 2, 2);
  EndChunks(At(100), 3, 4);
  ExpectQuietBefore(At(130));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_AFastChunkOfAGrownTotalIsNotStoppedForThoseBefore) {
  Expect(5);
  RunActive();
  EndChunks(At(6), 1, 2);
  EndChunks(At(12), 2, 2);
  EndChunks(At(13), 3, 5);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
  EndChunks(At(19), 4, 5);
  EXPECT_EQ(CauseNow(), Reason::kUnspecified);
}

TEST_F(ChunksTest, C3_TheLastChunkEndedInTheGraceIsNoTruncation) {
  RunActive();
  EndChunks(At(1), 1, 2);
  RunUntil(At(31));
  ASSERT_EQ(StopCause(), Reason::kSlowChunks);
  RunFor(absl::Seconds(1));
  Progressed(2, 0, 2);
  EndByItself(0);
  EXPECT_EQ(TheEnd().failure, std::nullopt);
}

TEST_F(ChunksTest, C3_EndingInTheGraceWithoutTheLastChunkIs) {
  RunActive();
  EndChunks(At(1), 1, 3);
  RunUntil(At(31));
  RunFor(absl::Seconds(1));
  Progressed(2, 0, 3);
  EndByItself(0);
  EXPECT_EQ(EndReason(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_NeitherIsOneThatIsKilledAfterItsLastChunk) {
  RunActive();
  EndChunks(At(1), 1, 2);
  RunUntil(At(31));
  Progressed(2, 0, 2);
  RunFor(absl::Seconds(5));
  ASSERT_EQ(Of<KillTree>().size(), 1u);
  Die();
  EXPECT_EQ(EndReason(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_AChunkRestsWhileReadingIsPaused) {
  Expect(25);
  RunActive();
  RunUntil(At(20));
  Step([&] { core_->ReadingPaused(0, now_); });
  RunUntil(At(120));
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  Step([&] { core_->ReadingResumed(0, now_); });
  EndChunks(At(125), 1);  // 25 s
  ExpectQuietBefore(At(155));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_AChunkThatEndsInARestHadTheTimeBeforeIt) {
  RunActive();
  RunUntil(At(20));
  Step([&] { core_->ReadingPaused(0, now_); });
  RunUntil(At(120));
  Progressed(1);
  Step([&] { core_->ReadingResumed(0, now_); });
  ExpectQuietBefore(At(150));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_AStallIsGranted) {
  RunActive();
  RunUntil(At(20));
  now_ = At(120);
  Step([&] { core_->GrantStall(absl::Seconds(100)); });
  ExpectQuietBefore(At(130));
  EXPECT_EQ(StopCause(), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_ObserveRecordsEachSlowChunkOnce) {
  supervision_.observe = true;
  RunActive();
  RunUntil(At(200));
  ASSERT_EQ(Observed().size(), 1u);
  EXPECT_EQ(Observed()[0].reason, Reason::kSlowChunks);
  Progressed(1);
  RunUntil(At(300));
  EXPECT_EQ(Observed().size(), 1u);
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
}

TEST_F(ChunksTest, C3_ObserveRecordsEachRowOfSlowChunksOnce) {
  Expect(5);
  supervision_.observe = true;
  RunActive();
  int64_t done = 0;
  const auto chunk = [&](int seconds) {
    RunFor(absl::Seconds(seconds));
    Progressed(++done);
    RunUntil(now_);
    return Observed().size();
  };
  EXPECT_EQ(chunk(6), 0u);
  EXPECT_EQ(chunk(6), 1u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(chunk(6), 0u);
  EXPECT_EQ(chunk(4), 0u);
  EXPECT_EQ(chunk(6), 0u);
  EXPECT_EQ(chunk(6), 1u);
  EXPECT_EQ(core_->slot_state(0), SlotState::kRunning);
}

TEST_F(ChunksTest, C3_AWarmTaskIsAskedByAFrameAndHandsInWhatItHas) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "j", 0, supervision_);
  Progressed(1, 0, 2);
  ExpectQuietBefore(now_ + absl::Seconds(30));
  ASSERT_EQ(StopCause(), Reason::kSlowChunks);
  EXPECT_TRUE(Of<SoftStop>()[0].by_frame);
  Finish("j");
  EXPECT_EQ(EndReason(), Reason::kSlowChunks);
  // Its program stays.
  EXPECT_EQ(core_->slot_state(0), SlotState::kWarm);
}

TEST_F(ChunksTest, C3_AWarmTaskThatFinishesInItsGraceHasFinished) {
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "j", 0, supervision_);
  Progressed(1, 0, 2);
  RunFor(absl::Seconds(30));
  ASSERT_EQ(StopCause(), Reason::kSlowChunks);
  Progressed(2, 0, 2);
  Finish("j");
  EXPECT_EQ(TheEnd().failure, std::nullopt);
}

TEST_F(ChunksTest, C3_AResultBehindASlowChunkEndsTheJobFirst) {
  Expect(5);
  Start(1);
  const TaskTypeRulesPtr type = Offer(Warm());
  Begin(type, "j", 0, supervision_);
  start_ = now_;
  EndChunks(At(6), 1, 0);
  unread_.insert(0);
  EndChunks(At(12), 2, 0);
  TickAt(now_);
  ASSERT_EQ(Of<CheckOutput>().size(), 1u);
  Result("j");
  Step([&] { core_->OutputChecked(0, now_, &effects_); });
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
  Inspected();
  EXPECT_EQ(TheEnd().failure, std::nullopt);
}

TEST_F(ChunksTest, C3_AWarmUpHasNoChunks) {
  Start(1);
  TaskTypeRules rules = Warm();
  rules.warm_up.emplace();
  const TaskTypeRulesPtr type = Offer(rules);
  Assign(type, "j", supervision_);
  Spawned(0);
  Stdout();
  RunFor(absl::Seconds(40));
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
}

TEST_F(ChunksTest, C3_WithoutAPolicyProgressIsNoChunk) {
  supervision_.chunks.reset();
  RunActive();
  EndChunks(At(1), 1);
  RunUntil(At(1000));
  EXPECT_EQ(StopCause(), Reason::kUnspecified);
}

}  // namespace
}  // namespace vigil::worker
