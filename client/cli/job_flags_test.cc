// Proves which job comes of which flags, words and surroundings.
#include "client/cli/job_flags.h"

#include "absl/strings/str_cat.h"
#include "client/cli/files.h"
#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class JobFlagsTest : public ::testing::Test {
 protected:
  JobFlagsTest() {
    job_.AddTo(&flags_);
    environment_.working_directory = "/here";
    environment_.variables = {{"PATH", "/bin"}, {"SECRET", "s"}};
  }

  absl::StatusOr<v1::JobSpec> Spec(const std::vector<std::string>& arguments) {
    absl::StatusOr<std::vector<std::string>> words = flags_.Parse(arguments);
    if (!words.ok()) return words.status();
    return job_.Spec(*words, environment_);
  }

  std::string Error(const std::vector<std::string>& arguments) {
    return std::string(Spec(arguments).status().message());
  }

  Environment environment_;
  JobFlags job_;
  FlagSet flags_{FlagSet::Positionals::kEndFlags};
};

TEST_F(JobFlagsTest, CommandGetsDirectoryAndOnlyTheUsualVariables) {
  const v1::JobSpec spec = *Spec({"--", "ls", "-l"});
  EXPECT_THAT(spec.command().argv(), ElementsAre("ls", "-l"));
  EXPECT_EQ(spec.command().working_directory(), "/here");
  EXPECT_THAT(spec.command().env(), UnorderedElementsAre(Pair("PATH", "/bin")));
  EXPECT_FALSE(spec.has_input());
  EXPECT_TRUE(job_.retry_is_default());
}

TEST_F(JobFlagsTest, EnvSetsOrPassesOnVariables) {
  const v1::JobSpec spec = *Spec(
      {"--env=A=1=2", "--env", "SECRET", "--env=B=", "--env=PATH=/x", "ls"});
  EXPECT_THAT(spec.command().env(),
              UnorderedElementsAre(Pair("A", "1=2"), Pair("SECRET", "s"),
                                   Pair("B", ""), Pair("PATH", "/x")));
}

TEST_F(JobFlagsTest, EnvThatIsNotSetHereIsAnError) {
  EXPECT_THAT(Error({"--env=NOPE", "ls"}), HasSubstr("NOPE is not set here"));
}

TEST_F(JobFlagsTest, EnvWithoutANameIsAnError) {
  EXPECT_THAT(Error({"--env==x", "ls"}), HasSubstr("names no variable"));
}

TEST_F(JobFlagsTest, EveryClockHasItsFlag) {
  const v1::Timeouts timeouts =
      Spec({"--startup=1s", "--inactivity=2s", "--progress=3s",
            "--start-to-close=4s", "--schedule-to-start=5s",
            "--schedule-to-close=6s", "--shutdown-grace=0", "ls"})
          ->timeouts();
  EXPECT_EQ(timeouts.startup_timeout().seconds(), 1);
  EXPECT_EQ(timeouts.inactivity_timeout().seconds(), 2);
  EXPECT_EQ(timeouts.progress_timeout().seconds(), 3);
  EXPECT_EQ(timeouts.start_to_close_timeout().seconds(), 4);
  EXPECT_EQ(timeouts.schedule_to_start_timeout().seconds(), 5);
  EXPECT_EQ(timeouts.schedule_to_close_timeout().seconds(), 6);
  EXPECT_TRUE(timeouts.has_shutdown_grace());
  EXPECT_EQ(timeouts.shutdown_grace().seconds(), 0);
}

TEST_F(JobFlagsTest, OtherFlagsReachTheirFields) {
  const v1::JobSpec spec =
      *Spec({"--silent", "--observe", "--pty", "--ready_pattern=up",
             "--progress_pattern=(\\d+)%", "--maximum_attempts=3",
             "--retry_on=NONZERO_EXIT,SIGNALLED", "--max_processes=0",
             "--priority=-5", "--label=k=v=w", "--namespace=n", "ls"});
  EXPECT_EQ(spec.activity().mode(), v1::ActivityPolicy::MODE_SILENT);
  EXPECT_TRUE(spec.activity().observe());
  EXPECT_EQ(spec.activity().ready_pattern(), "up");
  EXPECT_EQ(spec.activity().progress_pattern(), "(\\d+)%");
  EXPECT_TRUE(spec.pty());
  EXPECT_EQ(spec.retry().maximum_attempts(), 3);
  EXPECT_THAT(spec.retry().retry_on(),
              ElementsAre(v1::Failure::REASON_NONZERO_EXIT,
                          v1::Failure::REASON_SIGNALLED));
  EXPECT_TRUE(spec.has_max_processes());
  EXPECT_EQ(spec.max_processes(), 0);
  EXPECT_EQ(spec.priority(), -5);
  EXPECT_EQ(spec.labels().at("k"), "v=w");
  EXPECT_EQ(job_.job_namespace(), "n");
  EXPECT_FALSE(job_.retry_is_default());
}

