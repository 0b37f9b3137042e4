// Proves what `vigil top` does as a program: its lines where there is no
// terminal, and on one that it goes on through a restart of the coordinator and
// gives the terminal back, however it ends. A scripted coordinator and a
// pseudo-terminal stand in for real ones.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/unique_fd.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class TopTest : public VigilFixture {
 protected:
  TopTest() {
    fake_.on_status = [this](auto* response) {
      response->set_build("b");
      response->set_epoch(epoch_);
      response->set_watchers(++asked_);
      return grpc::Status::OK;
    };
  }

  std::atomic<int> epoch_ = 7;
  std::atomic<int> asked_ = 0;
};

TEST_F(TopTest, OnceShowsAllThereIsToSay) {
  fake_.Start(address_);
  VigilProcess top = Start({"top", "--once"});
  EXPECT_EQ(top.Wait(), 0);
  EXPECT_THAT(top.out(), StartsWith("coordinator b, epoch 7, up "));
  EXPECT_THAT(top.out(), HasSubstr("no worker is connected"));
  EXPECT_EQ(top.err(), "");
}

TEST_F(TopTest, WithoutATerminalItWritesABlockEachInterval) {
  fake_.Start(address_);
  VigilProcess top = Start({"top", "--interval=100ms", "-n3"});
  EXPECT_EQ(top.Wait(), 0);
  const std::vector<std::string> blocks = absl::StrSplit(top.out(), "\n\n");
  ASSERT_THAT(blocks, SizeIs(3));
  EXPECT_THAT(blocks[0], Not(HasSubstr("jobs/s")));
  EXPECT_THAT(blocks[1], HasSubstr("  0.0 jobs/s, 0.0 tokens/s\ncoordinator"));
  EXPECT_THAT(blocks[2], HasSubstr("3 watchers"));
  EXPECT_THAT(top.out(), Not(HasSubstr("\033")));
}

TEST_F(TopTest, WritesALineOfJsonEachTime) {
  fake_.Start(address_);
  VigilProcess top = Start({"top", "--interval=100ms", "-n2", "-ojsonl"});
  EXPECT_EQ(top.Wait(), 0);
  const std::vector<std::string> lines = absl::StrSplit(top.out(), '\n');
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[0], AllOf(StartsWith("{\"time\":\"20"),
                              EndsWith("Z\",\"status\":{\"build\":\"b\","
                                       "\"epoch\":\"7\",\"watchers\":1}}")));
  EXPECT_THAT(lines[1], HasSubstr("\"jobs_per_second\":0.000,"));
}

TEST_F(TopTest, FailsWhereTheLastAnswerIsAnError) {
  for (const bool recovers : {false, true}) {
    asked_ = 0;
    fake_.on_status = [this, recovers](auto*) {
      const int number = ++asked_;
      return number == 1 || (recovers && number == 3)
                 ? grpc::Status::OK
                 : grpc::Status(grpc::StatusCode::INTERNAL, "broken");
    };
    if (!recovers) fake_.Start(address_);
    VigilProcess top = Start({"top", "--interval=100ms", "-n3", "-ojsonl"});
    EXPECT_EQ(top.Wait(), recovers ? 0 : 125);
    EXPECT_THAT(top.out(), HasSubstr("\"error\":\"not reachable since"));
    EXPECT_EQ(absl::StrContains(top.err(), "broken"), !recovers);
  }
}

TEST_F(TopTest, ACoordinatorThatIsNotThereIsTold) {
  VigilProcess top = Start({"top"});
  EXPECT_EQ(top.Wait(), 125);
  EXPECT_EQ(top.out(), "");
  EXPECT_THAT(top.err(), HasSubstr("cannot reach the coordinator at " +
                                   address_ + " (given by VIGIL_ADDRESS)"));
}

TEST_F(TopTest, MisuseIsTold) {
  EXPECT_EQ(Start({"top", "job"}).Wait(), 125);
  EXPECT_EQ(Start({"top", "--interval=1ms"}).Wait(), 125);
  EXPECT_EQ(Start({"top", "-ojson"}).Wait(), 125);
  EXPECT_EQ(Start({"top", "--once", "-n2"}).Wait(), 125);
}

// `vigil top` on a terminal.
class TopOnATerminalTest : public TopTest {
 protected:
  TopOnATerminalTest() : terminal_(posix_openpt(O_RDWR | O_NOCTTY)) {
    EXPECT_EQ(grantpt(terminal_.get()) | unlockpt(terminal_.get()), 0);
    Resize(60, 20);
    EXPECT_EQ(symlink(ptsname(terminal_.get()), (dir_.path() + "/out").c_str()),
              0);
  }

  void Resize(unsigned short columns, unsigned short rows) {
    const winsize size = {rows, columns, 0, 0};
    EXPECT_EQ(ioctl(terminal_.get(), TIOCSWINSZ, &size), 0);
  }

  // Reads what is shown until it has `text`; forgets what is before.
  void Await(const std::string& text) {
    char data[4096];
    while (!absl::StrContains(shown_, text)) {
      const ssize_t got = read(terminal_.get(), data, sizeof(data));
      ASSERT_GT(got, 0) << "ended before it had `" << text << "`: " << shown_;
      shown_.append(data, static_cast<size_t>(got));
    }
    shown_.erase(0, shown_.find(text) + text.size());
  }

  // What is shown until the terminal is closed.
  std::string Rest() {
    char data[4096];
    for (;;) {
      const ssize_t got = read(terminal_.get(), data, sizeof(data));
      if (got <= 0) return shown_;
      shown_.append(data, static_cast<size_t>(got));
    }
  }

  const UniqueFd terminal_;
  std::string shown_;
};

constexpr char kTaken[] = "\033[?1049h";
constexpr char kGivenBack[] = "\033[?7h\033[?25h\033[?1049l";

TEST_F(TopOnATerminalTest, GivesItBackAtEverySignal) {
  fake_.Start(address_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    VigilProcess top = Start({"top", "--interval=100ms"});
    Await(kTaken);
    Await("vigil top");
    top.Signal(signal);
    EXPECT_EQ(top.Wait(), 128 + signal);
    EXPECT_THAT(Rest(), EndsWith(kGivenBack));
    shown_.clear();
  }
}

TEST_F(TopOnATerminalTest, GoesOnWhenTheCoordinatorIsBack) {
  fake_.Start(address_);
  VigilProcess top = Start({"top", "--interval=100ms"});
  Await("epoch 7");
  fake_.Stop();
  Await("not reachable since ");
  Await("nobody listens there");
  epoch_ = 8;
  fake_.Start(address_);
  Await("epoch 8");
  Await("epoch 8");
  top.Signal(SIGTERM);
  EXPECT_EQ(top.Wait(), 143);
  EXPECT_THAT(Rest(), Not(HasSubstr("not reachable")));
}

TEST_F(TopOnATerminalTest, IsDrawnAnewInAnotherSize) {
  fake_.Start(address_);
  VigilProcess top = Start({"top", "--interval=1h"});
  Await("\033[2J\033[H");
  Await("watcher");
  Resize(40, 20);
  // The fake terminal is nobody's controlling one, and so signals nobody.
  top.Signal(SIGWINCH);
  Await("\033[2J\033[H");
  EXPECT_EQ(asked_, 1);
  top.Signal(SIGINT);
  EXPECT_EQ(top.Wait(), 130);
}

}  // namespace
}  // namespace vigil::cli
