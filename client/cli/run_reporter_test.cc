// Proves what `vigil run` writes where: the program's bytes untouched, Vigil's
// lines on stderr on lines of their own, the report's last line to the letter.
#include "client/cli/run_reporter.h"

#include <fcntl.h>
#include <signal.h>
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

  void Write(v1::Output::Stream stream, const std::string& data) {
    v1::Output output;
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

TEST_F(RunReporterTest, TellsOnceWhenNobodyReadsAndDropsTheRest) {
  out_.CloseReader();
  Write(v1::Output::STREAM_STDOUT, "a");
  Write(v1::Output::STREAM_STDOUT, "b");
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].code(), absl::StatusCode::kAborted);
}

TEST(FinalLines, AreNoneAfterASuccess) {
  EXPECT_THAT(FinalLines(Parse("state: STATE_SUCCEEDED")), IsEmpty());
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

TEST(FinalLines, TellOfPartialAndFallbackResults) {
  EXPECT_THAT(FinalLines(Parse(
                  "state: STATE_SUCCEEDED degraded: true truncated: true")),
              ElementsAre("the result is a fallback", "the result is partial"));
}

}  // namespace
}  // namespace vigil::cli
