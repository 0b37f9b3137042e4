// Proves what the program `vigil` as a whole does: its streams, its signals and
// its exit status, as a process against a scripted coordinator in this one.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "base/unique_fd.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/test_dir.h"
#include "client/cli/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kVigil[] = "client/cli/vigil";

// A vigil that runs; its output goes to files.
class Process {
 public:
  Process(const std::string& directory, std::vector<std::string> arguments,
          std::vector<std::string> variables)
      : out_(directory + "/out"), err_(directory + "/err") {
    arguments.insert(arguments.begin(), kVigil);
    variables.push_back("PATH=/usr/bin:/bin");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), kFlags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), kFlags, 0600);
    EXPECT_EQ(
        posix_spawn(&pid_, kVigil, &actions, nullptr,
                    Pointers(&arguments).data(), Pointers(&variables).data()),
        0);
    posix_spawn_file_actions_destroy(&actions);
  }

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

class VigilTest : public ::testing::Test {
 protected:
  ~VigilTest() override { fake_.Stop(); }

  Process Start(std::vector<std::string> arguments) {
    return Process(dir_.path(), std::move(arguments),
                   {"VIGIL_ADDRESS=" + address_});
  }

  static v1::WatchEvent Ended(v1::Job::State state, v1::Failure::Reason reason,
                              const std::string& message) {
    v1::WatchEvent event = client::JobEvent("j", state, "c");
    event.mutable_job()->mutable_failure()->set_reason(reason);
    event.mutable_job()->mutable_failure()->set_message(message);
    return event;
  }

  const client::TestDir dir_;
  const std::string address_ = absl::StrCat("unix:", dir_.path(), "/s");
  client::FakeCoordinator fake_;
};

