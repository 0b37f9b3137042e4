// Proves that a good catalog is resolved beside its file, and that each bad one
// is refused with a message that names file, line and field. Text goes in,
// messages come out; one test reads real files.
#include "base/catalog.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
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
                "4: task_types[0].max_processes"}));

}  // namespace
}  // namespace vigil
