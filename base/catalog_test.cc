// Proves that a good catalog is resolved beside its file, and that each bad one
// is refused with a message that names file, line and field. Text goes in,
// messages come out; one test reads real files.
#include "base/catalog.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string TypeWith(const std::string& fields) {
  return absl::StrCat("task_types {\n  name: \"t\"\n  argv: \"true\"\n  ",
                      fields, "\n}\n");
}

TEST(CatalogTest, ResolvesPathsBesideTheFile) {
  const auto catalog = ParseCatalog("/tmp/catalog.textproto", R"(
    task_types {
      name: "convert.v1"
      argv: "./bin/convert"
      argv: "{catalog_dir}/rules.txt"
      argv: "./left-alone"
      working_directory: "work"
    }
    task_types {
      name: "python"
      argv: "python3"
      argv: "{catalog_dir}/x.py"
      working_directory: "/srv"
      timeouts { startup_timeout { seconds: 86400 } shutdown_grace {} }
      exit_reasons { key: 255 value: REASON_INVALID_INPUT }
      reason_patterns { pattern: "CUDA.*memory" reason: REASON_OUT_OF_MEMORY }
    })");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  ASSERT_EQ(catalog->task_types_size(), 2);
  const v1::TaskType& first = catalog->task_types(0);
  EXPECT_EQ(first.argv(0), "/tmp/bin/convert");
  EXPECT_EQ(first.argv(1), "/tmp/rules.txt");
  EXPECT_EQ(first.argv(2), "./left-alone");
  EXPECT_EQ(first.working_directory(), "/tmp/work");
  const v1::TaskType& second = catalog->task_types(1);
  EXPECT_EQ(second.argv(0), "python3");
  EXPECT_EQ(second.argv(1), "/tmp/x.py");
  EXPECT_EQ(second.working_directory(), "/srv");
}

TEST(CatalogTest, TakesAWarmTaskAtItsBoundsAndResolvesItsWarmUp) {
  const auto catalog = ParseCatalog("/tmp/catalog.textproto", R"(
    task_types {
      name: "t"
      argv: "./t"
      env { key: "DEVICE" value: "cuda:${SLOT}" }
      frames: FRAMES_PROTOBUF
      activity { streams: STREAMS_NONE }
      result_validator: RESULT_VALIDATOR_JSON
      max_jobs: 1000000
      recycle_rss_bytes: 9223372036854775807
      idle_timeout { seconds: 86400 }
      reset: true
      max_in_flight: 64
      max_slots: 1024
      on_nested_pool: ON_NESTED_POOL_SEQUENTIAL
      max_processes: 0
      max_threads: 100000
      warm_up {
        argv: "./prepare"
        argv: "{catalog_dir}/weights"
        timeout { seconds: 86400 }
        start_to_close_timeout { nanos: 1 }
      }
    }
    task_types {
      name: "command"
      argv: "true"
      activity { streams: STREAMS_STDERR }
      max_slots: 1
      on_nested_pool: ON_NESTED_POOL_RETRY_SEQUENTIAL
      max_processes: 10000
      max_threads: 1
      max_rss_bytes: 1048576
      stack_dump_signal: 31
      warm_up { optional: true }
    })");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  const v1::TaskType& type = catalog->task_types(0);
  EXPECT_EQ(type.argv(0), "/tmp/t");
  EXPECT_EQ(type.warm_up().argv(0), "/tmp/prepare");
  EXPECT_EQ(type.warm_up().argv(1), "/tmp/weights");
  EXPECT_EQ(type.env().at("DEVICE"), "cuda:${SLOT}");
  EXPECT_TRUE(catalog->task_types(1).has_warm_up());
  EXPECT_TRUE(catalog->task_types(1).warm_up().argv().empty());
}

TEST(CatalogTest, WithoutAWarmUpNoneAppears) {
  const auto catalog = ParseCatalog("/tmp/catalog.textproto", TypeWith(""));
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_FALSE(catalog->task_types(0).has_warm_up());
}

