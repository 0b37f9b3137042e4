// Proves how a task behaves on its channel, in both formats: the test is the
// worker at the other end of a socketpair, and Serve runs on a thread. Nothing
// is timed; each side waits for the other's frames.
#include "worker/sdk/task.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "vigil/task/v1/frames.pb.h"
#include "worker/frames/frame_codec.h"
#include "worker/frames/limits.h"
#include "worker/sdk/limits.h"

namespace vigil::task {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::vigil::task::v1::TaskFrame;
using ::vigil::task::v1::WorkerFrame;
using ::vigil::worker::EncodeFrame;
using ::vigil::worker::FrameDecoder;
using ::vigil::worker::FrameFormat;

// A worker's end, and a task that serves on the other.
class TaskTest : public testing::TestWithParam<FrameFormat> {
 protected:
  TaskTest() : decoder_(GetParam()) {}
  ~TaskTest() override {
    end_.Reset();
    if (task_.joinable()) task_.join();
  }

  void Serve(std::function<Outcome(Job&)> run, ServeOptions options = {}) {
    int ends[2];
    // Not blocking, and not closed on exec, as a worker might leave it.
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    end_.Reset(ends[0]);
    ASSERT_EQ(fcntl(ends[0], F_SETFL, 0), 0);
    setenv("VIGIL_FD", absl::StrCat(ends[1]).c_str(), 1);
    setenv("VIGIL_FRAMES",
           GetParam() == FrameFormat::kJson ? "json" : "protobuf", 1);
    fd_ = ends[1];
    task_ =
        std::thread([this, run = std::move(run), options = std::move(options)] {
          exit_.set_value(vigil::task::Serve(run, options));
        });
  }

  // As Serve, and says hello.
  void ServeAndGreet(std::function<Outcome(Job&)> run,
                     ServeOptions options = {}) {
    Serve(std::move(run), std::move(options));
    Write("hello { version: 1 }");
    EXPECT_EQ(Read(), "hello { version: 1 }");
  }

  void Write(const std::string& text) {
    WorkerFrame frame;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &frame))
        << text;
    WriteBytes(EncodeFrame(GetParam(), frame));
  }

  void WriteBytes(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count =
          send(end_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(count, 0);
      bytes.remove_prefix(count);
    }
  }

  // The task's next frame; of no kind when it closed its end.
  TaskFrame ReadFrame() {
    TaskFrame frame;
    while (true) {
      const absl::StatusOr<bool> next = decoder_.Next(&frame);
      if (!next.ok()) ADD_FAILURE() << next.status();
      if (!next.ok() || *next) return frame;
      char buffer[64 << 10];
      const ssize_t count = recv(end_.get(), buffer, sizeof(buffer), 0);
      if (count <= 0) return {};
      decoder_.Add(absl::string_view(buffer, count));
    }
  }

  std::string Read() { return ReadFrame().ShortDebugString(); }

  // What Serve returns once the worker closes its end, or before.
  int Exit() { return exit_.get_future().get(); }
  int CloseAndExit() {
    end_.Reset();
    return Exit();
  }

  UniqueFd end_;
  int fd_ = -1;  // The task's end.

 private:
  FrameDecoder decoder_;
  std::promise<int> exit_;
  std::thread task_;
};

INSTANTIATE_TEST_SUITE_P(Formats, TaskTest,
                         testing::Values(FrameFormat::kJson,
                                         FrameFormat::kProtobuf));

