// Proves where lines begin and end, whatever the pieces they arrive in. Bytes
// go in, lines come out.
#include "worker/loop/line_scanner.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LineScannerTest : public testing::Test {
 protected:
  std::vector<std::string> Add(const std::string& bytes) {
    std::vector<std::string> lines;
    scanner_.Add(bytes,
                 [&](absl::string_view line) { lines.emplace_back(line); });
    return lines;
  }

  LineScanner scanner_;
};

TEST_F(LineScannerTest, ALineIsSeenWhenItIsComplete) {
  EXPECT_THAT(Add("one\ntwo"), ElementsAre("one"));
  EXPECT_THAT(Add(" and more"), IsEmpty());
  EXPECT_THAT(Add("\nthree\n"), ElementsAre("two and more", "three"));
}

TEST_F(LineScannerTest, ACarriageReturnEndsALineToo) {
  EXPECT_THAT(Add("10%\r20%\r\ndone\r\n"), ElementsAre("10%", "20%", "done"));
  EXPECT_THAT(Add("x\r"), ElementsAre("x"));
  EXPECT_THAT(Add("\n\n\r"), IsEmpty());
}

TEST_F(LineScannerTest, OfALongLineTheStartIsSeen) {
  const std::string start(kLineBytesMax, 'a');
  EXPECT_THAT(Add(start + "b\nc\n"), ElementsAre(start, "c"));
  EXPECT_THAT(Add(start.substr(1)), IsEmpty());
  EXPECT_THAT(Add("ab"), IsEmpty());
  EXPECT_THAT(Add(std::string(100000, 'b')), IsEmpty());
  EXPECT_THAT(Add("\nc\n"), ElementsAre(start, "c"));
}

TEST_F(LineScannerTest, BytesThatAreNoTextAreKept) {
  EXPECT_THAT(Add(std::string("\0\xff\n", 3)),
              ElementsAre(std::string("\0\xff", 2)));
}

}  // namespace
}  // namespace vigil::worker
