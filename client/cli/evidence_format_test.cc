// Proves that a stranger can read what was known of a task before its kill:
// every process in its place with its state in words, and a stack dump that
// stays a block of its own.
#include "client/cli/evidence_format.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Format(const char* text) {
  v1::Evidence evidence;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &evidence));
  return FormatEvidence(evidence);
}

TEST(FormatEvidence, ShowsTheTreeBelowItsParentsInWords) {
  EXPECT_EQ(
      Format(R"pb(
        age { seconds: 55 }
        silence { seconds: 45 }
        last_output: "loading\n"
        processes {
          pid: 4711
          parent_pid: 99
          command: "python3 songs.py"
          state: "S"
          wait_channel: "futex_wait_queue"
          threads: 4
          cpu_time { seconds: 44 }
          rss_bytes: 1048576
          peak_rss_bytes: 2097152
          open_files: 14
        }
        processes {
          pid: 4712
          parent_pid: 4711
          command: "sh -c 'a\nb'"
          state: "R"
          threads: 1
          rss_bytes: 2048
          peak_rss_bytes: 2048
          open_files: -1
        }
        processes { pid: 4713 parent_pid: 4712 command: "[worker]" state: "Z" }
        processes {
          pid: 4714
          parent_pid: 4711
          command: "cp"
          state: "D"
          wait_channel: "nfs_wait_bit_killable"
          threads: 1
          open_files: 1
        }
        process_count: 6
        threads: 7
        cpu_time { seconds: 44 }
        rss_bytes: 3145728
      )pb"),
      "  evidence: stopped at age 55s, silent for 45s\n"
      "  last output: loading\\n\n"
      "  before the kill: 6 processes, together 7 threads, CPU 44s, "
      "memory 3.0 MiB\n"
      "    4711 python3 songs.py: sleeping in futex_wait_queue, 4 "
      "threads, CPU 44s, memory 1.0 MiB (at most 2.0 MiB), 14 open "
      "files\n"
      "      4712 sh -c 'a\\nb': running, 1 thread, CPU 0s, memory 2.0 "
      "KiB\n"
      "        4713 [worker]: zombie: it has ended, and its parent has "
      "not waited for it\n"
      "      4714 cp: waits in the kernel, where no signal reaches it, in "
      "nfs_wait_bit_killable, 1 thread, CPU 0s, memory 0 B, 1 open "
      "file\n"
      "    and 2 more, not listed\n");
}

TEST(FormatEvidence, OneProcessIsNotTogether) {
  EXPECT_EQ(Format(R"pb(
              processes { pid: 7 command: "a" state: "D" threads: 1 }
              process_count: 1
              threads: 1
            )pb"),
            "  before the kill: 1 process, 1 thread, CPU 0s, memory 0 B\n"
            "    7 a: waits in the kernel, where no signal reaches it, 1 "
            "thread, CPU 0s, memory 0 B, 0 open files\n");
}

TEST(FormatEvidence, SaysWhenOnlyTheFirstProcessesWereAddedUp) {
  EXPECT_THAT(Format("process_count: 257 threads: 256"),
              HasSubstr("257 processes; the first 256: 256 threads"));
  EXPECT_THAT(Format("process_count: 256 threads: 256"),
              HasSubstr("256 processes, together 256 threads"));
}

TEST(FormatEvidence, HasWordsForStatesAndKeepsUnknownOnes) {
  const struct {
    const char* state;
    const char* text;
  } cases[] = {{"T", ": stopped, "}, {"t", ": stopped by a debugger, "},
               {"I", ": idle, "},    {"X", ": dead, "},
               {"W", ": state W, "}, {"", ": state not known, "}};
  for (const auto& test : cases) {
    v1::Evidence evidence;
    evidence.add_processes()->set_state(test.state);
    EXPECT_THAT(FormatEvidence(evidence), HasSubstr(test.text));
  }
}

TEST(FormatEvidence, DeepTreesStayWithinATerminal) {
  v1::Evidence evidence;
  for (int i = 1; i <= 32; ++i) {
    v1::ProcessFacts* process = evidence.add_processes();
    process->set_pid(i);
    process->set_parent_pid(i - 1);
  }
  EXPECT_THAT(FormatEvidence(evidence),
              HasSubstr(absl::StrCat("\n", std::string(20, ' '), "32 : ")));
}

TEST(FormatEvidence, AStackDumpIsABlockOfItsOwn) {
  EXPECT_EQ(
      Format(R"pb(stack_dump: "Thread 0x7f:\n  File \"a.py\", line 3\n")pb"),
      "  stack dump, from its stderr:\n"
      "    Thread 0x7f:\n"
      "      File \"a.py\", line 3\n");
  EXPECT_EQ(Format(R"pb(stack_dump: "a\033[2J\n\nb")pb"),
            "  stack dump, from its stderr:\n"
            "    a\\x1b[2J\n"
            "    \n"
            "    b\n");
}

TEST(FormatEvidence, OfALongStackDumpBothEndsAreShown) {
  v1::Evidence evidence;
  for (int i = 1; i <= 80; ++i) {
    absl::StrAppend(evidence.mutable_stack_dump(), "line ", i, "\n");
  }
  EXPECT_THAT(FormatEvidence(evidence), Not(HasSubstr("left out")));
  absl::StrAppend(evidence.mutable_stack_dump(), "line 81\n");
  const std::string text = FormatEvidence(evidence);
  EXPECT_THAT(text, HasSubstr("    line 40\n"
                              "    ... 1 line is left out; see -o json\n"
                              "    line 42\n"));
  EXPECT_THAT(text, EndsWith("    line 81\n"));
}

TEST(FormatEvidence, OfNothingIsNothing) { EXPECT_EQ(Format(""), ""); }

}  // namespace
}  // namespace vigil::cli
