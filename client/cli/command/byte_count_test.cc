#include "client/cli/command/byte_count.h"

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

TEST(CountsBytes, GoesByThePlaceOfTheUnit) {
  EXPECT_TRUE(CountsBytes("bytes"));
  EXPECT_TRUE(CountsBytes("memory_bytes"));
  EXPECT_TRUE(CountsBytes("size_bytes_max"));
  EXPECT_TRUE(CountsBytes("size_bytes_min"));
  EXPECT_FALSE(CountsBytes("bytes_per_line"));
  EXPECT_FALSE(CountsBytes("megabytes"));
  EXPECT_FALSE(CountsBytes("max"));
}

}  // namespace
}  // namespace vigil::cli
