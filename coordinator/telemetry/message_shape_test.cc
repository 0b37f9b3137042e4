// Proves that messages which differ in numbers, ids and paths have one shape,
// and that others keep theirs.
#include "coordinator/telemetry/message_shape.h"

#include <string>
#include <vector>

#include "coordinator/telemetry/limits.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

TEST(ShapeOf, IsTheSameForMessagesOfOneKind) {
  const std::vector<std::vector<std::string>> kinds = {
      {"chunk 3 of 17", "chunk 12 of 9000"},
      {"silent for 45s", "silent for 9s"},
      {"took 1.5 s", "took 12 s", "took 0.001 s"},
      {"at 0x7ffc12ab", "at 0xDEADBEEF1", "at 12"},
      {"object 9f86d081884c is gone", "object 60303ae22b99 is gone"},
      {"id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 again",
       "id 6fa459ea-ee8a-abcd-894e-db77e160355e again"},
      {"worker 01j9zk3m8qxw died", "worker 7h2k9d0s1lpq4 died"},
      {"no such file: '/tmp/a1/x.txt'", "no such file: '/var/lib/y'"},
      {"cannot run /usr/bin/foo: no", "cannot run /opt/b: no"},
      {"open(\"/a/b\") failed", "open(\"/c\") failed"},
      {"first line\nsecond", "first line\nanother"},
  };
  for (const std::vector<std::string>& messages : kinds) {
    for (const std::string& message : messages) {
      EXPECT_EQ(ShapeOf(message), ShapeOf(messages[0])) << message;
    }
  }
}

TEST(ShapeOf, KeepsWhatTellsKindsApart) {
  const std::vector<std::string> messages = {
      "can't start new thread",  "can't start new process",
      "Too many open files",     "face added",
      "read/write failed",       "read failed",
      "exited with status code", "exited with status 3",
  };
  for (const std::string& a : messages) {
    for (const std::string& b : messages) {
      EXPECT_EQ(ShapeOf(a) == ShapeOf(b), a == b) << a << " | " << b;
    }
  }
}

TEST(ShapeOf, KeepsWordsAsTheyAre) {
  EXPECT_EQ(ShapeOf("RuntimeError: can't start new thread"),
            "RuntimeError: can't start new thread");
  EXPECT_EQ(ShapeOf("step2 of utf8"), "step# of utf#");
  EXPECT_EQ(ShapeOf("37/100 done - 5"), "#/# done - #");
  EXPECT_EQ(ShapeOf(""), "");
  EXPECT_EQ(ShapeOf("/"), "/");
}

TEST(ShapeOf, IsBoundedAndTakesAnyBytes) {
  EXPECT_LE(ShapeOf(std::string(100'000, 'x')).size(), kMessageBytesMax);
  EXPECT_EQ(ShapeOf(std::string(100'000, '7')), "#");
  std::string bytes;
  for (int i = 1; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_LE(ShapeOf(bytes).size(), bytes.size());
}

}  // namespace
}  // namespace vigil::coordinator
