// Proves that what was written before is left out to the byte, and nothing
// else.
#include "client/cli/output_skip.h"

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

v1::Output Piece(int attempt, v1::Output::Stream stream, int64_t offset,
                 const std::string& data) {
  v1::Output output;
  output.set_attempt(attempt);
  output.set_stream(stream);
  output.set_offset(offset);
  output.set_data(data);
  return output;
}

constexpr auto kOut = v1::Output::STREAM_STDOUT;
constexpr auto kErr = v1::Output::STREAM_STDERR;

class OutputSkipTest : public ::testing::Test {
 protected:
  OutputSkipTest() {
    v1::Job job;
    v1::Attempt* attempt = job.add_attempts();
    attempt->set_number(2);
    attempt->set_stdout_bytes(10);
    attempt->set_stderr_bytes(3);
    skip_ = OutputSkip(job);
  }

  OutputSkip skip_;
};

TEST_F(OutputSkipTest, LeavesOutWhatWasThere) {
  EXPECT_EQ(skip_.Rest(Piece(2, kOut, 0, "0123456789")).data(), "");
  EXPECT_TRUE(skip_.skipped_stdout());
  EXPECT_EQ(skip_.Rest(Piece(2, kOut, 10, "new")).data(), "new");
}

TEST_F(OutputSkipTest, CutsAPieceInTwo) {
  const v1::Output rest = skip_.Rest(Piece(2, kOut, 8, "abcd"));
  EXPECT_EQ(rest.data(), "cd");
  EXPECT_EQ(rest.offset(), 10);
}

TEST_F(OutputSkipTest, TellsStreamsAndAttemptsApart) {
  EXPECT_EQ(skip_.Rest(Piece(2, kErr, 2, "ab")).data(), "b");
  EXPECT_FALSE(skip_.skipped_stdout());
  EXPECT_EQ(skip_.Rest(Piece(3, kOut, 0, "ab")).data(), "ab");
}

TEST_F(OutputSkipTest, ShowsAGapThatReachesBeyond) {
  v1::OutputGap gap;
  gap.set_attempt(2);
  gap.set_stream(kOut);
  gap.set_offset(2);
  gap.set_size_bytes(8);
  EXPECT_FALSE(skip_.Shows(gap));
  gap.set_size_bytes(9);
  EXPECT_TRUE(skip_.Shows(gap));
}

TEST(OutputSkip, LeavesNothingOutUnlessToldTo) {
  OutputSkip skip;
  EXPECT_EQ(skip.Rest(Piece(1, kOut, 0, "ab")).data(), "ab");
  EXPECT_FALSE(skip.skipped_stdout());
}

}  // namespace
}  // namespace vigil::cli
