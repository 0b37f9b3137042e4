// Proves what `vigil doctor` makes of jobs and batches: good ones are ok, with
// their figures, and each way in which they can be wrong is a failure.
#include "client/cli/doctor_verdicts.h"

#include "base/wire/time_wire.h"
#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using State = CheckResult::State;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

absl::Time At(int ms) { return kStart + absl::Milliseconds(ms); }

v1::Job JobThat(v1::Job::State state,
                v1::Failure::Reason reason = v1::Failure::REASON_UNSPECIFIED) {
  v1::Job job;
  job.set_job_id("j");
  job.set_state(state);
  job.add_attempts()->set_worker_id("w");
  if (reason != v1::Failure::REASON_UNSPECIFIED) {
    job.mutable_failure()->set_reason(reason);
    job.mutable_failure()->set_message("why");
  }
  return job;
}

v1::Job Ran(int start_ms, int end_ms) {
  v1::Job job = JobThat(v1::Job::STATE_SUCCEEDED);
  ToProto(At(start_ms), job.mutable_start_time());
  ToProto(At(end_ms), job.mutable_end_time());
  return job;
}

v1::Evidence* EvidenceOf(v1::Job* job) {
  return job->mutable_attempts(0)->mutable_evidence();
}

std::shared_ptr<SeenJob> SeenRun(int start_ms, int end_ms) {
  return std::make_shared<SeenJob>(SeenJob{.submit_time = kStart,
                                           .first_output_time = At(start_ms),
                                           .job = Ran(start_ms, end_ms)});
}

SlotSurvey Slots(int slots, int busy) {
  SlotSurvey survey;
  survey.slots = slots;
  survey.busy = busy;
  survey.free = slots - busy;
  return survey;
}

class BatchBuilder {
 public:
  BatchBuilder() : batch_{.submit_time = kStart} {}

  BatchBuilder& Add(int64_t index, v1::Job job, int time_ms) {
    SeenBatch::Result seen{.time = At(time_ms)};
    seen.result.set_index(index);
    *seen.result.mutable_job() = std::move(job);
    batch_.results.push_back(std::move(seen));
    return *this;
  }
  BatchBuilder& Refuse(int64_t index) {
    SeenBatch::Result seen{.time = kStart};
    seen.result.set_index(index);
    seen.result.mutable_refusal()->set_message("too long");
    batch_.results.push_back(std::move(seen));
    return *this;
  }
  SeenBatch Build() {
    batch_.end_time = At(500);
    return batch_;
  }

 private:
  SeenBatch batch_;
};

// --- slots
TEST(DoctorVerdictsTest, JobsAtOnceAreOk) {
  const CheckResult result =
      JudgeSlots({SeenRun(20, 1000), SeenRun(12, 1010)}, Slots(3, 1));
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_EQ(
      result.message,
      "2 jobs ran at once on 3 slots (1 busy); first output after 0.012s");
}

TEST(DoctorVerdictsTest, JobsOneAfterTheOtherAreNot) {
  EXPECT_EQ(
      JudgeSlots({SeenRun(0, 1000), SeenRun(999, 1999)}, Slots(2, 0)).state,
      State::kOk);
  const CheckResult result =
      JudgeSlots({SeenRun(0, 1000), SeenRun(1000, 2000)}, Slots(2, 0));
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message, HasSubstr("did not run at once"));
  EXPECT_THAT(result.advice, Not(IsEmpty()));
}

TEST(DoctorVerdictsTest, AJobThatFailsOrSaysNothingFailsTheSlots) {
  auto failed = SeenRun(0, 1000);
  failed->job =
      JobThat(v1::Job::STATE_FAILED, v1::Failure::REASON_RESOURCE_EXHAUSTED);
  CheckResult result = JudgeSlots({failed}, Slots(1, 0));
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_EQ(result.message,
            "job j ended FAILED: RESOURCE_EXHAUSTED: why; it was to succeed");
  auto silent = SeenRun(0, 1000);
  silent->first_output_time.reset();
  result = JudgeSlots({silent}, Slots(1, 0));
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message, HasSubstr("output of job j did not come"));
}

