// Proves what `vigil run` writes where: the program's bytes untouched, Vigil's
// lines on stderr on lines of their own, the report's last line to the letter.
#include "client/cli/run_reporter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A pipe that holds all that a test writes.
class Pipe {
 public:
  Pipe() {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    read_.Reset(fds[0]);
    write_.Reset(fds[1]);
  }
  int fd() const { return write_.get(); }
  void CloseReader() { read_.Reset(); }
  std::string Take() {
    std::string data(4096, '\0');
    const ssize_t got = read(read_.get(), data.data(), data.size());
    data.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return data;
  }

 private:
  UniqueFd read_;
  UniqueFd write_;
};

v1::Job Parse(const char* text) {
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &job));
  return job;
}

class RunReporterTest : public ::testing::Test {
 protected:
  RunReporterTest() { signal(SIGPIPE, SIG_IGN); }

  void Write(v1::Output::Stream stream, const std::string& data,
             int attempt = 1) {
    v1::Output output;
    output.set_attempt(attempt);
    output.set_stream(stream);
    output.set_data(data);
    observer_.on_output(output);
  }

  Pipe out_;
  Pipe err_;
  std::vector<absl::Status> errors_;
  RunReporter reporter_{out_.fd(), err_.fd(), [this](absl::Status status) {
                          errors_.push_back(status);
                        }};
  client::JobObserver observer_ = reporter_.Observer();
};

TEST_F(RunReporterTest, PassesBytesOnUntouched) {
  const std::string bytes("a\0\xff\r", 4);
  Write(v1::Output::STREAM_STDOUT, bytes);
  Write(v1::Output::STREAM_STDERR, "warning\n");
  EXPECT_EQ(out_.Take(), bytes);
  EXPECT_EQ(err_.Take(), "warning\n");
}

TEST_F(RunReporterTest, ItsOwnLinesBeginALine) {
  Write(v1::Output::STREAM_STDERR, "unfinished");
  reporter_.Say("first");
  reporter_.Say("second");
  EXPECT_EQ(err_.Take(), "unfinished\nvigil: first\nvigil: second\n");
}

TEST_F(RunReporterTest, AnnouncesEachRetryOnce) {
  const v1::Job job = Parse(R"pb(
    attempts {
      number: 1
      end_time { seconds: 10 }
      retry_time { seconds: 10 nanos: 200000000 }
      failure { reason: REASON_WORKER_LOST message: "it died" }
    }
    attempts { number: 2 }
  )pb");
  observer_.on_job(job);
  observer_.on_job(job);
  EXPECT_EQ(err_.Take(),
            "vigil: attempt 1 ended: WORKER_LOST: it died; retrying in 0.2s\n");
}

TEST_F(RunReporterTest, TellsGapsNoticesAndLostConnections) {
  v1::OutputGap gap;
  gap.set_size_bytes(12);
  gap.set_stream(v1::Output::STREAM_STDERR);
  observer_.on_gap(gap);
  EXPECT_EQ(err_.Take(),
            "vigil: 12 bytes of stderr are missing here: they are not kept any "
            "more\n");
  v1::Failure notice;
  notice.set_reason(v1::Failure::REASON_INACTIVITY_TIMEOUT);
  notice.set_message("silent for 45s");
  observer_.on_notice(notice);
  EXPECT_EQ(err_.Take(),
            "vigil: would have been stopped: INACTIVITY_TIMEOUT: silent for "
            "45s\n");
  observer_.on_retry(absl::UnavailableError("gone"), absl::Milliseconds(100));
  EXPECT_EQ(err_.Take(),
            "vigil: lost the coordinator: gone; trying again in 0.1s\n");
}

