// Proves that a job whose chunks were too slow keeps what was done: what it
// handed in, else its last checkpoint, else the chunks that it ended; that
// retries come first; and that a cancel, an unconfirmed death and an end with
// nothing done are what they are (C3). Clients and workers are simulated (see
// core_fixture.h).
#include <memory>
#include <optional>
#include <string>

#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class ChunksTest : public CoreFixture {
 protected:
  ChunksTest() {
    policy_.retry.jitter = 0;
    policy_.chunked = true;
  }

  void RunJob() { CoreFixture::RunJob(policy_); }
  // An attempt that was stopped for its chunks, and handed in `result`.
  static AttemptEnd Slow(std::optional<Progress> progress,
                         const char* result = nullptr, int attempt = 1) {
    AttemptEnd end = EndOf(Id("j", attempt), Reason::kSlowChunks);
    end.last.progress = std::move(progress);
    if (result != nullptr) {
      end.result = std::make_shared<const std::string>(result);
    }
    return end;
  }
  void ExpectTruncated(int64_t done, int64_t total) {
    EXPECT_EQ(StateOf("j"), JobState::kSucceeded);
    EXPECT_EQ(Get("j").failure, std::nullopt);
    EXPECT_EQ(Get("j").fallback_failure, std::nullopt);
    ASSERT_TRUE(Get("j").truncation.has_value());
    EXPECT_EQ(Get("j").truncation->failure.reason, Reason::kSlowChunks);
    EXPECT_EQ(Get("j").truncation->failure.message, "as the test says");
    EXPECT_EQ(Get("j").truncation->chunks_done, done);
    EXPECT_EQ(Get("j").truncation->chunks_total, total);
    EXPECT_EQ(Get("j").checkpoint, std::nullopt);
    EXPECT_EQ(Get("j").end_time, now_);
    // The attempt itself failed.
    EXPECT_EQ(Get("j").current().failure->reason, Reason::kSlowChunks);
    EXPECT_EQ(core_->counters().truncations, 1);
    EXPECT_EQ(core_->counters().ended[static_cast<int>(JobState::kSucceeded)],
              1);
  }
  void ExpectNotTruncated(JobState state) {
    EXPECT_EQ(StateOf("j"), state);
    EXPECT_EQ(Get("j").truncation, std::nullopt);
    EXPECT_EQ(core_->counters().truncations, 0);
  }
  void RunAgain(int attempt) {
    now_ = Get("j").retry_time;
    Heartbeat(1);
    Tick();
    ASSERT_EQ(Assigned(), (Ids{Id("j", attempt)}));
  }

  JobPolicy policy_;
};

TEST_F(ChunksTest, C3_WhatItHandedInIsTheResult) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "state");
  End(1, Slow(Progress{3, 10, ""}, "three"));
  ExpectTruncated(3, 10);
  EXPECT_EQ(Get("j").result_bytes, 5);
  EXPECT_EQ(ResultStored("j"), "three");
}

TEST_F(ChunksTest, C3_WhatItHandedInMayBeEmpty) {
  RunJob();
  End(1, Slow(std::nullopt, ""));
  ExpectTruncated(0, 0);
  EXPECT_EQ(Get("j").result_bytes, 0);
  EXPECT_EQ(ResultStored("j"), "");
}

TEST_F(ChunksTest, C3_ElseItsLastCheckpointIs) {
  RunJob();
  TakeCheckpoint(1, Id("j"), "state");
  End(1, Slow(Progress{3, 10, ""}));
  ExpectTruncated(3, 10);
  EXPECT_EQ(Get("j").result_bytes, 5);
  // The store has it already.
  EXPECT_EQ(ResultStored("j"), std::nullopt);
}

TEST_F(ChunksTest, C3_ElseItHasNoneAndWhatItWroteIsKept) {
  RunJob();
  End(1, Slow(Progress{1, 0, ""}));
  ExpectTruncated(1, 0);
  EXPECT_EQ(Get("j").result_bytes, std::nullopt);
  EXPECT_EQ(ResultStored("j"), std::nullopt);
}

