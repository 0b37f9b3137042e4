// Proves how the reports of pools that ran in sequence are read: each once,
// whole lines only, added up; what is no report does no harm.
#include "worker/loop/sequential_report.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

class SequentialReportTest : public testing::Test {
 protected:
  SequentialReportTest()
      : path_(absl::StrCat(
            testing::TempDir(), "/report_",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    unlink(path_.c_str());
  }
  void Append(const std::string& text) {
    std::ofstream(path_, std::ios::app) << text;
  }

  const std::string path_;
};

TEST_F(SequentialReportTest, C2_AddsUpByProgramAndCallAndKeepsTheLastPlace) {
  SequentialReport report(path_);
  Append("sequential\ta.py\tProcessPoolExecutor\ta.py:1\n");
  Append("sequential\ta.py\tmultiprocessing.Pool\ta.py:2\n");
  Append("sequential\ta.py\tProcessPoolExecutor\ta.py:3\n");
  const std::vector<NestedCall> calls = report.ReadNew();
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0],
            (NestedCall{"a.py", "ProcessPoolExecutor",
                        NestedCall::Outcome::kSequential, 2, "a.py:3"}));
  EXPECT_EQ(calls[1].call, "multiprocessing.Pool");
  EXPECT_EQ(calls[1].count, 1);
}

TEST_F(SequentialReportTest, ReadsEachLineOnceAndOnlyWhenItIsWhole) {
  SequentialReport report(path_);
  EXPECT_TRUE(report.ReadNew().empty()) << "no file yet";
  Append("sequential\ta\tb\tc\nsequential\ta\t");
  ASSERT_EQ(report.ReadNew().size(), 1u);
  EXPECT_TRUE(report.ReadNew().empty());
  Append("b\tc\n");
  const std::vector<NestedCall> rest = report.ReadNew();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].count, 1);
}

TEST_F(SequentialReportTest, PassesOverWhatIsNoReport) {
  SequentialReport report(path_);
  Append("hello\n\nsequential\ta\tb\nother\ta\tb\tc\nsequential\ta\tb\tc\td\n");
  EXPECT_TRUE(report.ReadNew().empty());
}

TEST_F(SequentialReportTest, FollowsNoLink) {
  Append("sequential\ta\tb\tc\n");
  const std::string link = path_ + ".link";
  unlink(link.c_str());
  ASSERT_EQ(symlink(path_.c_str(), link.c_str()), 0);
  EXPECT_TRUE(SequentialReport(link).ReadNew().empty());
}

TEST_F(SequentialReportTest, WaitsForNoFifo) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_TRUE(SequentialReport(path_).ReadNew().empty());
}

TEST_F(SequentialReportTest, WithoutAPathThereIsNothing) {
  EXPECT_TRUE(SequentialReport().ReadNew().empty());
}

}  // namespace
}  // namespace vigil::worker