TEST_F(RunReporterTest, C2_TellsOfPoolsAndShortagesWithAdviceAsTheyHappen) {
  v1::Failure notice;
  notice.set_reason(v1::Failure::REASON_NESTED_POOL);
  notice.set_message("python3 called fork,\nwhich was refused");
  notice.set_advice("Give --max_processes.");
  observer_.on_notice(notice);
  EXPECT_EQ(err_.Take(),
            "vigil: python3 called fork,\\nwhich was refused\n"
            "vigil: Give --max_processes.\n");
  notice.set_reason(v1::Failure::REASON_RESOURCE_EXHAUSTED);
  notice.clear_advice();
  observer_.on_notice(notice);
  EXPECT_THAT(err_.Take(),
              ::testing::EndsWith("vigil: Threads, processes, memory or "
                                  "descriptors ran out: lower the slots of the "
                                  "worker, or the task's own parallelism.\n"));
}

TEST_F(RunReporterTest, TellsOnceWhenNobodyReadsAndDropsTheRest) {
  out_.CloseReader();
  Write(v1::Output::STREAM_STDOUT, "a");
  Write(v1::Output::STREAM_STDOUT, "b");
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].code(), absl::StatusCode::kAborted);
}

// What is drawn of a job, at an instant.
class RunReporterDrawTest : public RunReporterTest {
 protected:
  void Tell(const char* attempt) {
    v1::Job job;
    job.set_state(v1::Job::STATE_RUNNING);
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        attempt, job.add_attempts()));
    observer_.on_job(job);
  }
  std::string DrawAt(absl::Duration time) {
    reporter_.Draw(absl::UnixEpoch() + time, 40);
    return err_.Take();
  }
};

TEST_F(RunReporterDrawTest, ShowsAPhaseOnlyWhenItLasts) {
  EXPECT_EQ(DrawAt(absl::Seconds(0)), "");
  Tell("number: 1 phase: PHASE_WARMING");
  EXPECT_EQ(DrawAt(absl::Seconds(10)), "");
  EXPECT_EQ(DrawAt(absl::Milliseconds(10999)), "");
  EXPECT_EQ(DrawAt(absl::Seconds(11)), "vigil: WARMING for 1s");
  EXPECT_EQ(DrawAt(absl::Milliseconds(11999)), "");
  EXPECT_EQ(DrawAt(absl::Seconds(12)), "\r\033[Kvigil: WARMING for 2s");
  Tell("number: 1 phase: PHASE_STARTING");
  EXPECT_EQ(DrawAt(absl::Seconds(13)), "\r\033[K");
  EXPECT_EQ(DrawAt(absl::Seconds(14)), "vigil: STARTING for 1s");
  Tell("number: 2 phase: PHASE_STARTING");
  EXPECT_EQ(DrawAt(absl::Seconds(15)), "\r\033[K");
  Tell("number: 2 phase: PHASE_ACTIVE");
  EXPECT_EQ(DrawAt(absl::Seconds(99)), "");
}

TEST_F(RunReporterDrawTest, ShowsProgressWhileItHappens) {
  Tell("number: 1 phase: PHASE_ACTIVE progress { done: 37 total: 100 }");
  EXPECT_EQ(DrawAt(absl::Seconds(1)), "vigil: 37 of 100");
  Tell("number: 1 phase: PHASE_ACTIVE progress { done: 38 message: \"a\\n\" }");
  EXPECT_EQ(DrawAt(absl::Seconds(2)), "\r\033[Kvigil: 38: a\\n");
}

TEST_F(RunReporterDrawTest, LeavesOutTheLineThatTheNumbersAreFrom) {
  Tell(R"pb(number: 1
            phase: PHASE_ACTIVE
            progress { done: 37 total: 100 message: "item 37/100" })pb");
  EXPECT_EQ(DrawAt(absl::Seconds(1)), "vigil: 37 of 100");
}

TEST_F(RunReporterDrawTest, CutsWhatIsWiderThanTheTerminal) {
  Tell(
      R"pb(number: 1
           phase: PHASE_ACTIVE
           progress { done: 1 message: "a message that is much too long" })pb");
  EXPECT_EQ(DrawAt(absl::Seconds(1)),
            "vigil: 1: a message that is much too ...");
}