// --- nested pool
class NestedPoolVerdictTest : public ::testing::Test {
 protected:
  NestedPoolVerdictTest() {
    worker_.set_worker_id("w");
    worker_.mutable_nesting_filter()->set_state(
        v1::NestingFilter::STATE_ENFORCED);
    v1::NestedCall* call = job_.mutable_attempts(0)->add_nested_calls();
    call->set_program("sh");
    call->set_call("fork");
  }

  v1::Job job_ =
      JobThat(v1::Job::STATE_FAILED, v1::Failure::REASON_NESTED_POOL);
  v1::Worker worker_;
};

TEST_F(NestedPoolVerdictTest, ADetectedOneIsOkWithProgramCallAndFilter) {
  const CheckResult result = JudgeNestedPool(job_, {v1::Worker(), worker_});
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_EQ(result.message,
            "NESTED_POOL ended sh for its second process (fork); filter "
            "ENFORCED");
}

TEST_F(NestedPoolVerdictTest, AnUnavailableFilterIsSaidWithItsProblem) {
  worker_.mutable_nesting_filter()->set_state(
      v1::NestingFilter::STATE_UNAVAILABLE);
  worker_.mutable_nesting_filter()->set_problem("no seccomp");
  const CheckResult result = JudgeNestedPool(job_, {worker_});
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_THAT(result.message, HasSubstr("filter UNAVAILABLE: no seccomp"));
}

TEST_F(NestedPoolVerdictTest, OneThatWasLetThroughIsAFailure) {
  CheckResult result =
      JudgeNestedPool(JobThat(v1::Job::STATE_SUCCEEDED), {worker_});
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message, HasSubstr("was not stopped; filter ENFORCED"));
  result = JudgeNestedPool(
      JobThat(v1::Job::STATE_FAILED, v1::Failure::REASON_SIGNALLED), {worker_});
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message, HasSubstr("it was to end NESTED_POOL"));
  job_.mutable_attempts(0)->clear_nested_calls();
  EXPECT_EQ(JudgeNestedPool(job_, {worker_}).state, State::kFailed);
}

// --- batches
TEST(DoctorVerdictsTest, ABatchWithOneBadItemIsOk) {
  const v1::Job bad =
      JobThat(v1::Job::STATE_FAILED, v1::Failure::REASON_NONZERO_EXIT);
  const SeenBatch batch = BatchBuilder()
                              .Add(1, bad, 2)
                              .Add(0, Ran(0, 1), 3)
                              .Add(2, Ran(0, 1), 4)
                              .Build();
  const CheckResult result = JudgeBatch(batch, 3, 1);
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_EQ(result.message, "3 items, 6 jobs/s; the bad one failed alone");
  // Another one was to be bad.
  EXPECT_EQ(JudgeBatch(batch, 3, 2).state, State::kFailed);
  // One is missing.
  EXPECT_THAT(JudgeBatch(batch, 4, 1).message,
              HasSubstr("of 4 items 3 came back"));
}

TEST(DoctorVerdictsTest, ABadItemThatSucceedsOrARefusedOneIsAFailure) {
  const CheckResult result =
      JudgeBatch(BatchBuilder().Add(0, Ran(0, 1), 2).Build(), 1, 0);
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message, HasSubstr("it was to fail by itself"));
  EXPECT_THAT(JudgeBatch(BatchBuilder().Refuse(0).Build(), 1, 0).message,
              HasSubstr("item 0 never became a job: too long"));
}

TEST(DoctorVerdictsTest, AResultThatComesTwiceIsAFailure) {
  const SeenBatch batch = BatchBuilder()
                              .Add(0, Ran(0, 1), 1)
                              .Add(0, Ran(0, 1), 1)
                              .Add(1, Ran(1, 2), 2)
                              .Build();
  const CheckResult result = JudgeOrder(batch, 2);
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message,
              HasSubstr("of 2 items 2 came back, in 3 results"));
}

TEST(DoctorVerdictsTest, ItemsOneAfterTheOtherAreInOrder) {
  const CheckResult result = JudgeOrder(BatchBuilder()
                                            .Add(0, Ran(0, 10), 11)
                                            .Add(1, Ran(10, 20), 21)
                                            .Add(2, Ran(24, 30), 31)
                                            .Build(),
                                        3);
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_EQ(result.message,
            "3 items in order, never two at once; at most 0.004s from one to "
            "the next");
}

