// Proves that lines are appended whole, that full files make room, and that a
// disk which takes no more spoils no line: on a real disk, with its limit set
// by the kernel.
#include "coordinator/telemetry/event_file.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class EventFileTest : public testing::Test {
 protected:
  EventFileTest() {
    std::string pattern = testing::TempDir() + "/eventsXXXXXX";
    directory_ = mkdtemp(pattern.data());
    options_.path = directory_ + "/log";
  }
  ~EventFileTest() override { std::filesystem::remove_all(directory_); }

  std::string Read(const std::string& suffix = "") const {
    std::ostringstream text;
    text << std::ifstream(options_.path + suffix).rdbuf();
    return text.str();
  }
  bool Exists(const std::string& suffix) const {
    return std::filesystem::exists(options_.path + suffix);
  }

  std::string directory_;
  EventFileOptions options_;
};

TEST_F(EventFileTest, AppendsToWhatIsThereAndIsPrivate) {
  {
    EventFile file(options_);
    ASSERT_TRUE(file.Open().ok());
    ASSERT_TRUE(file.Append("one\n").ok());
  }
  EventFile file(options_);
  ASSERT_TRUE(file.Append("two\n").ok());  // opens it
  EXPECT_EQ(Read(), "one\ntwo\n");
  struct stat info;
  ASSERT_EQ(stat(options_.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(EventFileTest, AFullFileMakesRoomAndTheOldestGoes) {
  options_.bytes_max = 8;
  options_.kept = 2;
  EventFile file(options_);
  for (const char* line : {"a23\n", "b23\n", "c23\n", "d23\n", "e23\n"}) {
    ASSERT_TRUE(file.Append(line).ok());
  }
  EXPECT_EQ(Read(), "e23\n");
  EXPECT_EQ(Read(".1"), "c23\nd23\n");
  EXPECT_EQ(Read(".2"), "a23\nb23\n");
  ASSERT_TRUE(file.Append("f2345\n").ok());
  EXPECT_EQ(Read(), "f2345\n");
  EXPECT_EQ(Read(".2"), "c23\nd23\n");
  EXPECT_FALSE(Exists(".3"));
}

TEST_F(EventFileTest, ANewOneThatCannotBeOpenedCostsNoOldOne) {
  options_.bytes_max = 8;
  options_.kept = 2;
  EventFile file(options_);
  ASSERT_TRUE(file.Append("one....\n").ok());
  ASSERT_TRUE(file.Append("two....\n").ok());
  // No descriptor is left for a new one.
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(file.Append("lost...\n").ok());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(file.Append("three..\n").ok());
  EXPECT_EQ(Read(".2"), "one....\n");
  EXPECT_EQ(Read(".1"), "two....\n");
  EXPECT_EQ(Read(), "three..\n");
}

TEST_F(EventFileTest, ALineLargerThanAFileHasOneOfItsOwn) {
  options_.bytes_max = 4;
  EventFile file(options_);
  ASSERT_TRUE(file.Append("123456\n").ok());
  ASSERT_TRUE(file.Append("1\n").ok());
  EXPECT_EQ(Read(), "1\n");
  EXPECT_EQ(Read(".1"), "123456\n");
}

TEST_F(EventFileTest, CountsWhatWasThereBefore) {
  std::ofstream(options_.path) << "1234567\n";
  options_.bytes_max = 10;
  EventFile file(options_);
  ASSERT_TRUE(file.Append("new\n").ok());
  EXPECT_EQ(Read(), "new\n");
  EXPECT_EQ(Read(".1"), "1234567\n");
}

TEST_F(EventFileTest, OpenAgainLetsGoOfAFileThatWasMoved) {
  EventFile file(options_);
  ASSERT_TRUE(file.Append("one\n").ok());
  std::filesystem::rename(options_.path, options_.path + ".moved");
  ASSERT_TRUE(file.Append("two\n").ok());
  EXPECT_EQ(Read(".moved"), "one\ntwo\n");
  ASSERT_TRUE(file.Open().ok());
  ASSERT_TRUE(file.Append("three\n").ok());
  EXPECT_EQ(Read(), "three\n");
}

TEST_F(EventFileTest, ADiskThatIsFullKeepsWholeLinesAlone) {
  EventFile file(options_);
  ASSERT_TRUE(file.Append("one\n").ok());
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {6, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = file.Append("second\n");
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(options_.path), std::string::npos);
  EXPECT_EQ(Read(), "one\n");
  ASSERT_TRUE(file.Append("third\n").ok());
  EXPECT_EQ(Read(), "one\nthird\n");
}

TEST_F(EventFileTest, RefusesWhatIsNoRegularFile) {
  ASSERT_EQ(mkfifo(options_.path.c_str(), 0600), 0);
  EXPECT_FALSE(EventFile(options_).Open().ok());
  EventFileOptions directory;
  directory.path = directory_;
  EXPECT_FALSE(EventFile(directory).Open().ok());
  EventFileOptions missing;
  missing.path = directory_ + "/no/log";
  EXPECT_TRUE(absl::IsNotFound(EventFile(missing).Open()));
}

}  // namespace
}  // namespace vigil::coordinator
