// Proves that a batch survives its row: what the core knows comes back, and the
// program of its jobs is kept apart.
#include "coordinator/codec/batch_codec.h"

#include <string>

#include "absl/time/time.h"
#include "coordinator/codec/stored_batch.pb.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

v1::BatchSpec Spec() {
  v1::BatchSpec spec;
  spec.mutable_job()->set_task_type("resize");
  spec.set_mode(v1::BatchSpec::MODE_PARALLEL);
  spec.set_max_in_flight(7);
  spec.mutable_schedule_to_close_timeout()->set_seconds(60);
  spec.mutable_stop_rule()->set_failures(1);
  spec.mutable_stop_rule()->set_consecutive_failures(2);
  spec.mutable_stop_rule()->set_failure_ratio(0.5);
  return spec;
}

Batch Full() {
  Batch batch;
  batch.id = BatchId("b1");
  batch.namespace_ = "music";
  batch.request_id = "r1";
  batch.request_hash = 99;
  batch.policy = PolicyOf(Spec(), true);
  batch.state = BatchState::kStopping;
  batch.revision = 5;
  batch.create_time = absl::FromUnixSeconds(1000);
  batch.stop_cause = StopCause::kDeadline;
  batch.stop_message = "too late";
  batch.accepted = 20;
  batch.started = 12;
  batch.succeeded = 6;
  batch.degraded = 1;
  batch.truncated = 2;
  batch.retried = 3;
  batch.failed = 4;
  batch.cancelled = 1;
  batch.refused = 1;
  batch.consecutive_failures = 2;
  batch.reasons = {{Reason::kNonzeroExit, 1}, {Reason::kInvalidInput, 4}};
  return batch;
}

TEST(BatchCodecTest, ABatchComesBackFromItsRow) {
  const Batch batch = Full();
  const store::BatchRow row = EncodeBatchRow(batch, ToProto(batch));
  EXPECT_EQ(row.batch_id, "b1");
  EXPECT_EQ(row.namespace_id, "music");
  EXPECT_EQ(row.request_id, "r1");
  EXPECT_EQ(row.end_time, std::nullopt);
  auto back = DecodeBatchRow(row);
  ASSERT_TRUE(back.ok()) << back.status();
  const Batch& copy = **back;
  EXPECT_EQ(copy.request_hash, 99u);
  EXPECT_TRUE(copy.policy.streamed);
  EXPECT_EQ(copy.policy.max_in_flight, 7);
  EXPECT_EQ(copy.policy.schedule_to_close, absl::Seconds(60));
  EXPECT_EQ(copy.policy.stop_rule.failures, 1);
  EXPECT_EQ(copy.policy.stop_rule.consecutive_failures, 2);
  EXPECT_EQ(copy.policy.stop_rule.failure_ratio, 0.5);
  EXPECT_EQ(copy.started, 12);
  EXPECT_EQ(copy.consecutive_failures, 2);
  EXPECT_EQ(copy.reasons, batch.reasons);
  // All that the API shows, but for what is in flight: jobs are restored by
  // themselves.
  EXPECT_EQ(ToProto(copy).SerializeAsString(),
            ToProto(batch).SerializeAsString());
  EXPECT_EQ(ToProto(copy).reasons(0).reason(),
            v1::Failure::REASON_INVALID_INPUT);
}

TEST(BatchCodecTest, ABatchWithoutDeadlineHasNone) {
  v1::BatchSpec spec = Spec();
  spec.clear_schedule_to_close_timeout();
  Batch batch = Full();
  batch.policy = PolicyOf(spec, false);
  EXPECT_FALSE(ToProto(batch).has_deadline_time());
  auto back = DecodeBatchRow(EncodeBatchRow(batch, ToProto(batch)));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ((*back)->policy.schedule_to_close, absl::InfiniteDuration());
  EXPECT_FALSE((*back)->policy.streamed);
}

TEST(BatchCodecTest, PartialIsSaidWhenItHasEnded) {
  Batch batch = Full();
  EXPECT_FALSE(ToProto(batch).partial());
  batch.state = BatchState::kEnded;
  batch.end_time = absl::FromUnixSeconds(1060);
  const store::BatchRow row = EncodeBatchRow(batch, ToProto(batch));
  EXPECT_EQ(row.end_time, batch.end_time);
  auto view = ViewBatchRow(row);
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(view->batch.partial());
  EXPECT_EQ(view->batch.counts().not_run(), 8);
  EXPECT_EQ(view->request_hash, 99u);
  EXPECT_TRUE(view->streamed);
}

TEST(BatchCodecTest, DamageIsSaid) {
  EXPECT_EQ(
      DecodeBatchRow({"b1", "", std::nullopt, "", "\xff"}).status().code(),
      absl::StatusCode::kDataLoss);
}

TEST(BatchCodecTest, TheProgramIsTakenOut) {
  v1::JobSpec spec;
  spec.set_task_type("resize");
  spec.add_arguments("-v");
  spec.set_input("in");
  spec.mutable_fallback()->set_value("large");
  const v1::JobSpec program = TakeProgram(&spec);
  EXPECT_EQ(program.arguments(0), "-v");
  EXPECT_EQ(program.input(), "in");
  EXPECT_EQ(program.fallback().value(), "large");
  EXPECT_TRUE(spec.arguments().empty());
  EXPECT_FALSE(spec.has_input());
  EXPECT_TRUE(spec.fallback().has_value());
  EXPECT_EQ(spec.fallback().value(), "");
}

TEST(BatchCodecTest, AnItemEndsAsAJobOrIsRefused) {
  StoredItemEnd stored;
  store::ItemRow row = EncodeItemEnd({BatchId("b1"), 3, 2, JobId("j1"), {}});
  EXPECT_EQ(row.batch_id, "b1");
  EXPECT_EQ(row.index, 3);
  EXPECT_EQ(row.end_number, 2);
  ASSERT_TRUE(stored.ParseFromString(row.value));
  EXPECT_EQ(stored.job_id(), "j1");
  row = EncodeItemEnd(
      {BatchId("b1"), 3, 2, JobId(), absl::InvalidArgumentError("bad")});
  ASSERT_TRUE(stored.ParseFromString(row.value));
  EXPECT_EQ(stored.refusal().code(), 3);
  EXPECT_EQ(stored.refusal().message(), "bad");
}

}  // namespace
}  // namespace vigil::coordinator