TEST_F(JobFlagsTest, C2_PoliciesOfPoolsThreadsAndMemoryReachTheirFields) {
  v1::JobSpec spec = *Spec({"ls"});
  EXPECT_EQ(spec.on_nested_pool(), v1::JobSpec::ON_NESTED_POOL_UNSPECIFIED);
  EXPECT_FALSE(spec.has_max_processes());
  EXPECT_FALSE(spec.has_max_threads());
  spec = *Spec({"--on-nested-pool=Sequential", "--max-processes=3",
                "--max-threads=100000", "--max_rss=512M",
                "--stack_dump_signal=SIGUSR1", "ls"});
  EXPECT_EQ(spec.on_nested_pool(), v1::JobSpec::ON_NESTED_POOL_SEQUENTIAL);
  EXPECT_EQ(spec.max_processes(), 3);
  EXPECT_EQ(spec.max_threads(), 100000);
  EXPECT_EQ(spec.max_rss_bytes(), 512 << 20);
  EXPECT_EQ(spec.stack_dump_signal(), 10);
}

TEST_F(JobFlagsTest, C3_ChunkPoliciesReachTheirFields) {
  EXPECT_FALSE(Spec({"ls"})->has_chunk_policy());
  const v1::JobSpec spec =
      *Spec({"--chunk-timeout=20s", "--expected_chunk_time=1500ms",
             "--max-slow-chunks=1000", "ls"});
  EXPECT_EQ(spec.chunk_policy().chunk_timeout().seconds(), 20);
  EXPECT_EQ(spec.chunk_policy().expected_chunk_time().seconds(), 1);
  EXPECT_EQ(spec.chunk_policy().expected_chunk_time().nanos(), 500000000);
  EXPECT_EQ(spec.chunk_policy().max_consecutive_slow_chunks(), 1000);
  EXPECT_THAT(Error({"--max_slow_chunks=0", "ls"}),
              AllOf(HasSubstr("--max_slow_chunks"), HasSubstr("1 to 1000")));
}

TEST_F(JobFlagsTest, BadPoliciesAreErrorsThatNameTheFlag) {
  EXPECT_THAT(Error({"--on_nested_pool=denny", "ls"}),
              AllOf(HasSubstr("--on_nested_pool"), HasSubstr("mean deny?")));
  EXPECT_THAT(Error({"--max_threads=0", "ls"}),
              AllOf(HasSubstr("--max_threads"), HasSubstr("1 to 100000")));
  EXPECT_THAT(Error({"--max_rss=512MB", "ls"}),
              AllOf(HasSubstr("--max_rss"), HasSubstr("512MB")));
  EXPECT_THAT(Error({"--stack_dump_signal=USR9", "ls"}),
              AllOf(HasSubstr("--stack_dump_signal"), HasSubstr("mean USR")));
}

TEST_F(JobFlagsTest, TaskTypeTakesWordsAsArgumentsAndNoEnvironment) {
  const v1::JobSpec spec = *Spec({"--task_type=rewrite", "--", "a"});
  EXPECT_EQ(spec.task_type(), "rewrite");
  EXPECT_THAT(spec.arguments(), ElementsAre("a"));
  EXPECT_FALSE(spec.has_command());
  EXPECT_THAT(Error({"--task_type=rewrite", "--env=A=1"}),
              HasSubstr("catalog"));
}

TEST_F(JobFlagsTest, NothingToRunIsAnError) {
  EXPECT_THAT(Error({}), HasSubstr("nothing to run"));
}

TEST_F(JobFlagsTest, TextThatCannotBeSentIsAnErrorThatSaysWhich) {
  EXPECT_THAT(Error({"ls", "\xff"}), HasSubstr("an argument"));
  environment_.working_directory = "/\xff";
  EXPECT_THAT(Error({"ls"}), HasSubstr("working directory"));
  environment_.working_directory = "/";
  environment_.variables["HOME"] = "\xff";
  EXPECT_THAT(Error({"ls"}), HasSubstr("HOME"));
}

TEST_F(JobFlagsTest, StdinIsReadFromAFileUpToItsBound) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/input");
  ASSERT_TRUE(WriteFile(path, std::string("a\0\xff", 3)).ok());
  EXPECT_EQ(Spec({"--stdin=" + path, "cat"})->input(),
            std::string("a\0\xff", 3));
  ASSERT_TRUE(WriteFile(path, std::string(kInputBytesMax, 'x')).ok());
  EXPECT_EQ(Spec({"cat"})->input().size(), kInputBytesMax);
  ASSERT_TRUE(WriteFile(path, std::string(kInputBytesMax + 1, 'x')).ok());
  EXPECT_THAT(Error({"cat"}), HasSubstr("more than 3145728 bytes"));
  EXPECT_THAT(Error({"--stdin=/no/such", "cat"}), HasSubstr("No such file"));
}

TEST_F(JobFlagsTest, InputIsGivenAsTextAlsoAnEmptyOne) {
  EXPECT_FALSE(job_.takes_input());
  const v1::JobSpec spec = *Spec({"--task_type=t", "--input={\"a\": {}}"});
  EXPECT_EQ(spec.input(), "{\"a\": {}}");
  EXPECT_EQ(job_.input(), "{\"a\": {}}");
  EXPECT_TRUE(job_.takes_input());
  EXPECT_TRUE(Spec({"--task_type=t", "--input="})->has_input());
  EXPECT_THAT(Error({"--input=a", "--stdin=f", "cat"}),
              HasSubstr("give one of them"));
}

}  // namespace
}  // namespace vigil::cli