TEST_P(TaskTest, AnAttemptGetsItsInputAndReportsUntilItsResult) {
  ServeAndGreet([](Job& job) {
    EXPECT_EQ(job.job_id(), "j");
    EXPECT_EQ(job.attempt(), 2);
    EXPECT_EQ(job.input(), "in");
    EXPECT_EQ(job.checkpoint(), "state");
    job.Token("one\n");
    job.Token("\xff");
    job.Progress(1, 2, "half");
    job.Heartbeat();
    EXPECT_TRUE(job.Checkpoint("next"));
    EXPECT_FALSE(job.stopping());
    return "out";
  });
  Write(
      "attempt_id: 'j/2' start { job_id: 'j' attempt: 2 input { text: 'in' } "
      "checkpoint { data: 'state' } }");
  EXPECT_EQ(Read(), "attempt_id: \"j/2\" started { }");
  EXPECT_EQ(Read(), "attempt_id: \"j/2\" token { text: \"one\\n\" }");
  EXPECT_EQ(Read(), "attempt_id: \"j/2\" token { data: \"\\377\" }");
  EXPECT_EQ(Read(),
            "attempt_id: \"j/2\" progress { done: 1 total: 2 message: "
            "\"half\" }");
  EXPECT_EQ(Read(), "attempt_id: \"j/2\" heartbeat { }");
  EXPECT_EQ(Read(), "attempt_id: \"j/2\" checkpoint { text: \"next\" }");
  EXPECT_EQ(Read(), "attempt_id: \"j/2\" result { text: \"out\" }");
  EXPECT_EQ(CloseAndExit(), 0);
}

TEST_P(TaskTest, InputAndCheckpointMayBeAbsentOrEmpty) {
  std::vector<bool> checkpoints;
  ServeAndGreet([&](Job& job) {
    checkpoints.push_back(job.checkpoint().has_value());
    return absl::StrCat("<", job.input(), ">");
  });
  Write("attempt_id: 'j/1' start {}");
  Read();
  EXPECT_THAT(Read(), HasSubstr("result { text: \"<>\" }"));
  Write("attempt_id: 'j/2' start { checkpoint {} }");
  Read();
  EXPECT_THAT(Read(), HasSubstr("<>"));
  EXPECT_THAT(checkpoints, ElementsAre(false, true));
}

TEST_P(TaskTest, JobsThatComeAheadRunInOrder) {
  ServeAndGreet([](Job& job) { return job.input(); });
  for (int i = 0; i < 5; ++i) {
    Write(absl::StrCat("attempt_id: 'j/", i, "' start { input { text: '", i,
                       "' } }"));
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Read(), absl::StrCat("attempt_id: \"j/", i, "\" started { }"));
    EXPECT_EQ(Read(), absl::StrCat("attempt_id: \"j/", i,
                                   "\" result { text: \"", i, "\" }"));
  }
  EXPECT_EQ(CloseAndExit(), 0);
}

TEST_P(TaskTest, AStopIsSeenByTheAttemptThatRuns) {
  ServeAndGreet([](Job& job) -> Outcome {
    while (!job.stopping()) job.Heartbeat();
    return "partial";
  });
  Write("attempt_id: 'j/1' start {}");
  EXPECT_EQ(Read(), "attempt_id: \"j/1\" started { }");
  Write("attempt_id: 'j/0' stop {}");  // Ended before; without effect.
  Write("attempt_id: 'j/1' stop { cause: REASON_CANCELLED }");
  TaskFrame frame;
  do {
    frame = ReadFrame();
  } while (frame.has_heartbeat());
  EXPECT_EQ(frame.result().text(), "partial");
  EXPECT_EQ(CloseAndExit(), 0);
}

TEST_P(TaskTest, AStopForAnAttemptThatWaitsIsSeenWhenItRuns) {
  std::promise<void> stop_sent;
  bool first = true;
  ServeAndGreet([&](Job& job) -> Outcome {
    if (std::exchange(first, false)) stop_sent.get_future().wait();
    return job.stopping() ? "stopped" : "went on";
  });
  Write("attempt_id: 'j/1' start {}");
  Write("attempt_id: 'j/2' start {}");
  Write("attempt_id: 'j/3' start {}");
  Write("attempt_id: 'j/2' stop {}");
  stop_sent.set_value();
  std::vector<std::string> results;
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Read(), HasSubstr("started"));
    results.push_back(ReadFrame().result().text());
  }
  EXPECT_THAT(results, ElementsAre("went on", "stopped", "went on"));
}