TEST(CatalogTest, ReadsJsonByTheEndingOfItsName) {
  const auto catalog =
      ParseCatalog("/tmp/catalog.json",
                   R"({"taskTypes": [{"name": "t", "argv": ["./t"],
          "timeouts": {"inactivityTimeout": "1.5s"}}]})");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ(catalog->task_types(0).argv(0), "/tmp/t");
  EXPECT_EQ(catalog->task_types(0).timeouts().inactivity_timeout().nanos(),
            500000000);
  const auto bad = ParseCatalog("/tmp/catalog.json", "{\"taskTypes\": 1");
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(bad.status().message()),
              StartsWith("/tmp/catalog.json: "));
}

TEST(CatalogTest, LoadsAFileAndSaysWhenThereIsNone) {
  const std::string path =
      absl::StrCat(std::getenv("TEST_TMPDIR"), "/c.textproto");
  std::ofstream(path) << TypeWith("");
  const auto catalog = LoadCatalog(path);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ(catalog->task_types(0).name(), "t");
  EXPECT_EQ(LoadCatalog("/nonexistent/c").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadCatalog("")->task_types_size(), 0);
  std::ofstream(path) << std::string(kCatalogBytesMax + 1, '#');
  EXPECT_THAT(std::string(LoadCatalog(path).status().message()),
              HasSubstr("larger than 4 MiB"));
}

struct BadCase {
  const char* what;
  std::string text;
  const char* message;
};

class BadCatalogTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadCatalogTest, IsRefusedNamingFileLineAndField) {
  const auto catalog = ParseCatalog("/tmp/c.textproto", GetParam().text);
  ASSERT_FALSE(catalog.ok());
  EXPECT_EQ(catalog.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(catalog.status().message()),
              StartsWith(absl::StrCat("/tmp/c.textproto:", GetParam().message)))
      << GetParam().what;
  EXPECT_TRUE(IsUtf8(std::string(catalog.status().message())));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadCatalogTest,
    testing::Values(
        BadCase{"syntax", "task_types {\n  nam: 1\n}", "2:6: "},
        BadCase{"end of file", "task_types {\n", "2:1: "},
        BadCase{"no name", "\ntask_types { argv: \"x\" }",
                "2: task_types[0].name must be 1 to 64"},
        BadCase{"bad name", "task_types { name: \"a b\" argv: \"x\" }",
                "1: task_types[0].name (\"a b\") must be 1 to 64"},
        BadCase{"long name",
                absl::StrCat("task_types { name: \"", std::string(65, 'a'),
                             "\" argv: \"x\" }"),
                "1: task_types[0].name"},
        BadCase{"no argv", "task_types { name: \"t\" }",
                "1: task_types[0].argv (\"t\") must have 1 to 4096"},
        BadCase{"empty program", "task_types { name: \"t\" argv: \"\" }",
                "1: task_types[0].argv[0] (\"t\") the program is empty"},
        BadCase{"NUL", TypeWith("argv: \"a\\000b\""),
                "4: task_types[0].argv[1] (\"t\") has a NUL byte"},
        BadCase{"not UTF-8", TypeWith("argv: \"a\" argv: \"\\377\""),
                "4: task_types[0].argv[2] (\"t\") is not UTF-8"},
        BadCase{"name not UTF-8", "task_types { name: \"\\377\" argv: \"x\" }",
                "1: task_types[0].name (\"\\xff\") is not UTF-8"},
        BadCase{"env not UTF-8",
                TypeWith("env { key: \"A\" value: \"\\377\" }"),
                "4: task_types[0].env (\"t\") is not UTF-8"},
        BadCase{"pattern not UTF-8",
                TypeWith("reason_patterns { pattern: \"a\" reason: "
                         "REASON_TASK_ERROR }\nreason_patterns { pattern: "
                         "\"\\377\" reason: REASON_TASK_ERROR }"),
                "5: task_types[0].reason_patterns[1] (\"t\") pattern is not "
                "UTF-8"},
        BadCase{"mixed signs",
                TypeWith("timeouts { startup_timeout { seconds: 2 nanos: -1 } "
                         "}"),
                "4: task_types[0].timeouts.startup_timeout (\"t\") is not a "
                "valid google.protobuf.Duration"},
        BadCase{"many nanoseconds",
                TypeWith("warm_up { timeout { nanos: 1000000000 } }"),
                "4: task_types[0].warm_up.timeout (\"t\") is not a valid "
                "google.protobuf.Duration"},
        BadCase{"twice", absl::StrCat(TypeWith(""), TypeWith("")),
                "7: task_types[1].name (\"t\") is there twice"},
        BadCase{"env", TypeWith("env { key: \"VIGIL_X\" value: \"1\" }"),
                "4: task_types[0].env (\"t\") \"VIGIL_X\""},
        BadCase{"env name", TypeWith("env { key: \"A=B\" value: \"1\" }"),
                "4: task_types[0].env (\"t\") \"A=B\""},
        BadCase{"zero", TypeWith("timeouts {\n startup_timeout { } }"),
                "5: task_types[0].timeouts.startup_timeout (\"t\") must be "
                "positive"},
        BadCase{"negative",
                TypeWith("timeouts { inactivity_timeout { seconds: -1 } }"),
                "4: task_types[0].timeouts.inactivity_timeout"},
        BadCase{"huge",
                TypeWith("timeouts { start_to_close_timeout { seconds: 86400 "
                         "nanos: 1 } }"),
                "4: task_types[0].timeouts.start_to_close_timeout"},
        BadCase{"grace",
                TypeWith("timeouts { shutdown_grace { seconds: -1 } }"),
                "4: task_types[0].timeouts.shutdown_grace"},
        BadCase{"attempts", TypeWith("retry { maximum_attempts: 0 }"),
                "4: task_types[0].retry.maximum_attempts"},
        BadCase{"coefficient", TypeWith("retry { backoff_coefficient: nan }"),
                "4: task_types[0].retry.backoff_coefficient"},
        BadCase{"jitter", TypeWith("retry { jitter: 1.1 }"),
                "4: task_types[0].retry.jitter"},
        BadCase{"interval", TypeWith("retry { initial_interval { } }"),
                "4: task_types[0].retry.initial_interval"},
        BadCase{"retry_on", TypeWith("retry { retry_on: REASON_CANCELLED }"),
                "4: task_types[0].retry.retry_on[0]"},
        BadCase{"chunk", TypeWith("chunk_policy { chunk_timeout { } }"),
                "4: task_types[0].chunk_policy.chunk_timeout"},
        BadCase{
            "chunk time",
            TypeWith("chunk_policy { expected_chunk_time { seconds: -1 } }"),
            "4: task_types[0].chunk_policy.expected_chunk_time"},
        BadCase{
            "expected",
            TypeWith("chunk_policy { chunk_timeout { seconds: 2 } "
                     "expected_chunk_time { seconds: 3 } }"),
            "4: task_types[0].chunk_policy.expected_chunk_time (\"t\") must "
            "be at most chunk_timeout"},
        BadCase{"no slow chunks",
                TypeWith("chunk_policy { max_consecutive_slow_chunks: 0 }"),
                "4: task_types[0].chunk_policy.max_consecutive_slow_chunks"},
        BadCase{"slow chunks",
                TypeWith("chunk_policy { max_consecutive_slow_chunks: 1001 }"),
                "4: task_types[0].chunk_policy.max_consecutive_slow_chunks "
                "(\"t\") must be 1 to 1000"},
        BadCase{"ready", TypeWith("activity { ready_pattern: \"(\" }"),
                "4: task_types[0].activity.ready_pattern (\"t\") is not an "
                "RE2 pattern: missing )"},
        BadCase{"progress", TypeWith("activity { progress_pattern: \"x\" }"),
                "4: task_types[0].activity.progress_pattern (\"t\") must have "
                "one or two groups"},
        BadCase{"exit status",
                TypeWith("exit_reasons { key: 256 value: "
                         "REASON_INVALID_INPUT }"),
                "4: task_types[0].exit_reasons (\"t\") 256: exit statuses"},
        BadCase{"exit zero",
                TypeWith("exit_reasons { key: 0 value: REASON_TASK_ERROR }"),
                "4: task_types[0].exit_reasons (\"t\") 0: exit statuses"},
        BadCase{"pattern",
                TypeWith("reason_patterns { pattern: \"a\" reason: "
                         "REASON_TASK_ERROR }\nreason_patterns { pattern: "
                         "\"[\" reason: REASON_TASK_ERROR }"),
                "5: task_types[0].reason_patterns[1] (\"t\") is not an RE2"},
        BadCase{"no reason", TypeWith("reason_patterns { pattern: \"a\" }"),
                "4: task_types[0].reason_patterns[0] (\"t\") has no reason"},
        BadCase{"max_processes", TypeWith("max_processes: -1"),
                "4: task_types[0].max_processes"},
        BadCase{"max_threads", TypeWith("max_threads: 0"),
                "4: task_types[0].max_threads (\"t\") must be 1 to 100000"},
        BadCase{"many threads", TypeWith("max_threads: 100001"),
                "4: task_types[0].max_threads"},
        BadCase{"max_rss", TypeWith("max_rss_bytes: 1048575"),
                "4: task_types[0].max_rss_bytes (\"t\") must be 0 (no limit) "
                "or at least 1048576"},
        BadCase{"negative max_rss", TypeWith("max_rss_bytes: -1"),
                "4: task_types[0].max_rss_bytes"},
        BadCase{"signal", TypeWith("stack_dump_signal: 32"),
                "4: task_types[0].stack_dump_signal (\"t\") must be 0"},
        BadCase{"kill", TypeWith("stack_dump_signal: 9"),
                "4: task_types[0].stack_dump_signal"},
        BadCase{"stop", TypeWith("stack_dump_signal: 19"),
                "4: task_types[0].stack_dump_signal"},
        BadCase{"on_nested_pool", TypeWith("on_nested_pool: 6"),
                "4: task_types[0].on_nested_pool (\"t\") is not known (6)"},
        BadCase{"retry once",
                TypeWith("on_nested_pool: ON_NESTED_POOL_RETRY_SEQUENTIAL "
                         "retry { maximum_attempts: 1 }"),
                "4: task_types[0].on_nested_pool (\"t\") is "
                "ON_NESTED_POOL_RETRY_SEQUENTIAL, which needs a second"},
        BadCase{"mode", TypeWith("activity { mode: 9 }"),
                "4: task_types[0].activity.mode (\"t\") is not known"},
        BadCase{"streams", TypeWith("activity { streams: 9 }"),
                "4: task_types[0].activity.streams (\"t\") is not known"},
        BadCase{"max_slots", TypeWith("max_slots: 1025"),
                "4: task_types[0].max_slots (\"t\") must be 0 to 1024"},
        BadCase{"negative max_slots", TypeWith("max_slots: -1"),
                "4: task_types[0].max_slots"}));

