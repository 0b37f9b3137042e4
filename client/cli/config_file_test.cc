// Proves that the file of contexts is found, kept privately, replaced whole,
// and that a damaged one is told with its line. A directory of the test's own
// stands in for the user's.
#include "client/cli/config_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cc/test_dir.h"
#include "client/cli/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfigFileTest : public ::testing::Test {
 protected:
  ConfigFileTest()
      : file_(absl::StrCat(dir_.path(), "/a/b/vigil/config.json")) {}

  absl::Status Add(const std::string& name, const std::string& address = "") {
    return file_.Change([&](Config* config) {
      Config::Context* context = config->add_contexts();
      context->set_name(name);
      context->set_address(address);
      return absl::OkStatus();
    });
  }

  // The error of reading this text.
  std::string ErrorOf(const std::string& text) {
    Add("made").IgnoreError();
    EXPECT_TRUE(WriteFile(file_.path(), text).ok());
    const absl::Status status = file_.Read().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    return std::string(status.message());
  }

  const client::TestDir dir_;
  const ConfigFile file_;
};

TEST(ConfigFile, LiesWhereTheUserSaysElseInTheHomeDirectory) {
  Environment environment;
  EXPECT_EQ(ConfigFile::Of(environment).path(), "");
  environment.variables["HOME"] = "/home/u";
  EXPECT_EQ(ConfigFile::Of(environment).path(),
            "/home/u/.config/vigil/config.json");
  environment.variables["XDG_CONFIG_HOME"] = "not/absolute";
  EXPECT_EQ(ConfigFile::Of(environment).path(),
            "/home/u/.config/vigil/config.json");
  environment.variables["XDG_CONFIG_HOME"] = "/c/";
  EXPECT_EQ(ConfigFile::Of(environment).path(), "/c/vigil/config.json");
}

TEST(ConfigFile, WithoutAPlaceThereAreNoContextsAndNoneCanBeMade) {
  const ConfigFile file("");
  EXPECT_EQ(file.Read()->contexts_size(), 0);
  const absl::Status status =
      file.Change([](Config*) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("HOME"));
}

TEST_F(ConfigFileTest, KeepsContextsSortedInAPrivateFile) {
  ASSERT_TRUE(Add("b", "host:1").ok());
  ASSERT_TRUE(Add("a").ok());
  const absl::StatusOr<Config> config = file_.Read();
  ASSERT_TRUE(config.ok());
  ASSERT_EQ(config->contexts_size(), 2);
  EXPECT_EQ(config->contexts(0).name(), "a");
  EXPECT_EQ(config->contexts(1).address(), "host:1");
  struct stat status;
  ASSERT_EQ(stat(file_.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(stat((dir_.path() + "/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((dir_.path() + "/a/b/vigil").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(ConfigFileTest, AChangeThatFailsLeavesTheFileAsItWas) {
  ASSERT_TRUE(Add("a").ok());
  EXPECT_EQ(file_
                .Change([](Config* config) {
                  config->clear_contexts();
                  return absl::NotFoundError("no");
                })
                .message(),
            "no");
  EXPECT_EQ(Add("b", "nonsense").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add("a").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add("white space").code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(file_.Read()->contexts_size(), 1);
  EXPECT_EQ(file_.Read()->contexts(0).name(), "a");
}

TEST_F(ConfigFileTest, ReplacesWhatACrashLeft) {
  ASSERT_TRUE(Add("a").ok());
  ASSERT_TRUE(WriteFile(file_.path() + ".new", "half of").ok());
  ASSERT_TRUE(Add("b").ok());
  EXPECT_EQ(file_.Read()->contexts_size(), 2);
  EXPECT_NE(access((file_.path() + ".new").c_str(), F_OK), 0);
}

TEST_F(ConfigFileTest, LosesNoChangeOfSeveralAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      for (int j = 0; j < 4; ++j) {
        EXPECT_TRUE(Add(absl::StrCat("c", i, "-", j)).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(file_.Read()->contexts_size(), 32);
}

TEST_F(ConfigFileTest, NamesFileAndLineOfWhatIsDamaged) {
  EXPECT_THAT(ErrorOf("{\n  \"contexts\": [\n    {\"name\" \"a\"}\n  ]\n}\n"),
              StartsWith(file_.path() + ":3: "));
  EXPECT_THAT(ErrorOf("{\n\n\n  \"curent\": \"a\"\n}\n"),
              StartsWith(file_.path() + ":4: "));
  EXPECT_THAT(ErrorOf("{\n \"contexts\": [\n  {\"adress\": \"a:1\"}]}\n"),
              StartsWith(file_.path() + ":3: "));
  // Cut off, as by a full disk of another program.
  EXPECT_THAT(ErrorOf("{\n  \"contexts\": [\n\n"),
              StartsWith(file_.path() + ":2: "));
  EXPECT_THAT(ErrorOf(""), StartsWith(file_.path() + ":1: "));
  EXPECT_THAT(ErrorOf("{}x"), StartsWith(file_.path() + ":1: "));
}

TEST_F(ConfigFileTest, RefusesContentsThatMakeNoSense) {
  EXPECT_THAT(ErrorOf("{\"current\": \"a\"}"),
              HasSubstr("no context has that name"));
  EXPECT_THAT(ErrorOf("{\"contexts\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}"),
              HasSubstr("`a` is there twice"));
  EXPECT_THAT(
      ErrorOf("{\"contexts\": [{\"name\": \"a\", \"address\": \"x\"}]}"),
      HasSubstr("has no known form"));
  EXPECT_THAT(
      ErrorOf("{\"contexts\": [{\"name\": \"a\", \"namespace\": \"b c\"}]}"),
      HasSubstr("namespace `b c`"));
}

}  // namespace
}  // namespace vigil::cli