TEST_F(VigilTest, RunPassesOutputOnAndExitsAsTheProgramDid) {
  v1::JobSpec spec;
  fake_.on_run = [&](auto*, const auto& request, const auto& write) {
    spec = request.job().spec();
    write(client::JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    write(client::OutputEvent("to stdout", "c"));
    v1::WatchEvent err = client::OutputEvent("to stderr", "c");
    err.mutable_output()->set_stream(v1::Output::STREAM_STDERR);
    write(err);
    v1::WatchEvent end =
        Ended(v1::Job::STATE_FAILED, v1::Failure::REASON_NONZERO_EXIT, "why");
    end.mutable_job()->mutable_exit()->set_status(3);
    write(end);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Process vigil = Start({"run", "--", "prog", "--flag"});
  EXPECT_EQ(vigil.Wait(), 3);
  EXPECT_EQ(vigil.out(), "to stdout");
  EXPECT_THAT(vigil.err(), StartsWith("to stderr\nvigil: "));
  EXPECT_THAT(vigil.err(),
              EndsWith("\nvigil: job j FAILED: NONZERO_EXIT: why\n"));
  EXPECT_THAT(spec.command().argv(), ElementsAre("prog", "--flag"));
  EXPECT_EQ(spec.retry().maximum_attempts(), 1);
}

TEST_F(VigilTest, RunOfASuccessSaysNothing) {
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Process vigil = Start({"run", "prog"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_THAT(vigil.out(), IsEmpty());
  EXPECT_THAT(vigil.err(), IsEmpty());
}

TEST_F(VigilTest, RunWithJsonEndsStderrWithTheJob) {
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(Ended(v1::Job::STATE_FAILED, v1::Failure::REASON_INACTIVITY_TIMEOUT,
                "silent"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Process vigil = Start({"run", "-ojson", "prog"});
  EXPECT_EQ(vigil.Wait(), 124);
  EXPECT_EQ(vigil.err(),
            "{\"job_id\":\"j\",\"state\":\"STATE_FAILED\",\"failure\":{"
            "\"reason\":\"REASON_INACTIVITY_TIMEOUT\",\"message\":\"silent\"}}"
            "\n");
}

TEST_F(VigilTest, InterruptCancelsTheJobAndWaitsForItsEnd) {
  absl::Notification running;
  absl::Notification cancelled;
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    running.Notify();
    cancelled.WaitForNotification();
    write(Ended(v1::Job::STATE_CANCELLED, v1::Failure::REASON_CANCELLED,
                "asked for"));
    return grpc::Status::OK;
  };
  fake_.on_cancel = [&](const auto& request, auto*) {
    EXPECT_EQ(request.job_id(), "j");
    cancelled.Notify();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Process vigil = Start({"run", "prog"});
  running.WaitForNotification();
  vigil.Signal(SIGINT);
  EXPECT_EQ(vigil.Wait(), 130);
  const std::vector<std::string> lines = absl::StrSplit(vigil.err(), '\n');
  ASSERT_EQ(lines.size(), 3u) << vigil.err();
  EXPECT_THAT(lines[0], StartsWith("vigil: cancelling "));
  EXPECT_EQ(lines[1], "vigil: job j CANCELLED: CANCELLED: asked for");
}

TEST_F(VigilTest, SecondInterruptLeavesAtOnce) {
  absl::Notification running;
  absl::Notification cancelled;
  fake_.on_run = [&](auto* context, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    running.Notify();
    // It never ends by itself.
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    return grpc::Status::CANCELLED;
  };
  fake_.on_cancel = [&](const auto&, auto*) {
    cancelled.Notify();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Process vigil = Start({"run", "prog"});
  running.WaitForNotification();
  vigil.Signal(SIGINT);
  cancelled.WaitForNotification();
  vigil.Signal(SIGINT);
  EXPECT_EQ(vigil.Wait(), 130);
  EXPECT_THAT(vigil.err(), HasSubstr("still ends on the coordinator"));
}

TEST_F(VigilTest, RefusedJobIsVigilsOwnFailure) {
  fake_.on_run = [](auto*, const auto&, const auto&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no task type `t`");
  };
  fake_.Start(address_);
  Process vigil = Start({"run", "--task_type=t"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_EQ(vigil.err(), "vigil: NOT_FOUND: no task type `t`\n");
}

TEST_F(VigilTest, BatchExitsWith123WhenAJobFailedAndWritesAJsonLineEach) {
  fake_.on_status = [](auto* response) {
    response->set_slots_total(1);
    return grpc::Status::OK;
  };
  fake_.on_submit_many = [](const auto& request, auto* response) {
    for (const auto& job : request.jobs()) {
      response->add_results()->set_job_id(job.spec().command().argv(1));
    }
    return grpc::Status::OK;
  };
  fake_.on_watch = [](auto*, const auto& request, const auto& write) {
    v1::WatchEvent end =
        Ended(v1::Job::STATE_FAILED, v1::Failure::REASON_INVALID_INPUT, "bad");
    if (request.job_id() == "a") {
      end = client::JobEvent("a", v1::Job::STATE_SUCCEEDED, "c");
    }
    write(end);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  const std::string items = dir_.path() + "/items";
  ASSERT_TRUE(WriteFile(items, "a\nb\n").ok());
  Process vigil = Start({"batch", "-a", items, "-j1", "-ojson", "prog"});
  EXPECT_EQ(vigil.Wait(), 123);
  EXPECT_EQ(
      vigil.out(),
      "{\"index\":1,\"item\":\"a\",\"job_id\":\"a\",\"state\":\"SUCCEEDED\","
      "\"reason\":\"\",\"message\":\"\",\"attempts\":0}\n"
      "{\"index\":2,\"item\":\"b\",\"job_id\":\"j\",\"state\":\"FAILED\","
      "\"reason\":\"INVALID_INPUT\",\"message\":\"bad\",\"attempts\":0}\n");
  EXPECT_THAT(vigil.err(), HasSubstr("item 2 `b`: job j FAILED"));

  Process expected =
      Start({"batch", "-a", items, "--ok_reasons=invalid-input", "prog"});
  EXPECT_EQ(expected.Wait(), 0);
  EXPECT_THAT(expected.err(), HasSubstr("as expected"));
}

TEST_F(VigilTest, StatusAndExplainAreForPeopleOrJson) {
  fake_.on_status = [](auto* response) {
    response->set_build("b");
    return grpc::Status::OK;
  };
  fake_.on_get = [](const auto& request, auto* response) {
    response->mutable_job()->set_job_id(request.job_id());
    response->mutable_job()->set_state(v1::Job::STATE_QUEUED);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Process status = Start({"status"});
  EXPECT_EQ(status.Wait(), 0);
  EXPECT_THAT(status.out(), StartsWith("coordinator b,"));
  Process json = Start({"status", "-o", "json"});
  EXPECT_EQ(json.Wait(), 0);
  EXPECT_THAT(json.out(), StartsWith("{\n \"build\": \"b\""));
  Process explain = Start({"explain", "job-1"});
  EXPECT_EQ(explain.Wait(), 0);
  EXPECT_THAT(explain.out(), StartsWith("job job-1 QUEUED\nwaits: "));
}

TEST_F(VigilTest, UnreachableCoordinatorIsExplained) {
  for (const char* verb : {"status", "explain job", "batch prog"}) {
    Process vigil = Start(absl::StrSplit(verb, ' '));
    EXPECT_EQ(vigil.Wait(), 125);
    EXPECT_THAT(vigil.err(),
                HasSubstr("cannot reach the coordinator at " + address_ +
                          " (given by VIGIL_ADDRESS): nobody listens there"))
        << verb;
  }
}

TEST_F(VigilTest, EveryVerbHasHelpAndVersion) {
  for (const char* verb : {"run", "batch", "status", "explain"}) {
    Process help = Start({verb, "--help"});
    EXPECT_EQ(help.Wait(), 0);
    EXPECT_THAT(help.out(), StartsWith(absl::StrCat("usage: vigil ", verb)));
    Process same = Start({"help", verb});
    EXPECT_EQ(same.Wait(), 0);
    EXPECT_EQ(same.out(), help.out());
    Process version = Start({verb, "--version"});
    EXPECT_EQ(version.Wait(), 0);
    EXPECT_THAT(version.out(), StartsWith("vigil "));
  }
}

TEST_F(VigilTest, MisuseIsVigilsOwnFailureAndNamesWhatWasMeant) {
  Process verb = Start({"rnu"});
  EXPECT_EQ(verb.Wait(), 125);
  EXPECT_THAT(verb.err(), HasSubstr("did you mean `run`?"));
  Process early = Start({"--address=x:1", "run"});
  EXPECT_EQ(early.Wait(), 125);
  EXPECT_THAT(early.err(), HasSubstr("flags stand behind the verb"));
  Process flag = Start({"run", "--inactivty=3s", "prog"});
  EXPECT_EQ(flag.Wait(), 125);
  EXPECT_THAT(flag.err(), HasSubstr("did you mean --inactivity?"));
}

}  // namespace
}  // namespace vigil::cli