TEST_P(TaskTest, AnErrorIsReportedAsGiven) {
  ServeAndGreet([](Job&) {
    return Error{.reason = Reason::kInvalidInput,
                 .message = "no \xff",
                 .retryable = true,
                 .next_retry_delay = absl::Milliseconds(1500)};
  });
  Write("attempt_id: 'j/1' start {}");
  Read();
  EXPECT_EQ(Read(),
            "attempt_id: \"j/1\" error { reason: REASON_INVALID_INPUT message: "
            "\"no \\\\xff\" retryable: true next_retry_delay { seconds: 1 "
            "nanos: 500000000 } }");
}

TEST_P(TaskTest, AnErrorIsCutToItsBounds) {
  ServeAndGreet([](Job& job) {
    job.Progress(1, 0, std::string(kProgressMessageBytesMax + 1, 'p'));
    return Error{.message = std::string(kErrorMessageBytesMax + 1, 'm'),
                 .next_retry_delay = job.input() == "for ever"
                                         ? absl::InfiniteDuration()
                                         : -absl::InfiniteDuration()};
  });
  for (const int seconds : {86400, 0}) {
    Write(absl::StrCat("attempt_id: 'j/1' start { input { text: '",
                       seconds > 0 ? "for ever" : "", "' } }"));
    Read();
    EXPECT_EQ(ReadFrame().progress().message().size(),
              kProgressMessageBytesMax);
    const TaskFrame error = ReadFrame();
    EXPECT_EQ(error.error().message().size(), kErrorMessageBytesMax);
    EXPECT_TRUE(error.error().has_next_retry_delay());
    EXPECT_EQ(error.error().next_retry_delay().seconds(), seconds);
  }
}

TEST_P(TaskTest, AnExceptionIsAnErrorAndTheNextJobRuns) {
  ServeAndGreet([](Job& job) -> Outcome {
    if (job.input().empty()) throw std::runtime_error("no memory for this");
    return job.input();
  });
  Write("attempt_id: 'j/1' start {}");
  Write("attempt_id: 'j/2' start { input { text: 'x' } }");
  Read();
  EXPECT_EQ(Read(),
            "attempt_id: \"j/1\" error { message: \"no memory for this\" }");
  Read();
  EXPECT_EQ(Read(), "attempt_id: \"j/2\" result { text: \"x\" }");
}

TEST_P(TaskTest, OutputAboveTheMaximumOfATokenIsCutIntoSeveral) {
  const std::string output(2 * worker::kTokenBytesMax + 1, 'x');
  ServeAndGreet([&](Job& job) {
    job.Token(output);
    job.Token("");
    return "";
  });
  Write("attempt_id: 'j/1' start {}");
  Read();
  std::string tokens;
  for (int i = 0; i < 3; ++i) {
    const std::string token = ReadFrame().token().text();
    EXPECT_LE(token.size(), worker::kTokenBytesMax);
    tokens += token;
  }
  EXPECT_EQ(tokens, output);
  EXPECT_EQ(Read(), "attempt_id: \"j/1\" token { text: \"\" }");
  EXPECT_EQ(Read(), "attempt_id: \"j/1\" result { text: \"\" }");
}

TEST_P(TaskTest, TheLargestPayloadsFitWhateverTheyHold) {
  // JSON needs six bytes for each of these as text.
  const std::string result(worker::kResultBytesMax, '\x01');
  const std::string checkpoint(worker::kCheckpointBytesMax, '\x01');
  ServeAndGreet([&](Job& job) {
    EXPECT_TRUE(job.Checkpoint(checkpoint));
    EXPECT_FALSE(job.Checkpoint(checkpoint + "x"));
    return result;
  });
  Write("attempt_id: 'j/1' start {}");
  Read();
  TaskFrame frame = ReadFrame();
  EXPECT_TRUE(frame.checkpoint().text() + frame.checkpoint().data() ==
              checkpoint);
  frame = ReadFrame();
  EXPECT_TRUE(frame.result().text() + frame.result().data() == result);
}

