// Proves that a request's own clocks win over its task type's and those over
// the server's (L5, C8), and that whatever is out of bounds is refused by name
// and never clamped (L4).
#include "coordinator/codec/spec_resolver.h"

#include <string>

#include "base/wire/policy_wire.h"
#include "base/wire/time_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

v1::JobSpec Command() {
  v1::JobSpec spec;
  spec.mutable_command()->add_argv("true");
  return spec;
}

std::string ErrorOf(const v1::JobSpec& spec) {
  const absl::StatusOr<v1::JobSpec> resolved =
      SpecResolver({}).Resolve(spec, nullptr);
  if (resolved.ok()) return "OK";
  EXPECT_EQ(resolved.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(resolved.status().message());
}

TEST(SpecResolverTest, C8_RequestWinsOverTaskTypeWinsOverServer) {
  v1::TaskType type;
  type.set_name("type");
  ToProto(absl::Seconds(7),
          type.mutable_timeouts()->mutable_inactivity_timeout());
  ToProto(absl::Seconds(8), type.mutable_timeouts()->mutable_startup_timeout());
  v1::JobSpec spec;
  spec.set_task_type("type");
  ToProto(absl::Seconds(9),
          spec.mutable_timeouts()->mutable_inactivity_timeout());
  const auto resolved = SpecResolver({}).Resolve(spec, &type);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  const Timeouts timeouts = FromProto(resolved->timeouts());
  EXPECT_EQ(timeouts.inactivity, absl::Seconds(9));
  EXPECT_EQ(timeouts.startup, absl::Seconds(8));
  EXPECT_EQ(timeouts.start_to_close, absl::Seconds(600));
}

TEST(SpecResolverTest, L5_NoTaskTypeValueOverridesARequest) {
  v1::TaskType type;
  type.set_name("type");
  ToProto(absl::Hours(1),
          type.mutable_timeouts()->mutable_start_to_close_timeout());
  type.mutable_retry()->set_maximum_attempts(9);
  ToProto(absl::Seconds(3), type.mutable_retry()->mutable_initial_interval());
  v1::JobSpec spec;
  spec.set_task_type("type");
  ToProto(absl::Milliseconds(1),
          spec.mutable_timeouts()->mutable_start_to_close_timeout());
  spec.mutable_retry()->set_maximum_attempts(1);
  ToProto(absl::Milliseconds(20),
          spec.mutable_retry()->mutable_initial_interval());
  const auto resolved = SpecResolver({}).Resolve(spec, &type);
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(FromProto(resolved->timeouts()).start_to_close,
            absl::Milliseconds(1));
  EXPECT_EQ(resolved->retry().maximum_attempts(), 1);
  // Seconds of the type and nanoseconds of the request must not be mixed.
  EXPECT_EQ(FromProto(resolved->retry()).initial_interval,
            absl::Milliseconds(20));
}

TEST(SpecResolverTest, DefaultMaximumIntervalDoesNotCutALongerFirstWait) {
  v1::JobSpec spec = Command();
  ToProto(absl::Minutes(10), spec.mutable_retry()->mutable_initial_interval());
  const auto resolved = SpecResolver({}).Resolve(spec, nullptr);
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(FromProto(resolved->retry()).maximum_interval, absl::Minutes(10));
}

TEST(SpecResolverTest, L3_SilentJobsHaveOneGenerousClock) {
  v1::JobSpec spec = Command();
  spec.mutable_activity()->set_mode(v1::ActivityPolicy::MODE_SILENT);
  const auto resolved = SpecResolver({}).Resolve(spec, nullptr);
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(FromProto(resolved->timeouts()).start_to_close, absl::Seconds(300));
  EXPECT_TRUE(SupervisionOf(*resolved).silent);
}

TEST(SpecResolverTest, A5_DefaultsAreTheDocumentedOnes) {
  const auto resolved = SpecResolver({}).Resolve(Command(), nullptr);
  ASSERT_TRUE(resolved.ok());
  const Timeouts timeouts = FromProto(resolved->timeouts());
  EXPECT_EQ(timeouts.startup, absl::Seconds(120));
  EXPECT_EQ(timeouts.inactivity, absl::Seconds(45));
  EXPECT_EQ(timeouts.progress, absl::InfiniteDuration());
  EXPECT_EQ(timeouts.start_to_close, absl::Seconds(600));
  EXPECT_EQ(timeouts.schedule_to_start, absl::InfiniteDuration());
  EXPECT_EQ(timeouts.schedule_to_close, absl::Hours(24));
  EXPECT_EQ(timeouts.shutdown_grace, absl::Seconds(5));
  EXPECT_EQ(resolved->max_processes(), 1);
}

TEST(SpecResolverTest, L4_MaximumIsAcceptedAndOneTickAboveIsRefusedByName) {
  v1::JobSpec spec = Command();
  google::protobuf::Duration* clock =
      spec.mutable_timeouts()->mutable_start_to_close_timeout();
  ToProto(absl::Hours(24), clock);
  EXPECT_EQ(ErrorOf(spec), "OK");
  ToProto(absl::Hours(24) + absl::Nanoseconds(1), clock);
  EXPECT_THAT(ErrorOf(spec),
              AllOf(HasSubstr("spec.timeouts.start_to_close_timeout"),
                    HasSubstr("maximum is 24h")));
}

TEST(SpecResolverTest, RefusesNegativeZeroAndMalformedDurations) {
  v1::JobSpec spec = Command();
  google::protobuf::Duration* clock =
      spec.mutable_timeouts()->mutable_inactivity_timeout();
  clock->set_seconds(-1);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("must not be negative"));
  clock->set_seconds(0);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("must be at least 1ns"));
  clock->set_seconds(1);
  clock->set_nanos(-1);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("not a valid"));
  spec.mutable_timeouts()->mutable_inactivity_timeout()->set_seconds(
      std::numeric_limits<int64_t>::min());
  EXPECT_THAT(ErrorOf(spec), HasSubstr("not a valid"));
  clock->set_seconds(std::numeric_limits<int64_t>::max());
  clock->set_nanos(0);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("inactivity_timeout"));
}

