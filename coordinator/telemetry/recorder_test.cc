// Proves what is counted of jobs and attempts, which events are made of them,
// and when a change of health is told: in simulated time.
#include "coordinator/telemetry/recorder.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

using events::Event;

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() {
    recorder_.set_sink(
        [this](Event event) { events_.push_back(std::move(event)); });
    job_.id = JobId("j");
    job_.namespace_ = "n";
    job_.task_type = "t";
    job_.create_time = now_ - absl::Seconds(5);
    job_.start_time = now_ - absl::Seconds(2);
    job_.end_time = now_;
    job_.state = JobState::kSucceeded;
    job_.charged_attempts = 1;
  }

  void EndAttempt(std::optional<Failure> failure) {
    AttemptRecord attempt;
    attempt.number = 3;
    attempt.worker = WorkerId("w");
    attempt.failure = std::move(failure);
    recorder_.AttemptEnded(job_, attempt, now_);
  }
  v1::Telemetry Report() { return recorder_.Report(now_); }

  absl::Time now_ = absl::FromUnixSeconds(600'000);
  Job job_;
  std::vector<Event> events_;
  Recorder recorder_{TelemetryOptions()};
};

TEST_F(RecorderTest, AJobThatWorkedAtOnceIsJustEnded) {
  recorder_.JobEnded(job_, now_);
  EXPECT_EQ(Report().jobs(), 1);
  EXPECT_EQ(Report().retries_cured(), 0);
  ASSERT_EQ(events_.size(), 1u);
  const events::JobEnded& ended = events_[0].job_ended();
  EXPECT_EQ(events_[0].time().seconds(), 600'000);
  EXPECT_EQ(ended.job_id(), "j");
  EXPECT_EQ(ended.namespace_(), "n");
  EXPECT_EQ(ended.task_type(), "t");
  EXPECT_EQ(ended.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(ended.attempts(), 1);
  EXPECT_EQ(ended.total_duration().seconds(), 5);
  EXPECT_EQ(ended.run_duration().seconds(), 2);
}

TEST_F(RecorderTest, ARetryCuresWhatWouldHaveFailed) {
  job_.charged_attempts = 2;
  recorder_.JobEnded(job_, now_);
  EXPECT_EQ(Report().retries_cured(), 1);
  EXPECT_TRUE(events_[0].job_ended().retry_cured());
  // The loss of a worker is no failure of the job's.
  job_.charged_attempts = 1;
  job_.lost_attempts = 1;
  recorder_.JobEnded(job_, now_);
  EXPECT_EQ(Report().retries_cured(), 1);
  EXPECT_EQ(events_[1].job_ended().attempts(), 2);
  EXPECT_EQ(events_[1].job_ended().attempts_lost(), 1);
  // Nor does a fallback cure it.
  job_.charged_attempts = 2;
  job_.fallback_failure = Failure{Reason::kTaskError, "no"};
  recorder_.JobEnded(job_, now_);
  EXPECT_EQ(Report().retries_cured(), 1);
  EXPECT_EQ(Report().fallbacks(), 1);
  EXPECT_TRUE(events_[2].job_ended().degraded());
  EXPECT_EQ(events_[2].job_ended().reason(), v1::Failure::REASON_TASK_ERROR);
  // A job that failed in the end was not cured.
  job_.fallback_failure.reset();
  job_.failure = Failure{Reason::kTaskError, "no"};
  job_.state = JobState::kFailed;
  recorder_.JobEnded(job_, now_);
  EXPECT_EQ(Report().retries_cured(), 1);
  EXPECT_EQ(Report().jobs_failed(), 1);
}

TEST_F(RecorderTest, ATruncatedJobIsNoneThatARetryCured) {
  job_.charged_attempts = 2;
  job_.batch = BatchId("b");
  job_.truncation.emplace().failure = Failure{Reason::kSlowChunks, "slow"};
  recorder_.JobEnded(job_, now_);
  EXPECT_EQ(Report().truncations(), 1);
  EXPECT_EQ(Report().retries_cured(), 0);
  const events::JobEnded& ended = events_[0].job_ended();
  EXPECT_TRUE(ended.truncated());
  EXPECT_EQ(ended.reason(), v1::Failure::REASON_SLOW_CHUNKS);
  EXPECT_EQ(ended.batch_id(), "b");
}

TEST_F(RecorderTest, AttemptsAreCountedAndThoseThatFailedAreEvents) {
  EndAttempt(std::nullopt);
  EXPECT_TRUE(events_.empty());
  EndAttempt(Failure{Reason::kTaskError, "no \xff"});
  ASSERT_EQ(events_.size(), 1u);
  const events::AttemptFailed& failed = events_[0].attempt_failed();
  EXPECT_EQ(failed.attempt(), 3);
  EXPECT_EQ(failed.worker_id(), "w");
  EXPECT_EQ(failed.reason(), v1::Failure::REASON_TASK_ERROR);
  EXPECT_EQ(failed.message(), "no \\xff");
  EXPECT_TRUE(failed.charged());
  const v1::Telemetry report = Report();
  EXPECT_EQ(report.attempts(), 2);
  EXPECT_EQ(report.window().seconds(), 600);
  ASSERT_EQ(report.reasons_size(), 2);
  EXPECT_DOUBLE_EQ(report.reasons(0).rate(), 0.5);
  ASSERT_EQ(report.messages_size(), 1);
  EXPECT_EQ(report.messages(0).job_id(), "j");
  EXPECT_EQ(report.messages(0).last_time().seconds(), 600'000);
}

TEST_F(RecorderTest, AChangeOfHealthIsToldOnceAndWhenItIsOver) {
  for (int i = 0; i < 20; ++i) EndAttempt(Failure{Reason::kTaskError, "no"});
  events_.clear();
  recorder_.Tick(now_ + kHealthCheckInterval - kTick);
  EXPECT_TRUE(events_.empty());
  recorder_.Tick(now_ + kHealthCheckInterval);
  ASSERT_EQ(events_.size(), 1u);
  const events::HealthChanged& changed = events_[0].health_changed();
  EXPECT_EQ(changed.before(), v1::Telemetry::HEALTH_OK);
  EXPECT_EQ(changed.now(), v1::Telemetry::HEALTH_ACTION);
  EXPECT_EQ(changed.causes_size(), 1);
  EXPECT_EQ(Report().health(), v1::Telemetry::HEALTH_ACTION);
  EXPECT_EQ(Report().causes_size(), 1);
  // Nothing more ends, and it is still seen that the window passed.
  absl::Time time = now_;
  while (recorder_.NextDeadline() < absl::InfiniteFuture()) {
    time = recorder_.NextDeadline();
    ASSERT_LE(time, now_ + kTelemetryWindow + absl::Minutes(1));
    recorder_.Tick(time);
  }
  ASSERT_EQ(events_.size(), 2u);
  EXPECT_EQ(events_[1].health_changed().before(), v1::Telemetry::HEALTH_ACTION);
  EXPECT_EQ(events_[1].health_changed().now(), v1::Telemetry::HEALTH_OK);
  EXPECT_GE(time, now_ + kTelemetryWindow);
}

TEST_F(RecorderTest, BatchesAndWorkersAreEvents) {
  v1::Batch batch;
  batch.set_batch_id("b");
  batch.mutable_counts()->set_accepted(3);
  batch.mutable_create_time()->set_seconds(10);
  batch.mutable_end_time()->set_seconds(17);
  recorder_.BatchEnded(batch, now_);
  EXPECT_EQ(Report().partial_batches(), 0);
  EXPECT_EQ(events_[0].batch_ended().items(), 3);
  EXPECT_EQ(events_[0].batch_ended().total_duration().seconds(), 7);
  batch.set_partial(true);
  recorder_.BatchEnded(batch, now_);
  EXPECT_EQ(Report().partial_batches(), 1);
  EXPECT_TRUE(events_[1].batch_ended().partial());
  WorkerNews news;
  news.worker = WorkerId("w");
  news.session = SessionId("s");
  news.hostname = "h";
  news.slots_max = 4;
  recorder_.WorkerChanged(news, now_);
  EXPECT_EQ(events_[2].worker_attached().slots(), 4);
  news.kind = WorkerNews::Kind::kUsableSlots;
  news.slots = 2;
  news.cause = "a cause";
  recorder_.WorkerChanged(news, now_);
  EXPECT_EQ(events_[3].usable_slots_changed().slots(), 2);
  EXPECT_EQ(events_[3].usable_slots_changed().cause(), "a cause");
  news.kind = WorkerNews::Kind::kLost;
  recorder_.WorkerChanged(news, now_);
  EXPECT_EQ(events_[4].worker_lost().session_id(), "s");
}

TEST_F(RecorderTest, WithoutASinkItCountsAllTheSame) {
  recorder_.set_sink(nullptr);
  EndAttempt(Failure{Reason::kTaskError, "no"});
  recorder_.JobEnded(job_, now_);
  EXPECT_EQ(Report().attempts(), 1);
}

}  // namespace
}  // namespace vigil::coordinator
