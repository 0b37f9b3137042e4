// Proves which pools, processes, threads and memory a job is given: its own
// value, else its task type's, else the default of job.proto; and that what no
// job, or no warm task, may ask for is refused by name (C2, C8). Through
// SpecResolver, as clients do.
#include "coordinator/codec/nesting_resolver.h"

#include <string>

#include "coordinator/codec/spec_resolver.h"
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

v1::TaskType Type() {
  v1::TaskType type;
  type.set_name("type");
  return type;
}

v1::TaskType Warm() {
  v1::TaskType type = Type();
  type.set_frames(v1::TaskType::FRAMES_JSON);
  return type;
}

v1::JobSpec OfType() {
  v1::JobSpec spec;
  spec.set_task_type("type");
  return spec;
}

v1::JobSpec Resolve(const v1::JobSpec& spec,
                    const v1::TaskType* type = nullptr) {
  const absl::StatusOr<v1::JobSpec> resolved =
      SpecResolver({}).Resolve(spec, type);
  EXPECT_TRUE(resolved.ok()) << resolved.status();
  return resolved.ok() ? *resolved : v1::JobSpec();
}

std::string ErrorOf(const v1::JobSpec& spec,
                    const v1::TaskType* type = nullptr) {
  const absl::Status status = SpecResolver({}).Resolve(spec, type).status();
  if (status.ok()) return "OK";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(NestingResolverTest, WithoutAWordTheDefaultsAreInForce) {
  const v1::TaskType type = Type();
  const v1::TaskType warm = Warm();
  for (const v1::JobSpec& spec : {Resolve(Command()), Resolve(OfType(), &type),
                                  Resolve(OfType(), &warm)}) {
    EXPECT_EQ(spec.on_nested_pool(), v1::JobSpec::ON_NESTED_POOL_FAIL);
    EXPECT_EQ(spec.max_processes(), 1);
    EXPECT_EQ(spec.max_threads(), 256);
    EXPECT_EQ(spec.max_rss_bytes(), 0);
    EXPECT_EQ(spec.stack_dump_signal(), 0);
  }
}

TEST(NestingResolverTest, C8_JobWinsOverTaskTypeWinsOverDefault) {
  v1::TaskType type = Type();
  type.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_AUDIT);
  type.set_max_processes(2);
  type.set_max_threads(3);
  type.set_max_rss_bytes(4 << 20);
  type.set_stack_dump_signal(10);
  v1::JobSpec spec = Resolve(OfType(), &type);
  EXPECT_EQ(spec.on_nested_pool(), v1::JobSpec::ON_NESTED_POOL_AUDIT);
  EXPECT_EQ(spec.max_processes(), 2);
  EXPECT_EQ(spec.max_threads(), 3);
  EXPECT_EQ(spec.max_rss_bytes(), 4 << 20);
  EXPECT_EQ(spec.stack_dump_signal(), 10);

  spec = OfType();
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_SEQUENTIAL);
  spec.set_max_processes(0);
  spec.set_max_threads(1);
  spec.set_max_rss_bytes(1 << 20);
  spec.set_stack_dump_signal(31);
  spec = Resolve(spec, &type);
  EXPECT_EQ(spec.on_nested_pool(), v1::JobSpec::ON_NESTED_POOL_SEQUENTIAL);
  EXPECT_EQ(spec.max_processes(), 0);
  EXPECT_EQ(spec.max_threads(), 1);
  EXPECT_EQ(spec.max_rss_bytes(), 1 << 20);
  EXPECT_EQ(spec.stack_dump_signal(), 31);
}

TEST(NestingResolverTest, UnderDenyNoProcessIsAllowedUnlessSomebodySaysSo) {
  v1::JobSpec spec = Command();
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_DENY);
  EXPECT_EQ(Resolve(spec).max_processes(), 0);
  spec.set_max_processes(1);
  EXPECT_EQ(Resolve(spec).max_processes(), 1);

  v1::TaskType type = Warm();
  type.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_DENY);
  EXPECT_EQ(Resolve(OfType(), &type).max_processes(), 0);
  type.set_max_processes(2);
  EXPECT_EQ(Resolve(OfType(), &type).max_processes(), 2);
}

