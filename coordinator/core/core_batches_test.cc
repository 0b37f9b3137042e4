// Proves what batches promise: every accepted item has one outcome, in flight
// there are never more than asked for, a sequential batch never overlaps, and a
// stopped one ends when its jobs have (B6, B7, B8, C4). Items are started as
// the engine does it, whenever there is room; clients and workers are simulated
// (see core_fixture.h).
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core/core_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class BatchesTest : public CoreFixture {
 protected:
  const BatchId kBatch{"b"};

  void Create() {
    NewBatch batch;
    batch.id = kBatch;
    batch.namespace_ = "default";
    batch.policy = policy_;
    Step([&] {
      ASSERT_TRUE(core_->CreateBatch(std::move(batch), now_, &fx_).ok());
    });
  }
  void Accept(int items) {
    Step([&] { core_->AcceptItems(kBatch, items, &fx_); });
  }
  // Makes jobs of items for as long as there are some and there is room. They
  // are named j0, j1...
  void Start() {
    Step([&] {
      while (TheBatch().room() > 0 &&
             TheBatch().started < TheBatch().accepted) {
        const std::string id = absl::StrCat("j", TheBatch().started);
        ASSERT_TRUE(
            core_->StartItem(kBatch, Command(id, job_policy_), now_, &fx_)
                .ok());
      }
      core_->Tick(now_, &fx_);
    });
  }
  void Close() {
    Step([&] { core_->CloseBatch(kBatch, now_, &fx_); });
  }
  // A closed batch of `items` on a worker with `slots` slots.
  void Run(int items, int slots) {
    ASSERT_TRUE(Attach(1, Hello("w", slots)).ok());
    Create();
    Accept(items);
    Close();
    Start();
  }
  void EndJob(int index, Reason reason = Reason::kUnspecified) {
    End(1, EndOf(Id(absl::StrCat("j", index)), reason));
  }
  const Batch& TheBatch() const {
    const Batch* batch = core_->FindBatch(kBatch);
    EXPECT_NE(batch, nullptr);
    return *batch;
  }
  // Index and number of the items that ended in the last step.
  std::vector<std::pair<int64_t, int64_t>> ItemEnds() const {
    std::vector<std::pair<int64_t, int64_t>> ends;
    for (const ItemEnd& end : fx_.item_ends) {
      EXPECT_EQ(end.batch, kBatch);
      ends.emplace_back(end.index, end.number);
    }
    return ends;
  }
  using Ends = std::vector<std::pair<int64_t, int64_t>>;

  BatchPolicy policy_;
  JobPolicy job_policy_;
};

TEST_F(BatchesTest, B6_NeverMoreInFlightThanAskedFor) {
  policy_.max_in_flight = 3;
  Run(10, 8);
  EXPECT_EQ(TheBatch().in_flight(), 3);
  EXPECT_EQ(TheBatch().room(), 0);
  EXPECT_EQ(core_->live_jobs(), 3);
  EndJob(1);
  EXPECT_EQ(ItemEnds(), (Ends{{1, 1}}));
  EXPECT_EQ(TheBatch().room(), 1);
  Start();
  EXPECT_EQ(Assigned(), Ids{Id("j3")});
}

TEST_F(BatchesTest, C4_ASequentialBatchWaitsForTheEndRetriesIncluded) {
  policy_.max_in_flight = 1;
  job_policy_.retry.retry_on = {Reason::kNonzeroExit};
  Run(2, 8);
  EndJob(0, Reason::kNonzeroExit);
  EXPECT_EQ(StateOf("j0"), JobState::kBackoff);
  Start();
  EXPECT_EQ(TheBatch().started, 1);
  now_ = Get("j0").retry_time;
  Heartbeat(1);
  Tick();
  End(1, EndOf(Id("j0", 2)));
  EXPECT_EQ(TheBatch().retried, 1);
  Start();
  EXPECT_EQ(Assigned(), Ids{Id("j1")});
}