TEST(SpecResolverTest, AcceptsZeroGrace) {
  v1::JobSpec spec = Command();
  spec.mutable_timeouts()->mutable_shutdown_grace();
  EXPECT_EQ(ErrorOf(spec), "OK");
}

TEST(SpecResolverTest, RefusesBadCommands) {
  v1::JobSpec spec;
  EXPECT_THAT(ErrorOf(spec), HasSubstr("needs a task_type or a command"));
  spec.mutable_command();
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.command.argv is empty"));
  spec.mutable_command()->add_argv("a");
  spec.mutable_command()->add_argv(std::string("b\0c", 3));
  EXPECT_THAT(ErrorOf(spec), HasSubstr("argv[1] contains a NUL"));
  spec = Command();
  spec.mutable_command()->add_argv(std::string(kArgvBytesMax, 'x'));
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.command.argv has"));
  spec = Command();
  (*spec.mutable_command()->mutable_env())["VIGIL_FENCE"] = "7";
  EXPECT_THAT(ErrorOf(spec), HasSubstr("VIGIL_FENCE"));
  spec = Command();
  spec.mutable_command()->set_working_directory("relative");
  EXPECT_THAT(ErrorOf(spec), HasSubstr("working_directory"));
}

TEST(SpecResolverTest, InputOfExactlyTheMaximumIsAccepted) {
  v1::JobSpec spec = Command();
  spec.set_input(std::string(kInputBytesMax, 'x'));
  EXPECT_EQ(ErrorOf(spec), "OK");
  spec.mutable_input()->push_back('x');
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.input has 3145729 bytes"));
}

