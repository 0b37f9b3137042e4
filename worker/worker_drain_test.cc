// Proves how a worker leaves, by a signal and as its coordinator says: it takes
// nothing new, gives what runs its grace, and says that it has left. Real loop,
// slots and processes against a fake coordinator in this process.
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/wire/time_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/worker_fixture.h"

namespace vigil::worker {
namespace {

using ::testing::HasSubstr;

constexpr auto kStdout = v1::Output::STREAM_STDOUT;

// What a worker told its coordinator when it drained and went.
void ExpectLeft(const FakeCoordinator::Stream& stream) {
  EXPECT_TRUE(stream.draining);
  EXPECT_TRUE(stream.left);
}

class WorkerDrainTest : public WorkerTest {
 protected:
  // Starts a worker whose tasks may take as long as they like.
  void StartPatientWorker() {
    WorkerOptions options;
    options.drain_grace = absl::Hours(1);
    StartWorker(std::move(options));
  }
  void WaitUntilItDrains() {
    coordinator_.WaitUntil("it drains", [](const auto& streams) {
      return streams.back().draining;
    });
  }
};

TEST_F(WorkerDrainTest, SigtermLeavesWhatRunsItsGrace) {
  StartPatientWorker();
  const std::string go = ::testing::TempDir() + "/go";
  Assign(Shell("job", absl::StrCat("echo up; while ! [ -e ", go,
                                   " ]; do sleep 0.05; done; echo done")));
  WaitForOutput("job", "up");
  kill(getpid(), SIGTERM);
  WaitUntilItDrains();
  // Takes nothing new.
  Assign(Shell("late", "echo never"));
  EXPECT_TRUE(coordinator_.WaitForEnd("late").never_started());
  std::ofstream(go).flush();
  EXPECT_EQ(Join(), WorkerExit::kOk);
  EXPECT_FALSE(coordinator_.WaitForEnd("job").has_failure());
  EXPECT_EQ(coordinator_.Output("job", kStdout), "up\ndone\n");
  ExpectLeft(coordinator_.streams().back());
}

TEST_F(WorkerDrainTest, TheCoordinatorDrainsItAndShortensTheGrace) {
  StartPatientWorker();
  Assign(Shell("job", "echo up; sleep 1000"));
  WaitForOutput("job", "up");
  v1::AttachResponse drain;
  drain.mutable_drain();
  coordinator_.Send(drain);
  WaitUntilItDrains();
  vigil::ToProto(absl::ZeroDuration(), drain.mutable_drain()->mutable_grace());
  coordinator_.Send(drain);
  EXPECT_EQ(Join(), WorkerExit::kOk);
  EXPECT_EQ(coordinator_.WaitForEnd("job").failure().reason(),
            v1::Failure::REASON_DRAINED);
  ExpectLeft(coordinator_.streams().back());
}

TEST_F(WorkerDrainTest, AStreamThatIsOpenedLaterIsToldOfTheDrain) {
  StartPatientWorker();
  const std::string go = ::testing::TempDir() + "/go2";
  Assign(Shell("job", absl::StrCat("echo up; while ! [ -e ", go,
                                   " ]; do sleep 0.05; done")));
  WaitForOutput("job", "up");
  kill(getpid(), SIGTERM);
  WaitUntilItDrains();
  coordinator_.Cut();
  coordinator_.WaitUntil("another stream", [](const auto& streams) {
    return streams.size() > 1 && streams.back().heartbeats > 0;
  });
  EXPECT_TRUE(coordinator_.streams().back().attach.draining());
  std::ofstream(go).flush();
  EXPECT_EQ(Join(), WorkerExit::kOk);
  EXPECT_TRUE(coordinator_.streams().back().left);
}

TEST_F(WorkerDrainTest, ASecondSignalEndsItAtOnce) {
  StartPatientWorker();
  Assign(Shell("job", "echo $$; sleep 1000"));
  WaitForOutput("job", "\n");
  const pid_t pid = PidIn("job", 0);
  kill(getpid(), SIGTERM);
  WaitUntilItDrains();
  kill(getpid(), SIGTERM);
  EXPECT_EQ(Join(), WorkerExit::kForced);
  // Its slots end what they run without being waited for.
  const absl::Time end = absl::Now() + absl::Seconds(30);
  while (Alive(pid) && absl::Now() < end) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_FALSE(Alive(pid));
}

TEST_F(WorkerDrainTest, SigtermStopsWhatOutlastsItsGrace) {
  StartWorker();  // whose grace is 0
  Assign(Shell("job",
               "trap 'echo bye; exit 0' TERM; echo up; "
               "while :; do sleep 0.05; done"));
  WaitForOutput("job", "up");
  kill(getpid(), SIGTERM);
  EXPECT_EQ(Join(), WorkerExit::kOk);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_DRAINED);
  EXPECT_THAT(coordinator_.Output("job", kStdout), HasSubstr("bye"));
}

}  // namespace
}  // namespace vigil::worker