TEST(DoctorVerdictsTest, AnOverlapOrAnotherOrderIsAFailure) {
  CheckResult result = JudgeOrder(
      BatchBuilder().Add(0, Ran(0, 10), 11).Add(1, Ran(9, 20), 21).Build(), 2);
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message,
              HasSubstr("item 1 of a SEQUENTIAL batch began 0.001s before "
                        "item 0 had ended"));
  result = JudgeOrder(
      BatchBuilder().Add(1, Ran(0, 10), 11).Add(0, Ran(10, 20), 21).Build(), 2);
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_THAT(result.message, HasSubstr("item 1 of a SEQUENTIAL batch came"));
}

SeenBatch SlowFirst(int slow_ms) {
  return BatchBuilder()
      .Add(1, Ran(0, 1), 5)
      .Add(2, Ran(0, 1), 10)
      .Add(0, Ran(0, slow_ms), slow_ms)
      .Build();
}

TEST(DoctorVerdictsTest, ResultsThatComeEarlyEnoughAreOk) {
  const int lead_ms =
      static_cast<int>(absl::ToInt64Milliseconds(kDoctorLeadMin));
  EXPECT_EQ(JudgeResults(SlowFirst(10 + lead_ms), 3).state, State::kOk);
  const CheckResult late = JudgeResults(SlowFirst(10 + lead_ms - 1), 3);
  EXPECT_EQ(late.state, State::kFailed);
  EXPECT_THAT(late.message, HasSubstr("came 0.099s before that of one"));
  EXPECT_THAT(JudgeResults(SlowFirst(8), 3).message,
              HasSubstr("came 0.002s after that of one"));
  EXPECT_EQ(JudgeResults(SlowFirst(1010), 3).message,
            "2 quick results came 1s before that of a slow first item");
}

// --- clocks
TEST(DoctorVerdictsTest, AClockMayBeLateByItsBound) {
  v1::Job job =
      JobThat(v1::Job::STATE_FAILED, v1::Failure::REASON_INACTIVITY_TIMEOUT);
  ToProto(absl::Milliseconds(3),
          EvidenceOf(&job)->mutable_time_to_confirmed_death());
  const auto judged = [&job](absl::Duration late) {
    ToProto(kDoctorClock + late, EvidenceOf(&job)->mutable_silence());
    return JudgeTimeout(job, kDoctorClock);
  };
  EXPECT_EQ(judged(absl::Milliseconds(2)).message,
            "INACTIVITY_TIMEOUT 0.002s after 0.5s of silence; proved dead "
            "0.003s later");
  EXPECT_EQ(judged(kDoctorLateMax).state, State::kOk);
  EXPECT_EQ(judged(kDoctorLateMax + absl::Milliseconds(1)).state,
            State::kFailed);
  EXPECT_EQ(judged(absl::ZeroDuration()).state, State::kOk);
  EXPECT_EQ(judged(-absl::Milliseconds(1)).state, State::kFailed);
  EvidenceOf(&job)->set_death_unconfirmed(true);
  EXPECT_THAT(judged(absl::Milliseconds(2)).message,
              HasSubstr("could not be proved dead"));
  EXPECT_EQ(
      JudgeTimeout(JobThat(v1::Job::STATE_SUCCEEDED), kDoctorClock).message,
      "job j ended SUCCEEDED; it was to end INACTIVITY_TIMEOUT");
}

TEST(DoctorVerdictsTest, ATruncatedJobIsOkIfItKeptWhatWasDone) {
  v1::Job job = JobThat(v1::Job::STATE_SUCCEEDED);
  job.set_truncated(true);
  job.mutable_truncation()->mutable_failure()->set_reason(
      v1::Failure::REASON_SLOW_CHUNKS);
  job.mutable_truncation()->set_chunks_done(2);
  job.mutable_truncation()->set_chunks_total(3);
  ToProto(absl::Milliseconds(501), EvidenceOf(&job)->mutable_silence());
  const CheckResult result = JudgeChunks(job, 2);
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_EQ(result.message,
            "SLOW_CHUNKS kept 2 of 3 chunks; the next was stopped 0.5s after "
            "the last");
  EXPECT_EQ(JudgeChunks(job, 1).state, State::kFailed);
  job.set_truncated(false);
  EXPECT_EQ(JudgeChunks(job, 2).state, State::kFailed);
  EXPECT_EQ(
      JudgeChunks(
          JobThat(v1::Job::STATE_FAILED, v1::Failure::REASON_SLOW_CHUNKS), 2)
          .state,
      State::kFailed);
}