TEST(SpecResolverTest, RefusesBadRetriesPatternsLabelsAndPriorities) {
  v1::JobSpec spec = Command();
  spec.mutable_retry()->set_maximum_attempts(0);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.retry.maximum_attempts is 0"));
  spec = Command();
  spec.mutable_retry()->set_jitter(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.retry.jitter"));
  spec = Command();
  spec.mutable_retry()->add_retry_on(v1::Failure::REASON_CANCELLED);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.retry.retry_on"));
  spec = Command();
  spec.mutable_activity()->set_ready_pattern("(");
  EXPECT_THAT(ErrorOf(spec), HasSubstr("ready_pattern is not an RE2"));
  spec = Command();
  spec.mutable_activity()->set_progress_pattern("x");
  EXPECT_THAT(ErrorOf(spec), HasSubstr("progress_pattern needs a group"));
  spec = Command();
  (*spec.mutable_labels())[""] = "x";
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.labels"));
  spec = Command();
  spec.set_priority(1001);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.priority is 1001"));
  // Its opposite is no number of its type.
  spec.set_priority(std::numeric_limits<int32_t>::min());
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.priority is -2147483648"));
  spec = Command();
  (*spec.mutable_exit_reasons())[256] = v1::Failure::REASON_TASK_ERROR;
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.exit_reasons maps status 256"));
}

TEST(SpecResolverTest, ArgumentsNeedATaskTypeThatTakesThem) {
  v1::TaskType type;
  type.set_name("type");
  v1::JobSpec spec;
  spec.set_task_type("type");
  spec.add_arguments("x");
  EXPECT_EQ(SpecResolver({}).Resolve(spec, &type).status().code(),
            absl::StatusCode::kFailedPrecondition);
  type.set_allow_arguments(true);
  EXPECT_TRUE(SpecResolver({}).Resolve(spec, &type).ok());
}

// --- warm tasks

v1::TaskType Warm() {
  v1::TaskType type;
  type.set_name("warm");
  type.set_frames(v1::TaskType::FRAMES_JSON);
  return type;
}

v1::JobSpec OfType(const v1::TaskType& type) {
  v1::JobSpec spec;
  spec.set_task_type(type.name());
  return spec;
}

TEST(SpecResolverTest, AWarmTaskTakesNoArguments) {
  v1::TaskType type = Warm();
  type.set_allow_arguments(true);  // no catalog says so, and it means nothing
  v1::JobSpec spec = OfType(type);
  spec.add_arguments("x");
  const absl::Status status = SpecResolver({}).Resolve(spec, &type).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("task type warm takes no arguments"));
}

