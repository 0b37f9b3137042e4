// Proves which items a file of results has as done: the last line of an item
// counts, another item's result is refused, and so is what is no result.
#include "client/cli/resume_file.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/cc/test_dir.h"
#include "client/cli/batch_summary.h"
#include "client/cli/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;

// The line that a batch writes.
std::string LineOf(int64_t index, const std::string& text,
                   v1::Job::State state) {
  ItemResult result;
  result.item = {index, text};
  result.has_job = true;
  result.job.set_state(state);
  return ItemJson(result);
}

class ResumeFileTest : public testing::Test {
 protected:
  absl::StatusOr<ResumeFile> Read(const std::string& lines) {
    EXPECT_TRUE(WriteFile(path_, lines).ok());
    return ResumeFile::Read(path_);
  }

  const client::TestDir dir_;
  const std::string path_ = dir_.path() + "/results";
};

TEST_F(ResumeFileTest, WhatSucceededIsDone) {
  auto file = Read(LineOf(1, "a", v1::Job::STATE_SUCCEEDED) +
                   LineOf(2, "b", v1::Job::STATE_FAILED));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(*file->Succeeded({1, "a"}));
  EXPECT_FALSE(*file->Succeeded({2, "b"}));
  EXPECT_FALSE(*file->Succeeded({3, "c"}));
}

TEST_F(ResumeFileTest, TheLastLineOfAnItemCounts) {
  auto file = Read(LineOf(1, "a", v1::Job::STATE_FAILED) +
                   LineOf(1, "a", v1::Job::STATE_SUCCEEDED));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(*file->Succeeded({1, "a"}));
}

TEST_F(ResumeFileTest, AnItemThatIsNoTextIsKnownToo) {
  auto file = Read(LineOf(1, "\xff\n", v1::Job::STATE_SUCCEEDED));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(*file->Succeeded({1, "\xff\n"}));
}

TEST_F(ResumeFileTest, OtherItemsAreRefused) {
  auto file = Read(LineOf(1, "a", v1::Job::STATE_SUCCEEDED));
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status = file->Succeeded({1, "b"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("item 1 is not the one"));
}

TEST_F(ResumeFileTest, AFileWithoutResultsIsRefusedByItsLine) {
  for (const char* bad : {"[1]\n", "{\"index\":1}\n",
                          "{\"index\":0,\"item\":\"a\",\"state\":\"\"}\n"}) {
    const absl::Status status = Read(absl::StrCat("\n", bad)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("line 2"));
  }
  EXPECT_TRUE(Read("").ok());
}

TEST_F(ResumeFileTest, ALineThatWasCutOffIsNone) {
  const std::string a = LineOf(1, "a", v1::Job::STATE_SUCCEEDED);
  const std::string b = LineOf(2, "b", v1::Job::STATE_SUCCEEDED);
  const std::string c = LineOf(3, "c", v1::Job::STATE_SUCCEEDED);
  auto file = Read(a + b.substr(0, 20));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(*file->Succeeded({1, "a"}));
  EXPECT_FALSE(*file->Succeeded({2, "b"}));
  EXPECT_TRUE(file->cut_off());
  // Others may follow it.
  file = Read(absl::StrCat(a, b.substr(0, 20), "\n", c));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE(*file->Succeeded({2, "b"}));
  EXPECT_TRUE(*file->Succeeded({3, "c"}));
  EXPECT_FALSE(file->cut_off());
}

TEST_F(ResumeFileTest, AFileThatIsNotThereIsAnError) {
  EXPECT_EQ(ResumeFile::Read(path_).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace vigil::cli