TEST_F(RunReporterDrawTest, GivesWayToOutputAndIsDrawnAgainBelow) {
  Tell("number: 1 phase: PHASE_ACTIVE progress { done: 1 total: 2 }");
  EXPECT_EQ(DrawAt(absl::Seconds(1)), "vigil: 1 of 2");
  Write(v1::Output::STREAM_STDERR, "text\n");
  EXPECT_EQ(err_.Take(), "\r\033[Ktext\nvigil: 1 of 2");
  // Not a terminal, so the line is not in its way.
  Write(v1::Output::STREAM_STDOUT, "token");
  EXPECT_EQ(err_.Take(), "");
  reporter_.Say("said");
  EXPECT_EQ(err_.Take(), "\r\033[Kvigil: said\nvigil: 1 of 2");
  Write(v1::Output::STREAM_STDERR, "unfinished");
  EXPECT_EQ(err_.Take(), "\r\033[Kunfinished");
  EXPECT_EQ(DrawAt(absl::Seconds(2)), "");
  Write(v1::Output::STREAM_STDERR, "\n");
  EXPECT_EQ(err_.Take(), "\nvigil: 1 of 2");
}

TEST_F(RunReporterDrawTest, IsGoneWhenTheJobHasEndedOrIsGivenUp) {
  Tell("number: 1 phase: PHASE_ACTIVE progress { done: 1 }");
  DrawAt(absl::Seconds(1));
  observer_.on_job(Parse("state: STATE_SUCCEEDED attempts { number: 1 }"));
  EXPECT_EQ(err_.Take(), "\r\033[K");
  EXPECT_EQ(DrawAt(absl::Seconds(2)), "");
  Tell("number: 1 phase: PHASE_ACTIVE progress { done: 1 }");
  DrawAt(absl::Seconds(3));
  reporter_.SayLast({"bye"});
  EXPECT_EQ(err_.Take(), "\r\033[Kvigil: bye\n");
}

TEST_F(RunReporterTest, WritesTheResultOfATaskThatGaveNoTokens) {
  const v1::Job job = Parse(R"pb(
    state: STATE_SUCCEEDED
    result: "the\000result"
    attempts { number: 1 }
    attempts { number: 2 }
  )pb");
  // What it printed is no token, and the first attempt's tokens are not all.
  Write(v1::Output::STREAM_STDERR, "print\n", 2);
  Write(v1::Output::STREAM_STDOUT, "token", 1);
  out_.Take();
  EXPECT_TRUE(reporter_.WriteResult(job).ok());
  EXPECT_EQ(out_.Take(), std::string("the\0result", 10));
  Write(v1::Output::STREAM_STDOUT, "token", 2);
  out_.Take();
  EXPECT_TRUE(reporter_.WriteResult(job).ok());
  EXPECT_EQ(out_.Take(), "");
}

TEST_F(RunReporterTest, TokensThatAreNotKeptWereGivenToo) {
  v1::OutputGap gap;
  gap.set_attempt(1);
  gap.set_stream(v1::Output::STREAM_STDOUT);
  observer_.on_gap(gap);
  EXPECT_TRUE(
      reporter_.WriteResult(Parse("result: 'r' attempts { number: 1 }")).ok());
  EXPECT_EQ(out_.Take(), "");
}