TEST(SpecResolverTest, WhatMeansNothingToAWarmTaskIsRefusedByName) {
  const v1::TaskType type = Warm();
  const auto error_of = [&type](const v1::JobSpec& spec) {
    const absl::Status status = SpecResolver({}).Resolve(spec, &type).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  v1::JobSpec spec = OfType(type);
  spec.set_pty(true);
  EXPECT_THAT(error_of(spec),
              HasSubstr("spec.pty cannot be set for task type warm"));
  spec = OfType(type);
  spec.mutable_activity()->set_ready_pattern("ready");
  EXPECT_THAT(error_of(spec), HasSubstr("spec.activity.ready_pattern cannot"));
  spec = OfType(type);
  spec.mutable_activity()->set_progress_pattern("(\\d+)");
  EXPECT_THAT(error_of(spec),
              HasSubstr("spec.activity.progress_pattern cannot"));
  // The same types without frames take them all.
  v1::TaskType command = Warm();
  command.clear_frames();
  spec.set_pty(true);
  spec.mutable_activity()->set_ready_pattern("ready");
  EXPECT_TRUE(SpecResolver({}).Resolve(spec, &command).ok());
}

TEST(SpecResolverTest, OnlyFramesOfAWarmTaskCountUnlessSomebodySaysOtherwise) {
  v1::TaskType type = Warm();
  const auto streams_of = [&type](const v1::JobSpec& spec) {
    const auto resolved = SpecResolver({}).Resolve(spec, &type);
    EXPECT_TRUE(resolved.ok()) << resolved.status();
    return resolved->activity().streams();
  };
  v1::JobSpec spec = OfType(type);
  EXPECT_EQ(streams_of(spec), v1::ActivityPolicy::STREAMS_NONE);
  type.mutable_activity()->set_streams(v1::ActivityPolicy::STREAMS_STDERR);
  EXPECT_EQ(streams_of(spec), v1::ActivityPolicy::STREAMS_STDERR);
  spec.mutable_activity()->set_streams(v1::ActivityPolicy::STREAMS_NONE);
  EXPECT_EQ(streams_of(spec), v1::ActivityPolicy::STREAMS_NONE);
  spec.mutable_activity()->set_streams(v1::ActivityPolicy::STREAMS_BOTH);
  EXPECT_EQ(streams_of(spec), v1::ActivityPolicy::STREAMS_BOTH);
}

TEST(SpecResolverTest, WhatHasNoFramesMustCountItsOutput) {
  v1::JobSpec spec = Command();
  spec.mutable_activity()->set_streams(v1::ActivityPolicy::STREAMS_NONE);
  EXPECT_THAT(ErrorOf(spec),
              HasSubstr("spec.activity.streams is STREAMS_NONE"));
  v1::TaskType type = Warm();
  type.clear_frames();
  spec = OfType(type);
  EXPECT_TRUE(SpecResolver({}).Resolve(spec, &type).ok());
  spec.mutable_activity()->set_streams(v1::ActivityPolicy::STREAMS_NONE);
  EXPECT_EQ(SpecResolver({}).Resolve(spec, &type).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SpecResolverTest, AProgressClockOfAWarmTaskNeedsNoPattern) {
  const v1::TaskType type = Warm();
  v1::JobSpec spec = OfType(type);
  ToProto(absl::Seconds(9),
          spec.mutable_timeouts()->mutable_progress_timeout());
  const auto resolved = SpecResolver({}).Resolve(spec, &type);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(FromProto(resolved->timeouts()).progress, absl::Seconds(9));
  EXPECT_EQ(resolved->activity().progress_pattern(), "");
}

TEST(SpecResolverTest, NamesHave1To64PlainCharacters) {
  EXPECT_TRUE(CheckName("f", std::string(64, 'a')).ok());
  EXPECT_FALSE(CheckName("f", std::string(65, 'a')).ok());
  EXPECT_FALSE(CheckName("f", "").ok());
  EXPECT_FALSE(CheckName("f", "a/b").ok());
}

TEST(SpecResolverTest, B4_AFallbackSaysWhatItIsAndWhatFor) {
  v1::JobSpec spec = Command();
  spec.mutable_fallback();
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.fallback needs a value"));
  spec.mutable_fallback()->set_input(false);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.fallback needs a value"));
  spec.mutable_fallback()->set_input(true);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.fallback.input is the job's"));
  spec.set_input("");
  EXPECT_EQ(ErrorOf(spec), "OK");
  spec.mutable_fallback()->set_value(std::string(kInputBytesMax, 'x'));
  EXPECT_EQ(ErrorOf(spec), "OK");
  spec.mutable_fallback()->mutable_value()->push_back('x');
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.fallback.value has 3145729"));
  spec.mutable_fallback()->set_value("");
  EXPECT_EQ(ErrorOf(spec), "OK");
  spec.mutable_fallback()->add_fallback_on(v1::Failure::REASON_CANCELLED);
  EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.fallback.fallback_on cannot"));
  spec.mutable_fallback()->set_fallback_on(0, v1::Failure::REASON_SIGNALLED);
  EXPECT_EQ(ErrorOf(spec), "OK");
}

// --- chunks

TEST(SpecResolverTest, C3_AChunkPolicyHasItsDefaults) {
  v1::JobSpec spec = Command();
  EXPECT_FALSE(SpecResolver({}).Resolve(spec, nullptr)->has_chunk_policy());
  spec.mutable_chunk_policy();
  auto resolved = SpecResolver({}).Resolve(spec, nullptr);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(SupervisionOf(*resolved).chunks, ChunkPolicy());
  EXPECT_EQ(ChunkPolicy().chunk_timeout, absl::Seconds(30));
  EXPECT_EQ(ChunkPolicy().expected_chunk_time, absl::InfiniteDuration());
  ToProto(absl::Seconds(5),
          spec.mutable_chunk_policy()->mutable_expected_chunk_time());
  resolved = SpecResolver({}).Resolve(spec, nullptr);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->chunk_policy().max_consecutive_slow_chunks(), 2);
  EXPECT_EQ(SupervisionOf(*resolved).chunks->expected_chunk_time,
            absl::Seconds(5));
}

TEST(SpecResolverTest, C8_TheServersChunkTimeoutIsASetting) {
  ServerDefaults defaults;
  defaults.chunks.chunk_timeout = absl::Seconds(3);
  v1::JobSpec spec = Command();
  spec.mutable_chunk_policy();
  const auto resolved = SpecResolver(defaults).Resolve(spec, nullptr);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(SupervisionOf(*resolved).chunks->chunk_timeout, absl::Seconds(3));
}

TEST(SpecResolverTest, C3_EachFieldOfARequestWinsOverItsTypes) {
  v1::TaskType type = Warm();
  v1::ChunkPolicy* of_type = type.mutable_chunk_policy();
  ToProto(absl::Seconds(9), of_type->mutable_chunk_timeout());
  ToProto(absl::Seconds(4), of_type->mutable_expected_chunk_time());
  of_type->set_max_consecutive_slow_chunks(7);
  v1::JobSpec spec = OfType(type);
  const auto chunks_of = [&] {
    const auto resolved = SpecResolver({}).Resolve(spec, &type);
    EXPECT_TRUE(resolved.ok()) << resolved.status();
    return *SupervisionOf(*resolved).chunks;
  };
  EXPECT_EQ(chunks_of(), (ChunkPolicy{absl::Seconds(9), absl::Seconds(4), 7}));
  ToProto(absl::Milliseconds(3500),
          spec.mutable_chunk_policy()->mutable_expected_chunk_time());
  EXPECT_EQ(chunks_of(),
            (ChunkPolicy{absl::Seconds(9), absl::Milliseconds(3500), 7}));
  spec.mutable_chunk_policy()->set_max_consecutive_slow_chunks(1);
  ToProto(absl::Seconds(8),
          spec.mutable_chunk_policy()->mutable_chunk_timeout());
  EXPECT_EQ(chunks_of(),
            (ChunkPolicy{absl::Seconds(8), absl::Milliseconds(3500), 1}));
}

TEST(SpecResolverTest, ATypesCountOfSlowChunksNeedsATimeToCountBy) {
  v1::TaskType type;
  type.set_name("t");
  type.mutable_chunk_policy()->set_max_consecutive_slow_chunks(7);
  v1::JobSpec spec;
  spec.set_task_type("t");
  auto resolved = SpecResolver({}).Resolve(spec, &type);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_FALSE(resolved->chunk_policy().has_max_consecutive_slow_chunks());
  // What a client was shown it may ask for.
  EXPECT_TRUE(SpecResolver({}).Resolve(*resolved, &type).ok());
  ToProto(absl::Seconds(1),
          spec.mutable_chunk_policy()->mutable_expected_chunk_time());
  resolved = SpecResolver({}).Resolve(spec, &type);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->chunk_policy().max_consecutive_slow_chunks(), 7);
}

