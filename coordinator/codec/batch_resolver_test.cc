// Proves the bounds of batches and items, one step either side, and that an
// item takes the place of what its batch says.
#include "coordinator/codec/batch_resolver.h"

#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class BatchResolverTest : public testing::Test {
 protected:
  BatchResolverTest() {
    spec_.mutable_job()->mutable_command()->add_argv("/bin/true");
    type_.set_name("resize");
  }
  absl::StatusOr<v1::BatchSpec> Resolve() {
    return ResolveBatch(spec_, nullptr, resolver_);
  }
  void ExpectInvalid(const std::string& field) {
    const absl::Status status = Resolve().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StartsWith(status.message(), field)) << status;
  }

  SpecResolver resolver_{ServerDefaults()};
  v1::BatchSpec spec_;
  v1::TaskType type_;
};

TEST_F(BatchResolverTest, DefaultsAreWrittenIn) {
  auto resolved = Resolve();
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->mode(), v1::BatchSpec::MODE_PARALLEL);
  EXPECT_EQ(resolved->max_in_flight(), 1000);
  EXPECT_FALSE(resolved->has_schedule_to_close_timeout());
  EXPECT_TRUE(resolved->job().timeouts().has_inactivity_timeout());
}

TEST_F(BatchResolverTest, C4_SequentialIsOneAtATime) {
  spec_.set_mode(v1::BatchSpec::MODE_SEQUENTIAL);
  EXPECT_EQ(Resolve()->max_in_flight(), 1);
  spec_.set_max_in_flight(1);
  EXPECT_TRUE(Resolve().ok());
  spec_.set_max_in_flight(2);
  ExpectInvalid("spec.max_in_flight");
}

TEST_F(BatchResolverTest, BoundsAreNamed) {
  spec_.set_max_in_flight(100'000);
  EXPECT_TRUE(Resolve().ok());
  spec_.set_max_in_flight(100'001);
  ExpectInvalid("spec.max_in_flight");
  spec_.set_max_in_flight(-1);
  ExpectInvalid("spec.max_in_flight");
  spec_.clear_max_in_flight();
  spec_.mutable_schedule_to_close_timeout()->set_seconds(30 * 86400);
  EXPECT_TRUE(Resolve().ok());
  spec_.mutable_schedule_to_close_timeout()->set_nanos(1);
  ExpectInvalid("spec.schedule_to_close_timeout");
  spec_.mutable_schedule_to_close_timeout()->Clear();
  ExpectInvalid("spec.schedule_to_close_timeout");
  spec_.clear_schedule_to_close_timeout();
  spec_.mutable_stop_rule()->set_failure_ratio(1.01);
  ExpectInvalid("spec.stop_rule.failure_ratio");
  spec_.mutable_stop_rule()->set_failure_ratio(
      std::numeric_limits<double>::quiet_NaN());
  ExpectInvalid("spec.stop_rule.failure_ratio");
  spec_.mutable_stop_rule()->set_failure_ratio(1);
  spec_.mutable_stop_rule()->set_failures(-1);
  ExpectInvalid("spec.stop_rule.failures");
  spec_.mutable_stop_rule()->set_failures(1);
  spec_.mutable_stop_rule()->set_consecutive_failures(-1);
  ExpectInvalid("spec.stop_rule.consecutive_failures");
  spec_.clear_stop_rule();
  spec_.set_mode(static_cast<v1::BatchSpec::Mode>(9));
  ExpectInvalid("spec.mode");
}

TEST_F(BatchResolverTest, WhatIsWrongWithAllJobsIsWrongWithTheBatch) {
  spec_.mutable_job()->mutable_timeouts()->mutable_inactivity_timeout();
  ExpectInvalid("spec.timeouts.inactivity_timeout");
  spec_.mutable_job()->Clear();
  ExpectInvalid("spec");
}

TEST_F(BatchResolverTest, ItemsMayBringArgvAndInput) {
  spec_.mutable_job()->mutable_command()->clear_argv();
  spec_.mutable_job()->mutable_fallback()->set_input(true);
  auto resolved = Resolve();
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_TRUE(resolved->job().has_command());
  EXPECT_TRUE(resolved->job().command().argv().empty());
  EXPECT_FALSE(resolved->job().has_input());

  v1::BatchItem item;
  EXPECT_EQ(ProgramOf(resolved->job(), nullptr, true, item).status().message(),
            "input is missing, and it is to be the job's fallback");
  item.set_input("in");
  EXPECT_EQ(ProgramOf(resolved->job(), nullptr, true, item).status().code(),
            absl::StatusCode::kInvalidArgument);
  item.add_arguments("/bin/cat");
  auto program = ProgramOf(resolved->job(), nullptr, true, item);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->command().argv(0), "/bin/cat");
  EXPECT_EQ(program->input(), "in");
}

TEST_F(BatchResolverTest, AnItemSaysNothingOrTakesThePlace) {
  v1::JobSpec program;
  program.mutable_command()->add_argv("/bin/echo");
  program.mutable_command()->add_argv("a");
  program.set_input("all");
  v1::BatchItem item;
  EXPECT_EQ(ProgramOf(program, nullptr, false, item)->SerializeAsString(),
            program.SerializeAsString());
  item.add_arguments("/bin/cat");
  item.set_input("");
  auto own = ProgramOf(program, nullptr, false, item);
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->command().argv_size(), 1);
  EXPECT_TRUE(own->has_input());
  EXPECT_EQ(own->input(), "");
}

TEST_F(BatchResolverTest, B8_ABadItemIsRefused) {
  v1::JobSpec program;
  program.mutable_command()->add_argv("/bin/echo");
  v1::BatchItem item;
  item.add_arguments(std::string("a\0b", 3));
  EXPECT_EQ(ProgramOf(program, nullptr, false, item).status().message(),
            "arguments[0] contains a NUL byte");
  item.set_arguments(0, "");
  EXPECT_FALSE(ProgramOf(program, nullptr, false, item).ok());
  item.clear_arguments();
  item.set_input(std::string(3 << 20, 'x'));
  EXPECT_TRUE(ProgramOf(program, nullptr, false, item).ok());
  item.mutable_input()->push_back('x');
  EXPECT_FALSE(ProgramOf(program, nullptr, false, item).ok());
}

TEST_F(BatchResolverTest, ArgumentsAreForTypesThatTakeThem) {
  v1::JobSpec program;
  v1::BatchItem item;
  item.add_arguments("x");
  EXPECT_EQ(ProgramOf(program, &type_, false, item).status().code(),
            absl::StatusCode::kFailedPrecondition);
  type_.set_allow_arguments(true);
  auto own = ProgramOf(program, &type_, false, item);
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->arguments(0), "x");
}

}  // namespace
}  // namespace vigil::coordinator
