// VigilFixture: a test in which the program `vigil` runs as a process against a
// scripted coordinator in this one; VigilProcess: that process. For the test's
// thread only. The fixture owns the directory that output and socket are in.
#ifndef VIGIL_CLIENT_CLI_VIGIL_FIXTURE_H_
#define VIGIL_CLIENT_CLI_VIGIL_FIXTURE_H_

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/test_dir.h"
#include "client/cli/files.h"
#include "gtest/gtest.h"

namespace vigil::cli {

inline constexpr char kVigil[] = "client/cli/vigil";

// What a vigil reads and writes.
struct VigilStreams {
  static constexpr int kDefault = -1;
  static constexpr int kClosed = -2;

  // A descriptor, which is borrowed; by default /dev/null.
  int in = kDefault;
  // The same; by default a file.
  int out = kDefault;
};

// A vigil that runs; its output goes to files.
class VigilProcess {
 public:
  VigilProcess(const std::string& directory, std::vector<std::string> arguments,
               std::vector<std::string> variables, VigilStreams streams = {})
      : out_(directory + "/out"), err_(directory + "/err") {
    arguments.insert(arguments.begin(), kVigil);
    variables.push_back("PATH=/usr/bin:/bin");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), kFlags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), kFlags, 0600);
    Replace(0, streams.in, &actions);
    Replace(1, streams.out, &actions);
    EXPECT_EQ(
        posix_spawn(&pid_, kVigil, &actions, nullptr,
                    Pointers(&arguments).data(), Pointers(&variables).data()),
        0);
    posix_spawn_file_actions_destroy(&actions);
  }

  pid_t pid() const { return pid_; }

  void Signal(int signal) { EXPECT_EQ(kill(pid_, signal), 0); }

  // Its exit status, when it has ended.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string out() const { return ReadTail(out_, 1 << 20); }
  std::string err() const { return ReadTail(err_, 1 << 20); }

 private:
  static void Replace(int fd, int by, posix_spawn_file_actions_t* actions) {
    if (by == VigilStreams::kClosed) {
      posix_spawn_file_actions_addclose(actions, fd);
    } else if (by != VigilStreams::kDefault) {
      posix_spawn_file_actions_adddup2(actions, by, fd);
    }
  }

  static std::vector<char*> Pointers(std::vector<std::string>* words) {
    std::vector<char*> pointers;
    for (std::string& word : *words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  const std::string out_;
  const std::string err_;
  pid_t pid_ = -1;
};

class VigilFixture : public ::testing::Test {
 protected:
  ~VigilFixture() override { fake_.Stop(); }

  VigilProcess Start(std::vector<std::string> arguments,
                     VigilStreams streams = {}) {
    return VigilProcess(
        dir_.path(), std::move(arguments),
        {"VIGIL_ADDRESS=" + address_, "XDG_CONFIG_HOME=" + dir_.path()},
        streams);
  }

  // As a task would.
  VigilProcess StartInTask(std::vector<std::string> arguments,
                           std::vector<std::string> variables) {
    variables.push_back("VIGIL_TASK=job=p;attempt=2");
    return VigilProcess(dir_.path(), std::move(arguments),
                        std::move(variables));
  }

  const client::TestDir dir_;
  const std::string address_ = absl::StrCat("unix:", dir_.path(), "/s");
  client::FakeCoordinator fake_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_VIGIL_FIXTURE_H_
