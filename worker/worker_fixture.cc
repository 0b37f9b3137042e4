#include "worker/worker_fixture.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/wire/time_wire.h"

namespace vigil::worker {

WorkerTest::WorkerTest() = default;

WorkerTest::~WorkerTest() {
  if (!thread_.joinable()) return;
  // What a test left unacknowledged would be waited for.
  coordinator_.Behave([](auto& b) { b = FakeCoordinator::Behaviour(); });
  coordinator_.Cut();
  kill(getpid(), SIGTERM);
  thread_.join();
}

void WorkerTest::StartWorker(WorkerOptions options) {
  auto stream = GrpcDispatchStream::Create(coordinator_.address());
  ASSERT_TRUE(stream.ok()) << stream.status();
  stream_ = *std::move(stream);
  options.worker_id = "the-worker";
  options.allow_commands = true;
  options.slot_binary = "worker/slot/slot";
  options.data_dir = std::getenv("TEST_TMPDIR");
  options.hostname = "host";
  options.reconnect_max = absl::Milliseconds(200);
  options.random = [] { return 0.5; };
  static std::atomic<int> ids = 0;
  options.new_id = [] { return absl::StrCat("id-", ++ids); };
  thread_ = std::thread([this, moved = std::move(options)]() mutable {
    auto loop = WorkerLoop::Create(std::move(moved), stream_.get());
    ASSERT_TRUE(loop.ok()) << loop.status();
    exit_ = (*loop)->Run();
  });
  coordinator_.WaitUntil("a heartbeat", [](const auto& streams) {
    return !streams.empty() && streams.back().heartbeats > 0;
  });
}

WorkerExit WorkerTest::Join() {
  thread_.join();
  return exit_.value_or(WorkerExit::kForced);
}

v1::Assignment WorkerTest::Shell(const std::string& job,
                                 const std::string& script) {
  v1::Assignment assignment;
  assignment.mutable_attempt()->set_job_id(job);
  assignment.mutable_attempt()->set_number(1);
  v1::JobSpec* spec = assignment.mutable_spec();
  for (const std::string& argument :
       {std::string("sh"), std::string("-c"), script}) {
    spec->mutable_command()->add_argv(argument);
  }
  spec->set_max_processes(100);
  v1::Timeouts* timeouts = spec->mutable_timeouts();
  vigil::ToProto(absl::Seconds(120), timeouts->mutable_startup_timeout());
  vigil::ToProto(absl::Seconds(45), timeouts->mutable_inactivity_timeout());
  vigil::ToProto(absl::Seconds(600),
                 timeouts->mutable_start_to_close_timeout());
  vigil::ToProto(absl::Seconds(5), timeouts->mutable_shutdown_grace());
  return assignment;
}

void WorkerTest::Assign(const v1::Assignment& assignment) {
  v1::AttachResponse response;
  *response.add_assignments() = assignment;
  coordinator_.Send(response);
}

void WorkerTest::Stop(const std::string& job, v1::Failure::Reason reason) {
  v1::AttachResponse response;
  v1::Stop* stop = response.add_stops();
  stop->mutable_attempt()->set_job_id(job);
  stop->mutable_attempt()->set_number(1);
  stop->set_reason(reason);
  coordinator_.Send(response);
}

void WorkerTest::WaitForOutput(const std::string& job,
                               const std::string& text) {
  coordinator_.WaitUntil("output", [&](const auto& streams) {
    std::string all;
    for (const auto& stream : streams) {
      for (const v1::AttemptOutput& output : stream.output) {
        if (output.attempt().job_id() == job) all += output.output().data();
      }
    }
    return absl::StrContains(all, text);
  });
}

bool WorkerTest::Alive(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string stat;
  if (!std::getline(file, stat)) return false;
  const size_t name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

pid_t WorkerTest::PidIn(const std::string& job, size_t line) {
  const std::string text = coordinator_.Output(job, v1::Output::STREAM_STDOUT);
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  pid_t pid = 0;
  EXPECT_TRUE(line < lines.size() && absl::SimpleAtoi(lines[line], &pid))
      << text;
  return pid;
}

}  // namespace vigil::worker
