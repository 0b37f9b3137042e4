// Proves which command line, environment and directory an assignment leads to.
// Assignments go in, commands come out.
#include "worker/loop/task_plan.h"

#include <map>
#include <string>
#include <vector>

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

  // A command whose environment has what it is given.
  v1::Command* Run(std::map<std::string, std::string> env = {}) {
    v1::Command* command = assignment_.mutable_spec()->mutable_command();
    if (command->argv().empty()) command->add_argv("x");
    command->mutable_env()->clear();
    command->mutable_env()->insert(env.begin(), env.end());
    return command;
  }
  std::vector<std::string> EnvironmentOf(const v1::TaskType* type) {
    const auto plan = PlanTask(assignment_, type, options_);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ok() ? plan->env : std::vector<std::string>();
  }
  // What Vigil itself set.
  static std::vector<std::string> OwnIn(const std::vector<std::string>& env) {
    std::vector<std::string> own;
    for (const std::string& line : env) {
      if (line.rfind("VIGIL_", 0) == 0) own.push_back(line);
    }
    return own;
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
      ElementsAre("BLIS_NUM_THREADS=1", "GOMAXPROCS=1", "HOME=/h",
                  "LOKY_MAX_CPU_COUNT=1", "MKL_NUM_THREADS=1",
                  "NUMBA_NUM_THREADS=1", "NUMEXPR_NUM_THREADS=1",
                  "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1",
                  "PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1",
                  "RAYON_NUM_THREADS=1", "VECLIB_MAXIMUM_THREADS=1",
                  "VIGIL_ATTEMPT=3", "VIGIL_FENCE=3", "VIGIL_JOB_ID=job",
                  "VIGIL_TASK=job=job;attempt=3", "VIGIL_WORKER_ID=w"));
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
  EXPECT_THAT(plan->env, Contains("PATH=/p"));
  EXPECT_THAT(plan->env, Contains("PYTHONUNBUFFERED="));
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
  EXPECT_THAT(OwnIn(plan->env), ElementsAre("VIGIL_FD=3", "VIGIL_FRAMES=json",
                                            "VIGIL_TASK=type=t;worker=w;slot=0",
                                            "VIGIL_WORKER_ID=w"));
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

TEST_F(TaskPlanTest, B1LibrariesAreToldTheSlotsShareOfTheProcessors) {
  options_.processors = 3;
  Run();
  const std::vector<std::string> env = EnvironmentOf(nullptr);
  for (const char* name :
       {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "GOMAXPROCS",
        "LOKY_MAX_CPU_COUNT"}) {
    EXPECT_THAT(env, Contains(std::string(name) + "=3"));
  }
}

TEST_F(TaskPlanTest, AJobOrTypeSaysItselfHowManyThreads) {
  Run({{"OMP_NUM_THREADS", "7"}, {"GOMAXPROCS", ""}});
  EXPECT_THAT(EnvironmentOf(nullptr), Contains("OMP_NUM_THREADS=7"));
  EXPECT_THAT(EnvironmentOf(nullptr), Contains("GOMAXPROCS="));
  assignment_.mutable_spec()->clear_command();
  (*type_.mutable_env())["MKL_NUM_THREADS"] = "5";
  EXPECT_THAT(EnvironmentOf(&type_), Contains("MKL_NUM_THREADS=5"));
  EXPECT_THAT(EnvironmentOf(&type_), Contains("OMP_NUM_THREADS=1"));
}

TEST_F(TaskPlanTest, A9PythonKeepsToSequentialByTheEnvironment) {
  options_.processors = 4;
  options_.python_dir = "/opt/python";
  options_.report_path = "/data/report";
  options_.on_nested_pool = OnNestedPool::kSequential;
  Run({{"PYTHONPATH", "/own:/more"},
       {"JOBLIB_MULTIPROCESSING", "1"},
       {"LOKY_MAX_CPU_COUNT", "8"}});
  const std::vector<std::string> env = EnvironmentOf(nullptr);
  EXPECT_THAT(env, Contains("PYTHONPATH=/opt/python:/own:/more"));
  EXPECT_THAT(env, Contains("JOBLIB_MULTIPROCESSING=0"));
  EXPECT_THAT(env, Contains("LOKY_MAX_CPU_COUNT=1"));
  EXPECT_THAT(env, Contains("OMP_NUM_THREADS=4"));
  EXPECT_THAT(
      OwnIn(env),
      ElementsAre("VIGIL_ATTEMPT=3", "VIGIL_FENCE=3", "VIGIL_JOB_ID=job",
                  "VIGIL_REPORT=/data/report", "VIGIL_SEQUENTIAL=1",
                  "VIGIL_TASK=job=job;attempt=3", "VIGIL_WORKER_ID=w"));
  Run({{"PYTHONPATH", ""}});
  EXPECT_THAT(EnvironmentOf(nullptr), Contains("PYTHONPATH=/opt/python"));
  options_.python_dir.clear();
  Run();
  EXPECT_THAT(EnvironmentOf(nullptr), Not(Contains(HasSubstr("PYTHONPATH"))));
}

TEST_F(TaskPlanTest, OtherPoliciesLeaveTheEnvironmentAlone) {
  Run();
  const std::vector<std::string> plain = EnvironmentOf(nullptr);
  options_.python_dir = "/opt/python";
  options_.report_path = "/data/report";
  for (const OnNestedPool action :
       {OnNestedPool::kFail, OnNestedPool::kDeny, OnNestedPool::kAudit,
        OnNestedPool::kRetrySequential}) {
    options_.on_nested_pool = action;
    EXPECT_EQ(EnvironmentOf(nullptr), plain);
  }
}

TEST_F(TaskPlanTest, ATaskIsToldOfItsStackDumpSignal) {
  options_.python_dir = "/opt/python";
  assignment_.mutable_spec()->set_stack_dump_signal(10);
  Run();
  const std::vector<std::string> env = EnvironmentOf(nullptr);
  EXPECT_THAT(env, Contains("PYTHONPATH=/opt/python"));
  EXPECT_THAT(env, Contains("VIGIL_STACK_DUMP_SIGNAL=10"));
  EXPECT_THAT(env, Not(Contains(HasSubstr("SEQUENTIAL"))));
  assignment_.mutable_spec()->clear_command();
  type_.set_stack_dump_signal(12);
  EXPECT_THAT(EnvironmentOf(&type_), Contains("VIGIL_STACK_DUMP_SIGNAL=10"));
  assignment_.mutable_spec()->clear_stack_dump_signal();
  EXPECT_THAT(EnvironmentOf(&type_), Contains("VIGIL_STACK_DUMP_SIGNAL=12"));
}

TEST_F(TaskPlanTest, AWarmUpIsATaskOfItsJob) {
  type_.set_frames(v1::TaskType::FRAMES_JSON);
  options_.purpose = SpawnPurpose::kWarmUp;
  EXPECT_THAT(EnvironmentOf(&type_), Contains("VIGIL_TASK=job=job;attempt=3"));
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
