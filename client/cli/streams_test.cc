// Proves that a signal ends the program also while it reads what nobody writes,
// or writes what nobody reads, and what becomes of streams that are closed or
// whose reader has gone: as a process whose streams the test holds.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "base/unique_fd.h"
#include "client/cli/files.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;

struct Pipe {
  Pipe() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    read_end.Reset(fds[0]);
    write_end.Reset(fds[1]);
  }

  // Takes nothing any more.
  void Fill() {
    const UniqueFd end(
        open(absl::StrCat("/proc/self/fd/", write_end.get()).c_str(),
             O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    const std::string page(4096, 'x');
    while (write(end.get(), page.data(), page.size()) > 0) continue;
  }

  UniqueFd read_end;
  UniqueFd write_end;
};

class StreamsTest : public VigilFixture {
 protected:
  // The signal comes when it cannot end the process by itself any more.
  static int StatusAfter(int signal, VigilProcess* vigil) {
    while (!Blocks(signal, vigil->pid())) std::this_thread::yield();
    vigil->Signal(signal);
    return vigil->Wait();
  }

  std::string Fifo() const {
    const std::string path = dir_.path() + "/fifo";
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }

  // Has batches take what comes, until nothing comes any more.
  void TakeBatches() {
    fake_.on_run_batch = [](auto*, auto* io) {
      v1::RunBatchRequest request;
      while (io->Read(&request)) continue;
      return grpc::Status::OK;
    };
    fake_.Start(address_);
  }

 private:
  static bool Has(uint64_t signals, int signal) {
    return (signals >> (signal - 1) & 1) == 1;
  }

  static bool Blocks(int signal, pid_t process) {
    std::ifstream status(absl::StrCat("/proc/", process, "/status"));
    for (std::string line; std::getline(status, line);) {
      // It ended by itself.
      if (absl::StartsWith(line, "State:\tZ")) return true;
      uint64_t blocked = 0;
      if (absl::StartsWith(line, "SigBlk:\t") &&
          absl::SimpleHexAtoi(line.substr(8), &blocked)) {
        // What starts a thread blocks all of them for a moment.
        return Has(blocked, signal) && !Has(blocked, SIGUSR1);
      }
    }
    return false;
  }
};

TEST_F(StreamsTest, ClosedStreamsAreNotTakenForOthers) {
  fake_.on_status = [](auto*) { return grpc::Status::OK; };
  TakeBatches();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"batch", "run", "--from_file=-"},
        {"job", "submit", "--from_file=-"}}) {
    VigilProcess vigil = Start(words, {.in = VigilStreams::kClosed});
    EXPECT_EQ(vigil.Wait(), 125) << words[0];
    EXPECT_THAT(vigil.err(), HasSubstr("Bad file descriptor")) << words[0];
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"status"}, {"version"}, {"help"}}) {
    VigilProcess vigil = Start(words, {.out = VigilStreams::kClosed});
    EXPECT_EQ(vigil.Wait(), 125) << words[0];
    EXPECT_THAT(vigil.err(), HasSubstr("stdout: cannot write: Bad file"))
        << words[0];
  }
}

TEST_F(StreamsTest, WhereNobodyReadsStdoutEveryVerbEndsAlikeAndSaysNothing) {
  fake_.on_status = [](auto*) { return grpc::Status::OK; };
  fake_.on_get = [](const auto&, auto* response) {
    response->mutable_job()->set_job_id("j");
    response->mutable_job()->set_state(v1::Job::STATE_SUCCEEDED);
    response->mutable_job()->set_result("result");
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Pipe out;
  out.read_end.Reset();
  for (const char* line :
       {"help", "help job", "", "job", "--version", "job get --help",
        "run --help", "status", "version", "top --once", "top --once -ojsonl",
        "context list", "completion bash", "explain j", "explain j --result",
        "job get j", "doctor"}) {
    const std::vector<std::string> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    VigilProcess vigil = Start(words, {.out = out.write_end.get()});
    EXPECT_EQ(vigil.Wait(), 128 + SIGPIPE) << line;
    EXPECT_EQ(vigil.err(), "") << line;
  }
}

TEST_F(StreamsTest, ASignalEndsWhatWaitsForStdin) {
  const Pipe in;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"job", "submit", "--from_file=-"},
        {"job", "submit", "--input=@-", "--", "prog"},
        {"run", "--stdin=-", "--", "prog"}}) {
    VigilProcess vigil = Start(words, {.in = in.read_end.get()});
    EXPECT_EQ(StatusAfter(SIGTERM, &vigil), 128 + SIGTERM) << words[2];
  }
}