TEST_P(TaskTest, AResultAboveTheMaximumIsAnError) {
  ServeAndGreet(
      [](Job&) { return std::string(worker::kResultBytesMax + 1, 'x'); });
  Write("attempt_id: 'j/1' start {}");
  Read();
  EXPECT_EQ(Read(),
            "attempt_id: \"j/1\" error { message: \"The result has 3145729 "
            "bytes, more than 3145728\" }");
}

TEST_P(TaskTest, TheLargestInputArrives) {
  const std::string input(3 << 20, '\x01');
  ServeAndGreet([&](Job& job) {
    return job.input() == input && job.checkpoint()->size() == 1 << 20 ? "same"
                                                                       : "no";
  });
  WorkerFrame frame;
  frame.set_attempt_id("j/1");
  frame.mutable_start()->mutable_input()->set_text(input);
  frame.mutable_start()->mutable_checkpoint()->set_text(
      std::string(1 << 20, '\x01'));
  WriteBytes(EncodeFrame(GetParam(), frame));
  Read();
  EXPECT_THAT(Read(), HasSubstr("same"));
}

TEST_P(TaskTest, AResetIsAnsweredInItsTurn) {
  std::vector<std::string> calls;
  ServeAndGreet(
      [&](Job& job) {
        calls.push_back(job.input());
        return "";
      },
      {.reset = [&] { calls.push_back("reset"); }});
  Write("attempt_id: 'j/1' start { input { text: 'one' } }");
  Write("reset {}");
  Write("attempt_id: 'j/2' start { input { text: 'two' } }");
  for (const char* expected :
       {"started", "result", "reset_done", "started", "result"}) {
    EXPECT_THAT(Read(), HasSubstr(expected));
  }
  EXPECT_EQ(CloseAndExit(), 0);
  EXPECT_THAT(calls, ElementsAre("one", "reset", "two"));
}

TEST_P(TaskTest, AResetIsAnsweredAlsoWhereThereIsNothingToForget) {
  ServeAndGreet([](Job&) { return ""; });
  Write("reset {}");
  EXPECT_EQ(Read(), "reset_done { }");
}

TEST_P(TaskTest, FramesThatAreNotKnownAreIgnoredIfTheyAreOptional) {
  ServeAndGreet([](Job&) { return ""; });
  Write("optional: true");
  Write("attempt_id: 'j/1' start {}");
  EXPECT_THAT(Read(), HasSubstr("started"));
  EXPECT_THAT(Read(), HasSubstr("result"));
  Write("attempt_id: 'j/2'");
  EXPECT_EQ(Exit(), 1);
}

TEST_P(TaskTest, ServeFailsWhenTheFirstFrameIsNoHello) {
  Serve([](Job&) { return ""; });
  Write("attempt_id: 'j/1' start {}");
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(Exit(), 1);
}

TEST_P(TaskTest, ServeFailsWhenTheWorkerWritesNoFrames) {
  ServeAndGreet([](Job&) { return ""; });
  WriteBytes(std::string(20, '\xff') + "\n");
  EXPECT_EQ(Exit(), 1);
}