TEST(NestingResolverTest, BoundsAreTakenAndOneBeyondIsRefusedByName) {
  v1::JobSpec spec = Command();
  spec.set_max_processes(10000);
  spec.set_max_threads(100000);
  spec.set_max_rss_bytes(1 << 20);
  spec.set_stack_dump_signal(1);
  EXPECT_EQ(ErrorOf(spec), "OK");

  for (const int processes : {-1, 10001}) {
    spec = Command();
    spec.set_max_processes(processes);
    EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("spec.max_processes is "),
                                     HasSubstr("from 0 to 10000")));
  }
  for (const int threads : {-1, 0, 100001}) {
    spec = Command();
    spec.set_max_threads(threads);
    EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("spec.max_threads is "),
                                     HasSubstr("from 1 to 100000")));
  }
  for (const int bytes : {-1, 1, (1 << 20) - 1}) {
    spec = Command();
    spec.set_max_rss_bytes(bytes);
    EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("spec.max_rss_bytes is "),
                                     HasSubstr("at least 1048576")));
  }
  for (const int signal : {-1, 9, 19, 32}) {
    spec = Command();
    spec.set_stack_dump_signal(signal);
    EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("spec.stack_dump_signal is "),
                                     HasSubstr("SIGUSR1")));
  }
}

TEST(NestingResolverTest, APolicyThatIsNotKnownIsRefused) {
  v1::JobSpec spec = Command();
  for (const int policy : {-1, 6}) {
    spec.set_on_nested_pool(static_cast<v1::JobSpec::OnNestedPool>(policy));
    EXPECT_THAT(ErrorOf(spec), HasSubstr("spec.on_nested_pool is"));
  }
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL);
  EXPECT_EQ(ErrorOf(spec), "OK");
}

TEST(NestingResolverTest, RetrySequentialNeedsASecondAttempt) {
  v1::JobSpec spec = Command();
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL);
  spec.mutable_retry()->set_maximum_attempts(1);
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("spec.on_nested_pool is"),
                                   HasSubstr("allow two attempts")));
  spec.mutable_retry()->set_maximum_attempts(2);
  EXPECT_EQ(ErrorOf(spec), "OK");

  // Also where either of them is the task type's.
  v1::TaskType type = Type();
  type.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL);
  spec = OfType();
  spec.mutable_retry()->set_maximum_attempts(1);
  EXPECT_THAT(ErrorOf(spec, &type), HasSubstr("spec.on_nested_pool is"));
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_SEQUENTIAL);
  EXPECT_EQ(ErrorOf(spec, &type), "OK");
}

TEST(NestingResolverTest, WhatIsAWarmProcessesOwnNoJobCanSet) {
  v1::TaskType type = Warm();
  v1::JobSpec spec = OfType();
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_DENY);
  EXPECT_THAT(ErrorOf(spec, &type),
              AllOf(HasSubstr("spec.on_nested_pool cannot be set"),
                    HasSubstr("task type type"),
                    HasSubstr("its process serves many jobs; set it in the "
                              "catalog")));
  spec = OfType();
  spec.set_max_processes(1);
  EXPECT_THAT(ErrorOf(spec, &type), HasSubstr("spec.max_processes cannot"));
  spec = OfType();
  spec.set_max_threads(1);
  EXPECT_THAT(ErrorOf(spec, &type), HasSubstr("spec.max_threads cannot"));

  type.set_max_rss_bytes(1 << 30);
  spec = OfType();
  spec.set_max_rss_bytes(2 << 20);
  spec.set_stack_dump_signal(12);
  spec = Resolve(spec, &type);
  EXPECT_EQ(spec.max_rss_bytes(), 2 << 20);
  EXPECT_EQ(spec.stack_dump_signal(), 12);
}

}  // namespace
}  // namespace vigil::coordinator
