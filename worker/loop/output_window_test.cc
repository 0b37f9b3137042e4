// Proves that output is kept until it is acknowledged, to the byte, and sent
// again from there. Pieces go in; what is unsent comes out.
#include "worker/loop/output_window.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Takes all that is unsent, each as "o@offset=data" or "e@...".
std::vector<std::string> Send(OutputWindow* window) {
  std::vector<std::string> sent;
  while (const OutputChunk* chunk = window->NextUnsent()) {
    sent.push_back(
        absl::StrCat(chunk->stream == OutputStream::kStdout ? "o" : "e", "@",
                     chunk->offset, "=", chunk->data));
    window->MarkSent();
  }
  return sent;
}

class OutputWindowTest : public testing::Test {
 protected:
  OutputWindowTest() {
    window_.Append(OutputStream::kStdout, "abc");
    window_.Append(OutputStream::kStderr, "xy");
    window_.Append(OutputStream::kStdout, "de");
  }

  OutputWindow window_;
};

TEST_F(OutputWindowTest, KeepsTheOrderOfReadingAndCountsEachStream) {
  EXPECT_THAT(Send(&window_), ElementsAre("o@0=abc", "e@0=xy", "o@3=de"));
  EXPECT_THAT(Send(&window_), IsEmpty());
  window_.Append(OutputStream::kStderr, "z");
  EXPECT_THAT(Send(&window_), ElementsAre("e@2=z"));
}

TEST_F(OutputWindowTest, SendsAgainFromTheByteBehindTheAcknowledgement) {
  Send(&window_);
  window_.Acknowledge(4);
  EXPECT_THAT(Send(&window_), IsEmpty());
  window_.Rewind();
  EXPECT_THAT(Send(&window_), ElementsAre("e@1=y", "o@3=de"));
  window_.Acknowledge(5);
  window_.Rewind();
  EXPECT_THAT(Send(&window_), ElementsAre("o@3=de"));
  window_.Acknowledge(7);
  EXPECT_TRUE(window_.empty());
  EXPECT_EQ(window_.held_bytes(), 0);
}

TEST_F(OutputWindowTest, AcknowledgementsOfThePastOrFutureChangeNothing) {
  Send(&window_);
  window_.Acknowledge(5);
  const int64_t held = window_.held_bytes();
  window_.Acknowledge(3);
  window_.Acknowledge(8);
  EXPECT_EQ(window_.held_bytes(), held);
  window_.Rewind();
  EXPECT_THAT(Send(&window_), ElementsAre("o@3=de"));
}

TEST_F(OutputWindowTest, PiecesAreChargedForThemselves) {
  EXPECT_EQ(window_.held_bytes(),
            static_cast<int64_t>(7 + 3 * kChunkOverheadBytes));
  window_.Acknowledge(1);
  EXPECT_EQ(window_.held_bytes(),
            static_cast<int64_t>(6 + 3 * kChunkOverheadBytes));
  window_.Acknowledge(3);
  EXPECT_EQ(window_.held_bytes(),
            static_cast<int64_t>(4 + 2 * kChunkOverheadBytes));
}

TEST_F(OutputWindowTest, AnAcknowledgementCountsWhatItOvertakesAsSent) {
  // After a reconnect the coordinator may say it has what is not sent again.
  window_.Acknowledge(3);
  EXPECT_THAT(Send(&window_), ElementsAre("e@0=xy", "o@3=de"));
}

}  // namespace
}  // namespace vigil::worker
