// Proves that a job survives its way into a row and back, and that damage is
// told.
#include "coordinator/codec/job_codec.h"

#include <memory>

#include "base/wire/time_wire.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

Job Example(PolicyPool* pool) {
  v1::JobSpec spec;
  spec.set_task_type("type");
  spec.set_priority(-3);
  (*spec.mutable_labels())["k"] = "v";
  vigil::ToProto(absl::Hours(2),
                 spec.mutable_timeouts()->mutable_schedule_to_close_timeout());
  spec.mutable_retry()->set_maximum_attempts(7);
  spec.add_arguments("is not part of the row");
  Job job;
  job.id = JobId("id");
  job.namespace_ = "ns";
  job.request_id = "request";
  job.request_hash = 0xfedcba9876543210;
  job.task_type = "type";
  job.priority = -3;
  job.policy = pool->Get(spec, true);
  job.state = JobState::kBackoff;
  job.revision = 12;
  job.create_time = absl::FromUnixMillis(1234567);
  job.queue_time = absl::FromUnixMillis(1234568);
  job.retry_time = absl::FromUnixMillis(1234599);
  job.charged_attempts = 2;
  job.lost_attempts = 1;
  job.process_failures = 2;
  job.last_attempt = 3;
  job.checkpoint = Checkpoint{2, absl::FromUnixMillis(1234580), 77};
  AttemptRecord attempt;
  attempt.number = 3;
  attempt.phase = Phase::kEnded;
  attempt.worker = WorkerId("w");
  attempt.session = SessionId("s");
  attempt.assign_time = absl::FromUnixMillis(1234570);
  attempt.last.tokens = 5;
  attempt.last.progress = Progress{37, 100, "37 of 100"};
  attempt.failure = Failure{Reason::kSignalled, "message", "advice"};
  attempt.exit = Exit{};
  attempt.exit->signal = 9;
  attempt.charged = false;
  job.attempts.push_back(attempt);
  return job;
}

TEST(JobCodecTest, RowRestoresTheJob) {
  PolicyPool pool;
  const Job job = Example(&pool);
  const store::JobRow row = EncodeRow(job);
  EXPECT_EQ(row.job_id, "id");
  EXPECT_EQ(row.namespace_id, "ns");
  EXPECT_EQ(row.request_id, "request");
  EXPECT_FALSE(row.end_time.has_value());
  const auto restored = RowDecoder(&pool).Decode(row);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->policy, job.policy);  // shared, not copied
  EXPECT_TRUE((*restored)->policy->cancel_on_disconnect);
  EXPECT_EQ((*restored)->policy->schedule_to_close, absl::Hours(2));
  EXPECT_EQ((*restored)->policy->retry.maximum_attempts, 7);
  EXPECT_EQ((*restored)->request_hash, job.request_hash);
  EXPECT_EQ((*restored)->priority, -3);
  EXPECT_EQ((*restored)->charged_attempts, 2);
  EXPECT_EQ((*restored)->lost_attempts, 1);
  EXPECT_EQ((*restored)->process_failures, 2);
  EXPECT_EQ((*restored)->last_attempt, 3);
  ASSERT_TRUE((*restored)->checkpoint.has_value());
  EXPECT_EQ((*restored)->checkpoint->attempt, 2);
  EXPECT_EQ((*restored)->checkpoint->time, job.checkpoint->time);
  EXPECT_EQ((*restored)->checkpoint->size_bytes, 77);
  EXPECT_EQ((*restored)->retry_time, job.retry_time);
  // Whatever else there is shows in the second row.
  EXPECT_EQ(EncodeRow(**restored), row);
}

TEST(JobCodecTest, RowHoldsNoProgram) {
  PolicyPool pool;
  const store::JobRow row = EncodeRow(Example(&pool));
  EXPECT_EQ(row.value.find("is not part"), std::string::npos);
}

TEST(JobCodecTest, RowSaysWhetherThereIsAResultAndHoldsNone) {
  PolicyPool pool;
  Job job = Example(&pool);
  EXPECT_EQ(ViewRow(EncodeRow(job))->result_bytes, std::nullopt);
  job.state = JobState::kSucceeded;
  job.result_bytes = 0;  // an empty result is one
  const auto view = ViewRow(EncodeRow(job));
  EXPECT_EQ(view->result_bytes, 0);
  EXPECT_FALSE(view->job.has_result());
}

TEST(JobCodecTest, AResultIsPartialUnlessTheJobSucceeded) {
  v1::Job job;
  job.set_state(v1::Job::STATE_SUCCEEDED);
  SetResult("all", &job);
  EXPECT_EQ(job.result(), "all");
  EXPECT_FALSE(job.has_partial_result());
  for (const auto state : {v1::Job::STATE_FAILED, v1::Job::STATE_CANCELLED}) {
    job.Clear();
    job.set_state(state);
    SetResult("some", &job);
    EXPECT_EQ(job.partial_result(), "some");
    EXPECT_FALSE(job.has_result());
  }
}