// With one more line before the field, and at most one problem in it.
std::string WarmTypeWith(const std::string& fields) {
  return TypeWith(absl::StrCat("frames: FRAMES_JSON\n  ", fields));
}

INSTANTIATE_TEST_SUITE_P(
    WarmTask, BadCatalogTest,
    testing::Values(
        BadCase{"frames", TypeWith("frames: 3"),
                "4: task_types[0].frames (\"t\") is not known"},
        BadCase{"arguments", WarmTypeWith("allow_arguments: true"),
                "5: task_types[0].allow_arguments (\"t\") cannot be given "
                "with frames: a warm task gets its jobs as input"},
        BadCase{"pty", WarmTypeWith("pty: true"),
                "5: task_types[0].pty (\"t\") cannot be given with frames: a "
                "terminal is for commands"},
        BadCase{"ready", WarmTypeWith("activity { ready_pattern: \"x\" }"),
                "5: task_types[0].activity.ready_pattern (\"t\") cannot be "
                "given with frames: a warm task says so in a frame"},
        BadCase{"progress",
                WarmTypeWith("activity { progress_pattern: \"(x)\" }"),
                "5: task_types[0].activity.progress_pattern (\"t\") cannot "
                "be given with frames"},
        BadCase{"validator", WarmTypeWith("result_validator: 4"),
                "5: task_types[0].result_validator (\"t\") is not known"},
        BadCase{"max_jobs", WarmTypeWith("max_jobs: 1000001"),
                "5: task_types[0].max_jobs (\"t\") must be 0 to 1000000"},
        BadCase{"negative max_jobs", WarmTypeWith("max_jobs: -1"),
                "5: task_types[0].max_jobs"},
        BadCase{"rss", WarmTypeWith("recycle_rss_bytes: -1"),
                "5: task_types[0].recycle_rss_bytes (\"t\") must not be"},
        BadCase{"retry sequential",
                WarmTypeWith("on_nested_pool: ON_NESTED_POOL_RETRY_SEQUENTIAL"),
                "5: task_types[0].on_nested_pool (\"t\") cannot be "
                "ON_NESTED_POOL_RETRY_SEQUENTIAL with frames"},
        BadCase{"no idle time", WarmTypeWith("idle_timeout {}"),
                "5: task_types[0].idle_timeout (\"t\") must be positive"},
        BadCase{"idle",
                WarmTypeWith("idle_timeout { seconds: 86400 nanos: 1 }"),
                "5: task_types[0].idle_timeout"},
        BadCase{"in flight", WarmTypeWith("max_in_flight: 65"),
                "5: task_types[0].max_in_flight (\"t\") must be 0 to 64"},
        BadCase{"negative in flight", WarmTypeWith("max_in_flight: -1"),
                "5: task_types[0].max_in_flight"}));