TEST_F(ChunksTest, C3_WithNothingDoneItFails) {
  for (const bool counted : {false, true}) {
    Restart({});
    RunJob();
    End(1, Slow(counted ? std::optional(Progress{0, 10, ""}) : std::nullopt));
    ExpectNotTruncated(JobState::kFailed);
    EXPECT_EQ(ReasonOf("j"), Reason::kSlowChunks);
  }
}

TEST_F(ChunksTest, C3_WithNothingDoneAFallbackApplies) {
  policy_.fallback.declared = true;
  RunJob();
  End(1, Slow(std::nullopt));
  ExpectNotTruncated(JobState::kSucceeded);
  EXPECT_EQ(Get("j").fallback_failure->reason, Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_WhatWasDoneIsBetterThanAFallback) {
  policy_.fallback.declared = true;
  RunJob();
  End(1, Slow(Progress{3, 10, ""}, "three"));
  ExpectTruncated(3, 10);
  EXPECT_EQ(ResultStored("j"), "three");
  EXPECT_EQ(core_->counters().fallbacks, 0);
}

TEST_F(ChunksTest, C3_RetriesComeFirstIfTheyAreAskedFor) {
  policy_.retry.maximum_attempts = 2;
  policy_.retry.retry_on = {Reason::kSlowChunks};
  RunJob();
  TakeCheckpoint(1, Id("j"), "state");
  End(1, Slow(Progress{3, 10, ""}, "three"));
  ExpectNotTruncated(JobState::kBackoff);
  EXPECT_EQ(Get("j").checkpoint->size_bytes, 5);
  RunAgain(2);
  End(1, Slow(Progress{7, 10, ""}, nullptr, 2));
  ExpectTruncated(7, 10);
  // The first attempt's checkpoint.
  EXPECT_EQ(Get("j").result_bytes, 5);
}

TEST_F(ChunksTest, C3_ChunksThatAnEarlierAttemptLeftAreItsOwn) {
  policy_.retry.retry_on = {Reason::kNonzeroExit};
  RunJob();
  TakeCheckpoint(1, Id("j"), "state");
  AttemptEnd died = EndOf(Id("j"), Reason::kNonzeroExit);
  died.last.progress = Progress{4, 10, ""};
  End(1, std::move(died));
  RunAgain(2);
  End(1, Slow(std::nullopt, nullptr, 2));
  ExpectTruncated(4, 10);
  EXPECT_EQ(Get("j").result_bytes, 5);
}

TEST_F(ChunksTest, C3_ARetryThatFinishesIsWhole) {
  policy_.retry.retry_on = {Reason::kSlowChunks};
  RunJob();
  TakeCheckpoint(1, Id("j"), "state");
  End(1, Slow(Progress{3, 10, ""}, "three"));
  RunAgain(2);
  End(1, EndOf(Id("j", 2)));
  ExpectNotTruncated(JobState::kSucceeded);
  EXPECT_EQ(ResultStored("j"), "");  // the checkpoint is emptied
}

TEST_F(ChunksTest, C3_ACancelledJobIsCancelled) {
  RunJob();
  Cancel("j");
  End(1, Slow(Progress{3, 10, ""}, "three"));
  ExpectNotTruncated(JobState::kCancelled);
  EXPECT_EQ(Get("j").result_bytes, 5);  // partial
}

TEST_F(ChunksTest, C3_ATreeThatIsNotProvedDeadFails) {
  RunJob();
  AttemptEnd end = Slow(Progress{3, 10, ""}, "three");
  end.evidence.emplace();
  end.evidence->death_unconfirmed = true;
  End(1, std::move(end));
  ExpectNotTruncated(JobState::kFailed);
  EXPECT_EQ(ReasonOf("j"), Reason::kSlowChunks);
}

TEST_F(ChunksTest, C3_OnlySlowChunksTruncate) {
  RunJob();
  AttemptEnd end = EndOf(Id("j"), Reason::kInactivityTimeout);
  end.last.progress = Progress{3, 10, ""};
  End(1, std::move(end));
  ExpectNotTruncated(JobState::kFailed);
}

TEST_F(ChunksTest, C3_WithoutAPolicyNothingTruncates) {
  policy_.chunked = false;  // the task itself gave that reason
  RunJob();
  End(1, Slow(Progress{3, 10, ""}, "three"));
  ExpectNotTruncated(JobState::kFailed);
}

}  // namespace
}  // namespace vigil::coordinator