TEST_F(BatchesTest, B8_OneBadItemFailsAlone) {
  Run(3, 3);
  EndJob(0, Reason::kInvalidInput);
  EndJob(2);
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  EndJob(1);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
  EXPECT_EQ(TheBatch().succeeded, 2);
  EXPECT_EQ(TheBatch().failed, 1);
  EXPECT_FALSE(TheBatch().partial());
  EXPECT_EQ(TheBatch().reasons.at(Reason::kInvalidInput), 1);
  EXPECT_EQ(TheBatch().end_time, now_);
}

TEST_F(BatchesTest, B8_ARefusedItemIsAnOutcome) {
  Create();
  Accept(2);
  Close();
  Step([&] {
    core_->RefuseItem(kBatch, absl::InvalidArgumentError("argv[1]"), now_,
                      &fx_);
  });
  ASSERT_EQ(fx_.item_ends.size(), 1u);
  EXPECT_EQ(fx_.item_ends[0].job, JobId());
  EXPECT_EQ(fx_.item_ends[0].refusal.message(), "argv[1]");
  EXPECT_EQ(TheBatch().refused, 1);
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Start();
  EndJob(1);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
}

TEST_F(BatchesTest, AnOpenBatchIsNotOver) {
  ASSERT_TRUE(Attach(1, Hello("w")).ok());
  Create();
  Accept(1);
  Start();
  EndJob(0);
  EXPECT_EQ(TheBatch().state, BatchState::kOpen);
  Close();
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
}

TEST_F(BatchesTest, AnEmptyBatchEndsWhenItIsClosed) {
  Create();
  Close();
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
  EXPECT_FALSE(TheBatch().partial());
  EXPECT_NE(core_->ForgetBatch(kBatch), nullptr);
  EXPECT_EQ(core_->FindBatch(kBatch), nullptr);
}

TEST_F(BatchesTest, ALiveBatchIsNotForgotten) {
  Create();
  EXPECT_EQ(core_->ForgetBatch(kBatch), nullptr);
  EXPECT_NE(core_->FindBatch(kBatch), nullptr);
}

TEST_F(BatchesTest, B7_TheDeadlineKeepsWhatHasFinishedAndCancelsTheRest) {
  policy_.max_in_flight = 3;
  policy_.schedule_to_close = absl::Seconds(20);
  const absl::Time deadline = now_ + absl::Seconds(20);
  Run(5, 2);  // j0 and j1 run, j2 waits, two items did not start.
  EndJob(0);
  Start();  // j2 runs, j3 waits.
  now_ = deadline - kTick;
  Heartbeat(1);
  Tick();
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  TickAt(deadline);
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
  EXPECT_EQ(TheBatch().room(), 0);
  EXPECT_EQ(Stopped(), (Ids{Id("j1"), Id("j2")}));
  EXPECT_EQ(StateOf("j3"), JobState::kCancelled);
  EXPECT_EQ(ItemEnds(), (Ends{{3, 2}}));
  EndJob(1, Reason::kCancelled);
  // It may still succeed: its result was there first.
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
  EndJob(2);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
  EXPECT_TRUE(TheBatch().partial());
  EXPECT_EQ(TheBatch().stop_cause, StopCause::kDeadline);
  EXPECT_EQ(TheBatch().succeeded, 2);
  EXPECT_EQ(TheBatch().cancelled, 2);
  EXPECT_EQ(TheBatch().not_run(), 1);
}

TEST_F(BatchesTest, FailuresStopIt) {
  policy_.stop_rule.failures = 2;
  Run(4, 4);
  EndJob(0, Reason::kNonzeroExit);
  EndJob(1);
  Tick();
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  EndJob(2, Reason::kNonzeroExit);
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
  EXPECT_EQ(TheBatch().stop_cause, StopCause::kStopRule);
  Tick();
  EXPECT_EQ(Stopped(), Ids{Id("j3")});
}