TEST_F(StreamsTest, ASignalEndsWhatWaitsForTheWriterOfAFifo) {
  TakeBatches();
  const std::string fifo = Fifo();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"job", "submit", "--from_file=" + fifo},
        {"batch", "run", "--from_file=" + fifo}}) {
    VigilProcess vigil = Start(words);
    EXPECT_EQ(StatusAfter(SIGINT, &vigil), 128 + SIGINT) << words[0];
  }
}

TEST_F(StreamsTest, ASignalEndsWhatWaitsForACoordinatorThatDoesNotAnswer) {
  absl::Notification over;
  fake_.on_status = [&](auto*) {
    over.WaitForNotification();
    return grpc::Status::OK;
  };
  fake_.on_get = [&](const auto&, auto*) {
    over.WaitForNotification();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"explain", "j"},
        {"watch", "j"},
        {"run", "--", "prog"},
        {"batch", "--", "prog"},
        {"doctor"}}) {
    VigilProcess vigil = Start(words);
    EXPECT_EQ(StatusAfter(SIGINT, &vigil), 128 + SIGINT) << words[0];
    // It was not the time for the answer that ended.
    EXPECT_EQ(vigil.err(), "") << words[0];
  }
  over.Notify();
  fake_.Stop();
}

TEST_F(StreamsTest, AFifoIsReadToItsEnd) {
  const std::string fifo = Fifo();
  VigilProcess vigil = Start({"job", "submit", "--from_file=" + fifo});
  // Waits for the reader.
  UniqueFd end(open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(WriteAll(end.get(), "{\"spec\": ").ok());
  ASSERT_TRUE(WriteAll(end.get(), "{\"nonsense\": 1}}").ok());
  end.Reset();
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.err(), HasSubstr("nonsense"));
}

TEST_F(StreamsTest, ASignalEndsWhatWritesIntoAFullPipe) {
  // It does not end by itself.
  fake_.on_watch = [](auto* context, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Pipe out;
  out.Fill();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"job", "watch", "j"},
        {"version", "--client"},
        {"context", "list"}}) {
    VigilProcess vigil = Start(words, {.out = out.write_end.get()});
    EXPECT_EQ(StatusAfter(SIGINT, &vigil), 128 + SIGINT) << words[0];
  }
}

TEST_F(StreamsTest, AllIsWrittenToAPipeThatIsReadSlowly) {
  Pipe out;
  out.Fill();
  VigilProcess vigil =
      Start({"completion", "bash"}, {.out = out.write_end.get()});
  out.write_end.Reset();
  std::string all;
  char piece[1000];
  for (ssize_t got = 1; got > 0;) {
    got = read(out.read_end.get(), piece, sizeof(piece));
    if (got > 0) all.append(piece, static_cast<size_t>(got));
  }
  EXPECT_EQ(vigil.Wait(), 0);
  VigilProcess plain = Start({"completion", "bash"});
  EXPECT_EQ(plain.Wait(), 0);
  EXPECT_EQ(all.substr(all.find_first_not_of('x')), plain.out());
}

TEST_F(StreamsTest, ASignalEndsWhatWaitsToChangeTheContexts) {
  const std::string directory = dir_.path() + "/vigil";
  ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
  const UniqueFd lock(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
  VigilProcess vigil = Start({"context", "set", "a", "--address=a:1"});
  EXPECT_EQ(StatusAfter(SIGHUP, &vigil), 128 + SIGHUP);
}

TEST_F(StreamsTest, ContextsAreARegularFile) {
  const std::string directory = dir_.path() + "/vigil";
  ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
  ASSERT_EQ(mkfifo((directory + "/config.json").c_str(), 0600), 0);
  VigilProcess vigil = Start({"context", "list"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.err(), HasSubstr("config.json: is not a regular file"));
}

}  // namespace
}  // namespace vigil::cli
