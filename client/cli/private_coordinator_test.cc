// Proves the life of a private coordinator with shell scripts in its place: how
// it is found, started, waited for, ended and cleaned up after, and what a
// killed CLI leaves for the next one to remove.
#include "client/cli/private_coordinator.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "client/cc/test_dir.h"
#include "client/cli/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PrivateCoordinatorTest : public ::testing::Test {
 protected:
  PrivateCoordinatorTest() {
    environment_.variables["TMPDIR"] = directory_;
    environment_.program = directory_ + "/bin/vigil";
    environment_.uid = geteuid();
    environment_.clock = &clock_;
    environment_.events = events_.get();
  }

  // A script that stands for the coordinator.
  std::string Script(const std::string& body) {
    const std::string path = directory_ + "/script";
    EXPECT_TRUE(WriteFile(path, absl::StrCat("#!/bin/sh\n", body, "\n")).ok());
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    return path;
  }

  auto Start(const std::string& program) {
    return PrivateCoordinator::Start(program, {.slots = 3}, environment_,
                                     &signal_);
  }

  // Directories that Start made and that are still there.
  std::vector<std::string> Directories() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("vigil-run-", 0) == 0) names.push_back(name);
    }
    return names;
  }

  const Clock clock_;
  std::unique_ptr<EventQueue> events_ = *EventQueue::Create();
  const client::TestDir dir_;
  const std::string directory_ = dir_.path();
  Environment environment_;
  int signal_ = 0;
};

TEST_F(PrivateCoordinatorTest, ServesUntilItsStdinClosesAndLeavesNothing) {
  const std::string args = directory_ + "/args";
  const std::string ended = directory_ + "/ended";
  auto started = Start(
      Script(absl::StrCat("echo \"$@\" > ", args,
                          "; echo READY >&3; exec 3>&-; cat; echo > ", ended)));
  ASSERT_TRUE(started.ok()) << started.status();
  const std::string address = (*started)->address();
  EXPECT_THAT(address, HasSubstr(directory_ + "/vigil-run-"));
  const std::string given = ReadTail(args, 4096);
  EXPECT_THAT(given, HasSubstr("--listen=" + address));
  EXPECT_THAT(given, HasSubstr("--local_slots=3"));
  EXPECT_THAT(given, HasSubstr("--allow_commands=true"));
  EXPECT_THAT(given, HasSubstr("--exit_on_stdin_eof"));
  EXPECT_THAT(given, HasSubstr("--ready_fd=3"));
  struct stat about;
  ASSERT_EQ(stat((directory_ + "/" + Directories()[0]).c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  started->reset();
  EXPECT_TRUE(std::filesystem::exists(ended));
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(PrivateCoordinatorTest, IsKilledWhenItDoesNotEndInTime) {
  auto started = Start(Script("echo READY >&3; exec sleep 1000"));
  ASSERT_TRUE(started.ok()) << started.status();
  (*started)->Stop(absl::Milliseconds(10));
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(PrivateCoordinatorTest, FailureToStartShowsItsLog) {
  auto started = Start(Script("echo the disk is full >&2; exit 1"));
  EXPECT_EQ(started.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(started.status().message()),
              HasSubstr("the disk is full"));
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(PrivateCoordinatorTest, ProgramThatCannotBeRunIsAnError) {
  EXPECT_THAT(std::string(Start("/no/such").status().message()),
              HasSubstr("cannot start /no/such"));
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(PrivateCoordinatorTest, SignalWhileItStartsEndsIt) {
  raise(SIGINT);
  auto started = Start(Script("exec cat"));
  EXPECT_EQ(started.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(signal_, SIGINT);
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(PrivateCoordinatorTest, DoesNotReceiveTheTerminalsSignals) {
  const std::string sid = directory_ + "/sid";
  auto started = Start(Script(absl::StrCat("cut -d' ' -f6 /proc/$$/stat > ",
                                           sid, "; echo READY >&3; cat")));
  ASSERT_TRUE(started.ok()) << started.status();
  EXPECT_NE(ReadTail(sid, 100), absl::StrCat(getsid(0), "\n"));
}

TEST_F(PrivateCoordinatorTest, RemovesWhatAKilledCliLeft) {
  const std::string left = directory_ + "/vigil-run-AAAAAA";
  std::filesystem::create_directories(left + "/data");
  ASSERT_TRUE(WriteFile(left + "/lock", "").ok());
  ASSERT_TRUE(WriteFile(left + "/data/lock", "").ok());
  RemoveLeftovers(directory_, geteuid(), clock_.Now());
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(PrivateCoordinatorTest, LeavesWhatIsInUseOrNotItsOwn) {
  for (const char* name : {"/lock", "/data/lock"}) {
    const std::string used = directory_ + "/vigil-run-AAAAAA";
    std::filesystem::create_directories(used + "/data");
    ASSERT_TRUE(WriteFile(used + "/lock", "").ok());
    ASSERT_TRUE(WriteFile(used + "/data/lock", "").ok());
    const int lock = open((used + name).c_str(), O_RDWR);
    ASSERT_EQ(flock(lock, LOCK_EX), 0);
    RemoveLeftovers(directory_, geteuid(), clock_.Now());
    EXPECT_EQ(Directories().size(), 1u) << name;
    close(lock);
    RemoveLeftovers(directory_, geteuid() + 1, clock_.Now());
    EXPECT_EQ(Directories().size(), 1u);
  }
}

TEST_F(PrivateCoordinatorTest, LeavesWhatIsJustBeingMade) {
  std::filesystem::create_directories(directory_ + "/vigil-run-AAAAAA");
  RemoveLeftovers(directory_, geteuid(), clock_.Now());
  EXPECT_EQ(Directories().size(), 1u);
  RemoveLeftovers(directory_, geteuid(), clock_.Now() + absl::Hours(2));
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(PrivateCoordinatorTest, IsFoundBesideTheCliOrWhereBazelBuildsIt) {
  EXPECT_THAT(
      std::string(
          PrivateCoordinator::FindProgram("", environment_).status().message()),
      HasSubstr("--coordinator_binary"));
  const std::string script = Script("exit 0");
  environment_.program = directory_ + "/client/cli/vigil";
  std::filesystem::create_directories(directory_ + "/client/cli");
  std::filesystem::create_directories(directory_ + "/coordinator");
  std::filesystem::copy(script, directory_ + "/coordinator/coordinator");
  EXPECT_THAT(*PrivateCoordinator::FindProgram("", environment_),
              HasSubstr("coordinator/coordinator"));
  std::filesystem::copy(script, directory_ + "/client/cli/vigil-coordinator");
  EXPECT_THAT(*PrivateCoordinator::FindProgram("", environment_),
              HasSubstr("client/cli/vigil-coordinator"));
  EXPECT_EQ(*PrivateCoordinator::FindProgram(script, environment_), script);
  EXPECT_FALSE(PrivateCoordinator::FindProgram("/no/such", environment_).ok());
}

}  // namespace
}  // namespace vigil::cli