INSTANTIATE_TEST_SUITE_P(
    Command, BadCatalogTest,
    testing::Values(
        BadCase{"validator",
                TypeWith("result_validator: RESULT_VALIDATOR_UTF8"),
                "4: task_types[0].result_validator (\"t\") is for warm tasks "
                "only: set frames too"},
        BadCase{"max_jobs", TypeWith("max_jobs: 1"),
                "4: task_types[0].max_jobs (\"t\") is for warm tasks"},
        BadCase{"rss", TypeWith("recycle_rss_bytes: 1"),
                "4: task_types[0].recycle_rss_bytes (\"t\") is for warm"},
        BadCase{"idle", TypeWith("idle_timeout { seconds: 1 }"),
                "4: task_types[0].idle_timeout (\"t\") is for warm tasks"},
        BadCase{"reset", TypeWith("reset: true"),
                "4: task_types[0].reset (\"t\") is for warm tasks"},
        BadCase{"in flight", TypeWith("max_in_flight: 1"),
                "4: task_types[0].max_in_flight (\"t\") is for warm tasks"},
        BadCase{"streams", TypeWith("activity { streams: STREAMS_NONE }"),
                "4: task_types[0].activity.streams (\"t\") STREAMS_NONE is "
                "for warm tasks only"}));

INSTANTIATE_TEST_SUITE_P(
    WarmUp, BadCatalogTest,
    testing::Values(
        BadCase{"empty program", TypeWith("warm_up {\n argv: \"\" }"),
                "5: task_types[0].warm_up.argv[0] (\"t\") the program is "
                "empty"},
        BadCase{"NUL", TypeWith("warm_up { argv: \"a\"\n argv: \"\\000\" }"),
                "5: task_types[0].warm_up.argv[1] (\"t\") has a NUL byte"},
        BadCase{"long",
                TypeWith(absl::StrCat("warm_up { argv: \"",
                                      std::string((1 << 20) + 1, 'a'), "\" }")),
                "4: task_types[0].warm_up.argv (\"t\") is longer than 1 MiB"},
        BadCase{"no timeout", TypeWith("warm_up { timeout {} }"),
                "4: task_types[0].warm_up.timeout (\"t\") must be positive"},
        BadCase{"close",
                TypeWith("warm_up {\n start_to_close_timeout { seconds: "
                         "86401 } }"),
                "5: task_types[0].warm_up.start_to_close_timeout (\"t\") must "
                "be positive, at most 24 h"}));

}  // namespace
}  // namespace vigil
