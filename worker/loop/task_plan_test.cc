// Proves which command line, environment and directory an assignment leads to.
// Assignments go in, commands come out.
#include "worker/loop/task_plan.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class TaskPlanTest : public testing::Test {
 protected:
  TaskPlanTest() {
    options_.allow_commands = true;
    options_.worker_id = "w";
    options_.default_directory = "/data/work/slot-0";
    assignment_.mutable_attempt()->set_job_id("job");
    assignment_.mutable_attempt()->set_number(3);
    type_.set_name("t");
    type_.add_argv("/bin/t");
    type_.add_argv("-v");
  }

  TaskPlanOptions options_;
  v1::Assignment assignment_;
  v1::TaskType type_;
};

TEST_F(TaskPlanTest, ACommandGetsExactlyItsEnvironmentAndVigils) {
  v1::Command* command = assignment_.mutable_spec()->mutable_command();
  command->add_argv("x");
  (*command->mutable_env())["HOME"] = "/h";
  (*command->mutable_env())["VIGIL_FENCE"] = "forged";
  (*command->mutable_env())["VIGIL_OTHER"] = "forged";
  const auto plan = PlanTask(assignment_, nullptr, options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->argv, ElementsAre("x"));
  EXPECT_THAT(
      plan->env,
      ElementsAre("HOME=/h", "PATH=/usr/local/bin:/usr/bin:/bin",
                  "PYTHONUNBUFFERED=1", "VIGIL_ATTEMPT=3", "VIGIL_FENCE=3",
                  "VIGIL_JOB_ID=job", "VIGIL_WORKER_ID=w"));
  EXPECT_EQ(plan->working_directory, "/data/work/slot-0");
  EXPECT_FALSE(plan->pty);
}

TEST_F(TaskPlanTest, ACommandsOwnPathAndDirectoryWin) {
  v1::Command* command = assignment_.mutable_spec()->mutable_command();
  command->add_argv("x");
  command->set_working_directory("/srv");
  (*command->mutable_env())["PATH"] = "/p";
  (*command->mutable_env())["PYTHONUNBUFFERED"] = "";
  assignment_.mutable_spec()->set_pty(true);
  const auto plan = PlanTask(assignment_, nullptr, options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->env[0], "PATH=/p");
  EXPECT_EQ(plan->env[1], "PYTHONUNBUFFERED=");
  EXPECT_EQ(plan->working_directory, "/srv");
  EXPECT_TRUE(plan->pty);
}

TEST_F(TaskPlanTest, ATaskTypeGetsTheJobsArgumentsWhereItAllowsThem) {
  assignment_.mutable_spec()->set_task_type("t");
  assignment_.mutable_spec()->add_arguments("file");
  const auto refused = PlanTask(assignment_, &type_, options_);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("arguments: task type \"t\" allows none"));
  type_.set_allow_arguments(true);
  type_.set_working_directory("/opt");
  type_.set_pty(true);
  const auto plan = PlanTask(assignment_, &type_, options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->argv, ElementsAre("/bin/t", "-v", "file"));
  EXPECT_EQ(plan->working_directory, "/opt");
  EXPECT_TRUE(plan->pty);
}

TEST_F(TaskPlanTest, AWarmTaskIsToldOfItsChannelAndOfNoJob) {
  type_.set_frames(v1::TaskType::FRAMES_JSON);
  const auto plan = PlanTask(assignment_, &type_, options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->env, ElementsAre("PATH=/usr/local/bin:/usr/bin:/bin",
                                     "PYTHONUNBUFFERED=1", "VIGIL_FD=3",
                                     "VIGIL_FRAMES=json", "VIGIL_WORKER_ID=w"));
  type_.set_frames(v1::TaskType::FRAMES_PROTOBUF);
  const auto other = PlanTask(assignment_, &type_, options_);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_THAT(other->env, Contains("VIGIL_FRAMES=protobuf"));
}

TEST_F(TaskPlanTest, TheSlotStandsInTheEnvironmentOfATypeAlone) {
  (*type_.mutable_env())["DEVICE"] = "cuda:${SLOT} of ${SLOT}";
  options_.slot = 7;
  const auto plan = PlanTask(assignment_, &type_, options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->env, Contains("DEVICE=cuda:7 of 7"));
  v1::Command* command = assignment_.mutable_spec()->mutable_command();
  command->add_argv("x");
  (*command->mutable_env())["A"] = "${SLOT}";
  const auto own = PlanTask(assignment_, nullptr, options_);
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_THAT(own->env, Contains("A=${SLOT}"));
}

TEST_F(TaskPlanTest, A4AWarmUpRunsItsOwnProgramOrTheTypes) {
  type_.set_frames(v1::TaskType::FRAMES_JSON);
  type_.set_allow_arguments(true);
  assignment_.mutable_spec()->add_arguments("of-the-job");
  type_.mutable_warm_up();
  options_.purpose = SpawnPurpose::kWarmUp;
  options_.cache_path = "/data/cache/t~partial-1/data";
  const auto plan = PlanTask(assignment_, &type_, options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->argv, ElementsAre("/bin/t", "-v"));
  EXPECT_THAT(plan->env, Contains("VIGIL_WARM_UP=1"));
  EXPECT_THAT(plan->env,
              Contains("VIGIL_CACHE_DIR=/data/cache/t~partial-1/data"));
  EXPECT_THAT(plan->env, Not(Contains(HasSubstr("VIGIL_FD"))));
  type_.mutable_warm_up()->add_argv("/bin/fill");
  const auto other = PlanTask(assignment_, &type_, options_);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_THAT(other->argv, ElementsAre("/bin/fill"));
}

TEST_F(TaskPlanTest, RefusesWhatItMayNotOrCannotRun) {
  assignment_.mutable_spec()->set_task_type("unknown");
  EXPECT_EQ(PlanTask(assignment_, nullptr, options_).status().code(),
            absl::StatusCode::kNotFound);
  assignment_.mutable_spec()->clear_task_type();
  assignment_.mutable_spec()->mutable_command();
  EXPECT_EQ(PlanTask(assignment_, nullptr, options_).status().code(),
            absl::StatusCode::kInvalidArgument);
  assignment_.mutable_spec()->mutable_command()->add_argv("x");
  options_.allow_commands = false;
  EXPECT_EQ(PlanTask(assignment_, nullptr, options_).status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace vigil::worker