TEST_F(BatchesTest, FailuresOneAfterTheOtherStopIt) {
  policy_.stop_rule.consecutive_failures = 2;
  Run(5, 5);
  EndJob(0, Reason::kNonzeroExit);
  EndJob(1);
  EndJob(2, Reason::kNonzeroExit);
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  EndJob(3, Reason::kNonzeroExit);
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
}

TEST_F(BatchesTest, AShareOfFailuresStopsItOnceThereAreEnough) {
  policy_.stop_rule.failure_ratio = 0.25;
  Run(30, 30);
  for (int i = 0; i < 5; ++i) EndJob(i, Reason::kNonzeroExit);
  for (int i = 5; i < 20; ++i) EndJob(i);
  // 5 of 20 are not more than a quarter.
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  EndJob(20, Reason::kNonzeroExit);
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
}

TEST_F(BatchesTest, TheItemThatMakesThemEnoughMaySucceed) {
  policy_.stop_rule.failure_ratio = 0.25;
  Run(30, 30);
  for (int i = 0; i < 6; ++i) EndJob(i, Reason::kNonzeroExit);
  for (int i = 6; i < 19; ++i) EndJob(i);
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  EndJob(19);
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
}

TEST_F(BatchesTest, TheLastFailureEndsItWithoutStoppingIt) {
  policy_.stop_rule.failures = 1;
  Run(1, 1);
  EndJob(0, Reason::kNonzeroExit);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
  EXPECT_FALSE(TheBatch().partial());
}

TEST_F(BatchesTest, DegradedItemsAreCountedAndDoNotStopIt) {
  policy_.stop_rule.failures = 1;
  job_policy_.fallback.declared = true;
  Run(2, 2);
  EndJob(0, Reason::kNonzeroExit);
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  EXPECT_EQ(TheBatch().degraded, 1);
  EXPECT_EQ(TheBatch().succeeded, 1);
  EXPECT_EQ(TheBatch().reasons.at(Reason::kNonzeroExit), 1);
}

TEST_F(BatchesTest, C3_TruncatedItemsAreCountedAndDoNotStopIt) {
  policy_.stop_rule.failures = 1;
  job_policy_.chunked = true;
  Run(2, 2);
  AttemptEnd end = EndOf(Id("j0"), Reason::kSlowChunks);
  end.last.progress = Progress{3, 10, ""};
  End(1, std::move(end));
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
  EXPECT_EQ(TheBatch().truncated, 1);
  EXPECT_EQ(TheBatch().succeeded, 1);
  EXPECT_TRUE(TheBatch().reasons.empty());
}

TEST_F(BatchesTest, ACancelledBatchEndsWhenItsJobsHave) {
  Run(2, 1);
  Step([&] {
    core_->CancelBatch(kBatch, &fx_);
    core_->Tick(now_, &fx_);
  });
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
  EndJob(0, Reason::kCancelled);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
  EXPECT_EQ(TheBatch().cancelled, 2);
  Step([&] { core_->CancelBatch(kBatch, &fx_); });
  EXPECT_TRUE(fx_.save_batches.empty());
}

TEST_F(BatchesTest, AJobThatIsCancelledAloneIsOneOutcome) {
  Run(2, 2);
  Cancel("j0");
  EndJob(0, Reason::kCancelled);
  EXPECT_EQ(TheBatch().cancelled, 1);
  EXPECT_EQ(TheBatch().state, BatchState::kClosed);
}

TEST_F(BatchesTest, ABrokenStreamStopsItUnlessTakenUp) {
  policy_.streamed = true;
  Create();
  const int64_t first = core_->BatchOwnerBack(kBatch);
  Step([&] { core_->BatchOwnerGone(kBatch, first, now_); });
  now_ += kOwnerGrace - kTick;
  Tick();
  const int64_t second = core_->BatchOwnerBack(kBatch);
  // Heard of late: the first is not the owner any more.
  Step([&] { core_->BatchOwnerGone(kBatch, first, now_); });
  now_ += 2 * kOwnerGrace;
  Tick();
  EXPECT_EQ(TheBatch().state, BatchState::kOpen);
  Step([&] { core_->BatchOwnerGone(kBatch, second, now_); });
  TickAt(now_ + kOwnerGrace);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
  EXPECT_EQ(TheBatch().stop_cause, StopCause::kDisconnected);
}