TEST_P(TaskTest, ServeFailsWhenMoreFramesComeThanMayWait) {
  std::promise<void> all_sent;
  bool first = true;
  ServeAndGreet([&](Job& job) {
    if (std::exchange(first, false)) {
      all_sent.get_future().wait();
      EXPECT_TRUE(job.stopping());
    }
    return "";
  });
  for (size_t i = 0; i < kQueuedFramesMax + 2; ++i) Write("reset {}");
  Write("attempt_id: 'j/1' start {}");
  for (size_t i = 0; i < kQueuedFramesMax + 2; ++i) {
    EXPECT_EQ(Read(), "reset_done { }");  // Each was taken alone.
  }
  EXPECT_THAT(Read(), HasSubstr("started"));
  for (size_t i = 0; i < kQueuedFramesMax + 1; ++i) Write("reset {}");
  all_sent.set_value();
  EXPECT_EQ(Exit(), 1);
}

TEST_P(TaskTest, WhenTheWorkerIsGoneAnAttemptIsStoppedAndServeEnds) {
  std::promise<void> closed;
  ServeAndGreet([&](Job& job) {
    closed.get_future().wait();
    job.Token("to nobody");
    EXPECT_TRUE(job.stopping());
    job.Token("to nobody");
    return "";
  });
  Write("attempt_id: 'j/1' start {}");
  Read();
  Write("attempt_id: 'j/2' start {}");  // Does not begin.
  end_.Reset();
  closed.set_value();
  EXPECT_EQ(Exit(), 0);
}

TEST_P(TaskTest, TheEndOfTheChannelIsSeenWithoutWriting) {
  std::promise<void> closed;
  ServeAndGreet([&](Job& job) {
    closed.get_future().wait();
    EXPECT_TRUE(job.stopping());
    return "";
  });
  Write("attempt_id: 'j/1' start {}");
  Read();
  end_.Reset();
  closed.set_value();
  EXPECT_EQ(Exit(), 0);
}

TEST_P(TaskTest, ChildrenDoNotInheritTheChannel) {
  ServeAndGreet([](Job&) { return ""; });
  EXPECT_EQ(fcntl(fd_, F_GETFD), FD_CLOEXEC);
}

// Where there is no channel.
class ServeTest : public testing::Test {
 protected:
  ServeTest() {
    for (const char* name : {"VIGIL_FD", "VIGIL_FRAMES", "VIGIL_WARM_UP"}) {
      unsetenv(name);
    }
  }
  ~ServeTest() override { unsetenv("VIGIL_WARM_UP"); }

  static int Serve(const ServeOptions& options = {}) {
    testing::internal::CaptureStderr();
    const int status = vigil::task::Serve([](Job&) { return ""; }, options);
    said_ = testing::internal::GetCapturedStderr();
    return status;
  }

  inline static std::string said_;
};

TEST_F(ServeTest, SaysWhatToDoWhenItIsNotStartedByAWorker) {
  EXPECT_EQ(Serve(), 64);
  EXPECT_THAT(said_, HasSubstr("vigil run --task_type=NAME"));
}

TEST_F(ServeTest, RefusesAFormatThatItDoesNotSpeak) {
  setenv("VIGIL_FD", "3", 1);
  setenv("VIGIL_FRAMES", "xml", 1);
  EXPECT_EQ(Serve(), 64);
  EXPECT_THAT(said_, HasSubstr("VIGIL_FRAMES is \"xml\""));
}

TEST_F(ServeTest, AWarmUpIsRunInsteadOfServing) {
  setenv("VIGIL_WARM_UP", "1", 1);
  setenv("VIGIL_CACHE_DIR", "/cache", 1);
  std::string dir;
  bool ok = true;
  const ServeOptions options = {.warm_up = [&](const std::string& cache_dir) {
    dir = cache_dir;
    return ok;
  }};
  EXPECT_EQ(Serve(options), 0);
  EXPECT_EQ(dir, "/cache");
  ok = false;
  EXPECT_EQ(Serve(options), 1);
}

TEST_F(ServeTest, AWarmUpThatThereIsNotFails) {
  setenv("VIGIL_WARM_UP", "1", 1);
  EXPECT_EQ(Serve(), 1);
  EXPECT_THAT(said_, HasSubstr("no warm-up"));
}

}  // namespace
}  // namespace vigil::task