TEST(SpecResolverTest, C3_ChunksOutOfBoundsAreRefusedByName) {
  v1::JobSpec spec = Command();
  v1::ChunkPolicy* chunks = spec.mutable_chunk_policy();
  ToProto(absl::Hours(24), chunks->mutable_chunk_timeout());
  ToProto(absl::Hours(24), chunks->mutable_expected_chunk_time());
  EXPECT_EQ(ErrorOf(spec), "OK");
  ToProto(absl::Hours(24) + absl::Nanoseconds(1),
          chunks->mutable_expected_chunk_time());
  EXPECT_THAT(ErrorOf(spec),
              AllOf(HasSubstr("spec.chunk_policy.expected_chunk_time"),
                    HasSubstr("maximum is 24h")));
  ToProto(absl::Hours(24) + absl::Nanoseconds(1),
          chunks->mutable_chunk_timeout());
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("spec.chunk_policy.chunk_timeout"),
                                   HasSubstr("maximum is 24h")));
  ToProto(absl::ZeroDuration(), chunks->mutable_chunk_timeout());
  EXPECT_THAT(ErrorOf(spec), HasSubstr("chunk_timeout is 0"));
  chunks->clear_chunk_timeout();
  ToProto(absl::Seconds(30) + absl::Nanoseconds(1),
          chunks->mutable_expected_chunk_time());
  EXPECT_THAT(ErrorOf(spec), HasSubstr("at most chunk_timeout, which is 30s"));
  ToProto(absl::Seconds(30), chunks->mutable_expected_chunk_time());
  for (const int max : {1, kSlowChunksMax}) {
    chunks->set_max_consecutive_slow_chunks(max);
    EXPECT_EQ(ErrorOf(spec), "OK");
  }
  for (const int max : {0, kSlowChunksMax + 1}) {
    chunks->set_max_consecutive_slow_chunks(max);
    EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("max_consecutive_slow_chunks"),
                                     HasSubstr("must be from 1 to 1000")));
  }
  chunks->set_max_consecutive_slow_chunks(3);
  chunks->clear_expected_chunk_time();
  EXPECT_THAT(ErrorOf(spec),
              HasSubstr("max_consecutive_slow_chunks counts chunks slower"));
}

}  // namespace
}  // namespace vigil::coordinator