// --- cancel
TEST(DoctorVerdictsTest, ACancelledJobThatLeavesNothingIsOk) {
  const v1::Job job =
      JobThat(v1::Job::STATE_CANCELLED, v1::Failure::REASON_CANCELLED);
  CancelledTree tree{.named = 2, .seen = {{17, 1}, {18, 1}}, .left = {}};
  EXPECT_EQ(JudgeCancel(job, tree, absl::Milliseconds(20)).message,
            "a job of 2 processes was CANCELLED after 0.02s; nothing of it is "
            "left");
  tree.left = {"pid 18 (Z)"};
  const CheckResult left = JudgeCancel(job, tree, absl::Milliseconds(20));
  EXPECT_EQ(left.state, State::kFailed);
  EXPECT_EQ(left.message, "a job was CANCELLED and left pid 18 (Z)");
  EXPECT_EQ(JudgeCancel(JobThat(v1::Job::STATE_SUCCEEDED), {}, {}).state,
            State::kFailed);
}

TEST(DoctorVerdictsTest, ProcessesElsewhereAreNotLookedForAndThatIsSaid) {
  const v1::Job job =
      JobThat(v1::Job::STATE_CANCELLED, v1::Failure::REASON_CANCELLED);
  const CheckResult result =
      JudgeCancel(job, {.named = 2, .seen = {}, .left = {}}, {});
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_THAT(result.message, HasSubstr("were not looked for"));
}

// --- no end
TEST(DoctorVerdictsTest, APermissionThatIsMissingSkipsTheCheck) {
  const CheckResult result =
      JudgeError(absl::PermissionDeniedError("see --allow_commands"), "x");
  EXPECT_EQ(result.state, State::kSkipped);
  EXPECT_THAT(result.message, HasSubstr("see --allow_commands"));
  EXPECT_EQ(JudgeError(absl::UnavailableError("gone"), "it is gone").message,
            "it is gone");
  EXPECT_EQ(JudgeError(absl::InternalError(""), "").state, State::kFailed);
}

TEST(DoctorVerdictsTest, TimeIsOverSaysWhereTheJobWas) {
  auto seen = std::make_shared<SeenJob>(SeenJob{.submit_time = kStart});
  const SlotSurvey fine = Slots(2, 0);
  EXPECT_EQ(JudgeTimeIsOver({seen}, fine, absl::Seconds(3)).message,
            "a job was not accepted after 3s");
  seen->job = JobThat(v1::Job::STATE_RUNNING);
  seen->job.mutable_attempts(0)->set_phase(v1::Attempt::PHASE_STARTING);
  CheckResult result = JudgeTimeIsOver({seen}, fine, absl::Seconds(3));
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_EQ(result.message, "job j was still RUNNING, STARTING after 3s");
  EXPECT_THAT(result.advice, HasSubstr("--timeout"));
  SlotSurvey silent = Slots(0, 0);
  silent.troubles = {"worker w is silent"};
  silent.advice = "wake it";
  result = JudgeTimeIsOver({}, silent, absl::Seconds(3));
  EXPECT_EQ(result.message,
            "its batch was not over after 3s: worker w is silent");
  EXPECT_EQ(result.advice, "wake it");
}

TEST(DoctorVerdictsTest, TimeIsOverBecauseOthersTookTheSlotsSkips) {
  auto seen = std::make_shared<SeenJob>(SeenJob{.submit_time = kStart});
  seen->job = JobThat(v1::Job::STATE_QUEUED);
  seen->job.set_waiting_reason(v1::Job::WAITING_REASON_SLOTS_BUSY);
  const CheckResult result =
      JudgeTimeIsOver({seen}, Slots(2, 2), absl::Seconds(3));
  EXPECT_EQ(result.state, State::kSkipped);
  EXPECT_EQ(result.message,
            "job j was still QUEUED, SLOTS_BUSY after 3s: all slots became "
            "busy with other jobs; try again");
}

}  // namespace
}  // namespace vigil::cli
