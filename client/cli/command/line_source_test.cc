// Proves that lines come one by one as they are there, and that their end is
// known.
#include "client/cli/command/line_source.h"

#include <string>

#include "client/cc/test_dir.h"
#include "client/cli/files.h"
#include "client/cli/limits.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

class LineSourceTest : public ::testing::Test {
 protected:
  LineSource Open(const std::string& content) {
    const std::string path = dir_.path() + "/lines";
    EXPECT_TRUE(WriteFile(path, content).ok());
    return *LineSource::Open(path);
  }

  const client::TestDir dir_;
};

TEST_F(LineSourceTest, GivesLinesWithTheirNumbersAndSkipsBlankOnes) {
  LineSource lines = Open("a\n\n  b \nc");
  EXPECT_EQ(lines.Next(), std::nullopt);
  EXPECT_FALSE(lines.ended());
  EXPECT_TRUE(lines.Fill().ok());
  EXPECT_EQ(lines.Next(), "a");
  EXPECT_EQ(lines.number(), 1);
  EXPECT_EQ(lines.Next(), "b");
  EXPECT_EQ(lines.number(), 3);
  // It may go on.
  EXPECT_EQ(lines.Next(), std::nullopt);
  EXPECT_TRUE(lines.Fill().ok());
  EXPECT_EQ(lines.fd(), -1);
  EXPECT_FALSE(lines.ended());
  EXPECT_EQ(lines.Next(), "c");
  EXPECT_TRUE(lines.ended());
}

TEST_F(LineSourceTest, AnEmptyFileEndsAtOnce) {
  LineSource lines = Open("");
  EXPECT_TRUE(lines.Fill().ok());
  EXPECT_TRUE(lines.ended());
  EXPECT_EQ(lines.Next(), std::nullopt);
}

TEST_F(LineSourceTest, ALineThatNeverEndsIsRefused) {
  LineSource lines = Open(std::string(2 * kRequestTextBytesMax, 'x'));
  absl::Status status;
  while (status.ok() && lines.fd() != -1) status = lines.Fill();
  EXPECT_EQ(status.message(), "line 1 is longer than 8388608 bytes");
}

TEST_F(LineSourceTest, AFileThatIsNotThereIsTold) {
  EXPECT_TRUE(
      absl::IsNotFound(LineSource::Open(dir_.path() + "/none").status()));
}

}  // namespace
}  // namespace vigil::cli