TEST(JobCodecTest, DamageIsDataLoss) {
  PolicyPool pool;
  store::JobRow row = EncodeRow(Example(&pool));
  row.value = "\xff\xff\xff";
  EXPECT_EQ(RowDecoder(&pool).Decode(row).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(ViewRow(row).status().code(), absl::StatusCode::kDataLoss);
}

TEST(JobCodecTest, ADecoderKeepsNothingOfTheRowBefore) {
  PolicyPool pool;
  RowDecoder decoder(&pool);
  const Job full = Example(&pool);
  Job bare;
  bare.id = JobId("bare");
  bare.state = JobState::kQueued;
  // The same spec but for who gave it up, and another one.
  v1::JobSpec spec;
  spec.ParseFromString(full.policy->spec);
  for (const bool cancel_on_disconnect : {true, false}) {
    bare.policy = pool.Get(spec, cancel_on_disconnect);
    ASSERT_TRUE(decoder.Decode(EncodeRow(full)).ok());
    const auto restored = decoder.Decode(EncodeRow(bare));
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ((*restored)->policy, bare.policy);
    EXPECT_TRUE((*restored)->attempts.empty());
    EXPECT_FALSE((*restored)->checkpoint.has_value());
    EXPECT_EQ((*restored)->last_attempt, 0);
  }
  bare.policy = pool.Get(v1::JobSpec(), false);
  EXPECT_EQ((*decoder.Decode(EncodeRow(bare)))->policy, bare.policy);
}

TEST(JobCodecTest, HashOfASubmissionNeverChanges) {
  // SHA-256 of "abc" begins ba7816bf 8f01cfea; stored hashes depend on it.
  EXPECT_EQ(StableHash("abc"), 0xeacf018fbf1678ba);
}

TEST(JobCodecTest, B4_AFallbackIsInThePolicyWithoutItsValue) {
  v1::JobSpec spec;
  spec.mutable_fallback()->set_value("large");
  spec.mutable_fallback()->add_fallback_on(v1::Failure::REASON_SIGNALLED);
  PolicyPool pool;
  Job job = Example(&pool);
  job.policy = pool.Get(spec, false);
  EXPECT_TRUE(job.policy->fallback.Covers(Reason::kSignalled));
  EXPECT_FALSE(job.policy->fallback.Covers(Reason::kNonzeroExit));
  EXPECT_EQ(job.policy->spec.find("large"), std::string::npos);
  EXPECT_FALSE(pool.Get({}, false)->fallback.Covers(Reason::kSignalled));
  const auto restored = RowDecoder(&pool).Decode(EncodeRow(job));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->policy, job.policy);
}

TEST(JobCodecTest, B4_ADegradedJobSaysHowItWouldHaveFailed) {
  v1::JobSpec spec;
  spec.mutable_fallback()->set_value("");
  PolicyPool pool;
  Job job = Example(&pool);
  job.policy = pool.Get(spec, false);
  job.state = JobState::kSucceeded;
  EXPECT_FALSE(ToProto(job, WaitingReason::kUnspecified).degraded());
  job.fallback_failure = Failure{Reason::kSignalled, "message", "advice"};
  v1::Job proto = ToProto(job, WaitingReason::kUnspecified);
  EXPECT_TRUE(proto.degraded());
  EXPECT_EQ(proto.fallback_failure().message(), "message");
  v1::JobSpec program;
  program.set_input("input");
  program.mutable_fallback()->set_value("value");
  SetResult(program.SerializeAsString(), &proto);
  EXPECT_EQ(proto.result(), "value");
  proto.mutable_spec()->mutable_fallback()->set_input(true);
  SetResult(program.SerializeAsString(), &proto);
  EXPECT_EQ(proto.result(), "input");
}

TEST(JobCodecTest, C3_AChunkPolicyIsInThePolicyAndSurvivesARestart) {
  v1::JobSpec spec;
  spec.mutable_chunk_policy()->mutable_chunk_timeout()->set_seconds(7);
  PolicyPool pool;
  Job job = Example(&pool);
  EXPECT_FALSE(job.policy->chunked);
  job.policy = pool.Get(spec, false);
  EXPECT_TRUE(job.policy->chunked);
  const auto restored = RowDecoder(&pool).Decode(EncodeRow(job));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->policy, job.policy);
  v1::JobSpec head;
  head.ParseFromString((*restored)->policy->spec);
  EXPECT_EQ(head.chunk_policy().chunk_timeout().seconds(), 7);
}

TEST(JobCodecTest, C3_ATruncatedJobSaysWhyAndHowFarItCame) {
  PolicyPool pool;
  Job job = Example(&pool);
  job.state = JobState::kSucceeded;
  EXPECT_FALSE(ViewRow(EncodeRow(job))->job.truncated());
  job.checkpoint.reset();
  job.truncation =
      Truncation{{Reason::kSlowChunks, "message", "advice"}, 3, 10};
  job.result_bytes = 77;
  const absl::StatusOr<StoredJobView> view = ViewRow(EncodeRow(job));
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_TRUE(view->job.truncated());
  EXPECT_EQ(view->job.truncation().failure().reason(),
            v1::Failure::REASON_SLOW_CHUNKS);
  EXPECT_EQ(view->job.truncation().failure().message(), "message");
  EXPECT_EQ(view->job.truncation().chunks_done(), 3);
  EXPECT_EQ(view->job.truncation().chunks_total(), 10);
  EXPECT_EQ(view->result_bytes, 77);
  v1::Job shown = view->job;
  SetResult("some", &shown);
  EXPECT_EQ(shown.result(), "some");
  EXPECT_FALSE(shown.has_partial_result());
}

}  // namespace
}  // namespace vigil::coordinator