TEST_F(BatchesTest, WhileTheLoopStoodStillNobodyCouldTakeItUp) {
  policy_.streamed = true;
  Create();
  const int64_t owner = core_->BatchOwnerBack(kBatch);
  core_->BatchOwnerGone(kBatch, owner, now_);
  const absl::Time due = now_ + kOwnerGrace + absl::Seconds(7);
  Step([&] { core_->GrantStall(absl::Seconds(7)); });
  TickAt(due - kTick);
  EXPECT_EQ(TheBatch().state, BatchState::kOpen);
  TickAt(due);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
}

TEST_F(BatchesTest, ABatchWithoutStreamNeedsNone) {
  Create();
  const int64_t owner = core_->BatchOwnerBack(kBatch);
  Step([&] { core_->BatchOwnerGone(kBatch, owner, now_); });
  TickAt(now_ + 2 * kOwnerGrace);
  EXPECT_EQ(TheBatch().state, BatchState::kOpen);
}

TEST_F(BatchesTest, ARestartGoesOnWhereItWas) {
  policy_.streamed = true;
  policy_.max_in_flight = 2;
  Run(3, 1);
  auto batch = std::make_unique<Batch>();
  batch->id = kBatch;
  batch->policy = policy_;
  batch->state = TheBatch().state;
  batch->create_time = TheBatch().create_time;
  batch->accepted = 3;
  batch->started = 2;
  std::vector<std::unique_ptr<Job>> jobs;
  for (const char* id : {"j0", "j1"}) {
    auto job = std::make_unique<Job>();
    job->id = JobId(id);
    job->batch = kBatch;
    job->batch_index = id[1] - '0';
    job->policy = std::make_shared<const JobPolicy>();
    job->create_time = job->queue_time = now_;
    jobs.push_back(std::move(job));
  }
  Restart({});
  core_->RestoreBatch(std::move(batch), now_);
  for (auto& job : jobs) core_->Restore(std::move(job), now_);
  EXPECT_EQ(TheBatch().in_flight(), 2);
  ASSERT_TRUE(Attach(2, Hello("w2")).ok());
  Tick();
  EXPECT_EQ(Assigned(), Ids{Id("j0")});
  // Nobody takes its stream up.
  TickAt(now_ + kOwnerGrace);
  EXPECT_EQ(TheBatch().state, BatchState::kStopping);
  EXPECT_EQ(Stopped(), Ids{Id("j0")});
}

TEST_F(BatchesTest, AStopThatWasUnderWayGoesOnAfterARestart) {
  auto batch = std::make_unique<Batch>();
  batch->id = kBatch;
  batch->state = BatchState::kStopping;
  batch->stop_cause = StopCause::kCancelled;
  batch->accepted = batch->started = 1;
  auto job = std::make_unique<Job>();
  job->id = JobId("j0");
  job->batch = kBatch;
  job->policy = std::make_shared<const JobPolicy>();
  job->create_time = job->queue_time = now_;
  core_->RestoreBatch(std::move(batch), now_);
  core_->Restore(std::move(job), now_);
  Tick();
  EXPECT_EQ(StateOf("j0"), JobState::kCancelled);
  EXPECT_EQ(TheBatch().state, BatchState::kEnded);
}

TEST_F(BatchesTest, LiveBatchesAreBounded) {
  for (int64_t i = 0; i < kLiveBatchesMax; ++i) {
    NewBatch batch;
    batch.id = BatchId(absl::StrCat("b", i));
    ASSERT_TRUE(core_->CreateBatch(std::move(batch), now_, &fx_).ok());
  }
  NewBatch batch;
  batch.id = BatchId("one too many");
  EXPECT_TRUE(absl::IsResourceExhausted(
      core_->CreateBatch(std::move(batch), now_, &fx_).status()));
}

}  // namespace
}  // namespace vigil::coordinator