TEST_F(RunReporterTest, EndsTheLineOfAResultOnATerminal) {
  const UniqueFd terminal(posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_TRUE(terminal.valid());
  ASSERT_EQ(grantpt(terminal.get()) | unlockpt(terminal.get()), 0);
  const UniqueFd end(open(ptsname(terminal.get()), O_RDWR | O_NOCTTY));
  ASSERT_TRUE(end.valid());
  RunReporter reporter(end.get(), err_.fd(), [](absl::Status) {});
  EXPECT_TRUE(reporter.WriteResult(Parse("result: 'a'")).ok());
  EXPECT_TRUE(reporter.WriteResult(Parse("result: 'b\\n'")).ok());
  EXPECT_TRUE(reporter.WriteResult(Parse("result: ''")).ok());
  // Ends what is read; the terminal may hand it over piece by piece.
  EXPECT_TRUE(reporter.WriteResult(Parse("result: '.\\n'")).ok());
  std::string shown;
  char byte = 0;
  while (byte != '.' && read(terminal.get(), &byte, 1) == 1) shown += byte;
  // The terminal makes its own of a newline.
  EXPECT_EQ(shown, "a\r\nb\r\n.");
}

TEST_F(RunReporterTest, SaysWhenTheResultCannotBeWritten) {
  out_.CloseReader();
  EXPECT_EQ(reporter_.WriteResult(Parse("result: 'r'")).code(),
            absl::StatusCode::kAborted);
}

TEST(FinalLines, SayWhereAPartialResultIs) {
  EXPECT_THAT(FinalLines(Parse(R"pb(
                job_id: "j"
                state: STATE_CANCELLED
                failure { reason: REASON_CANCELLED message: "asked for" }
                partial_result: "half"
              )pb")),
              ElementsAre("a partial result of 4 bytes is kept: `vigil explain "
                          "j --result` writes it",
                          "job j CANCELLED: CANCELLED: asked for"));
}

TEST(FinalLines, AreNoneAfterASuccess) {
  EXPECT_THAT(FinalLines(Parse("state: STATE_SUCCEEDED")), IsEmpty());
}

TEST(FinalLines, C2_TellOfProcessesThatWereRefusedAlsoAfterASuccess) {
  EXPECT_THAT(FinalLines(Parse(R"pb(
                state: STATE_SUCCEEDED
                attempts {
                  number: 1
                  nested_calls {
                    program: "sh"
                    call: "fork"
                    outcome: OUTCOME_REFUSED
                    count: 9
                  }
                }
                attempts {
                  number: 2
                  nested_calls {
                    program: "python3"
                    call: "fork"
                    outcome: OUTCOME_REFUSED
                    count: 3
                  }
                }
              )pb")),
              ElementsAre("3 processes were refused (python3: fork); "
                          "--max_processes=N allows more"));
}

TEST(FinalLines, EndWithJobReasonAndMessageBehindTheAdvice) {
  EXPECT_THAT(FinalLines(Parse(R"pb(
                job_id: "j"
                state: STATE_FAILED
                failure {
                  reason: REASON_STARTUP_TIMEOUT
                  message: "silent\nso far"
                  advice: "Raise it."
                }
              )pb")),
              ElementsAre("Raise it.",
                          "job j FAILED: STARTUP_TIMEOUT: silent\\nso far"));
}

TEST(FinalLines, GiveNoAdviceToWhoCancelled) {
  EXPECT_THAT(FinalLines(Parse(R"pb(
                job_id: "j"
                state: STATE_CANCELLED
                failure { reason: REASON_CANCELLED message: "asked for" }
              )pb")),
              ElementsAre("job j CANCELLED: CANCELLED: asked for"));
}

TEST(FinalLines, B4_TellOfAFallback) {
  EXPECT_THAT(
      FinalLines(Parse(
          "job_id: 'j' state: STATE_SUCCEEDED degraded: true "
          "fallback_failure { reason: REASON_SIGNALLED message: 'killed' }")),
      ElementsAre("the result is its fallback (`vigil explain j --result` "
                  "writes it); it would have failed: SIGNALLED: killed"));
}

TEST(FinalLines, C3_TellHowMuchOfATruncatedJobThereIs) {
  v1::Job job = Parse(R"pb(
    job_id: "j"
    state: STATE_SUCCEEDED
    truncated: true
    truncation {
      failure { reason: REASON_SLOW_CHUNKS message: "too slow" }
      chunks_done: 3
      chunks_total: 10
    }
  )pb");
  EXPECT_THAT(FinalLines(job), ElementsAre("the output is partial, 3 of 10 "
                                           "chunks: SLOW_CHUNKS: too slow"));
  job.set_result("three");
  EXPECT_THAT(FinalLines(job),
              ElementsAre("the result (`vigil explain j --result` writes it) "
                          "is partial, 3 of 10 chunks: SLOW_CHUNKS: too slow"));
}

}  // namespace
}  // namespace vigil::cli
