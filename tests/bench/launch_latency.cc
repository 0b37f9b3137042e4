// Measures the time from a client's call to the first instruction of main in
// the task, through RunJob of an idle coordinator and by posix_spawn beside it,
// taking turns.
//
// Usage: launch_latency ADDRESS STAMP ROUNDS
// Prints a line for each round: microseconds by RunJob, by posix_spawn, and of
// the whole RunJob, to its end.
#include <grpcpp/grpcpp.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/bench/bench_util.h"
#include "vigil/v1/job_service.grpc.pb.h"

extern char** environ;

namespace {

using vigil::bench::Die;
using vigil::bench::NowNanoseconds;

// Rounds before the first that counts: connections, caches and pages warm up.
constexpr int kWarmUpRounds = 20;
// Between two rounds: long enough for every process to fall asleep.
constexpr useconds_t kIdleMicroseconds = 5000;

struct Round {
  int64_t to_main_ns = 0;
  int64_t whole_ns = 0;
};

Round ByRunJob(vigil::v1::JobService::Stub* jobs, const std::string& program) {
  vigil::v1::RunJobRequest request;
  request.mutable_job()->mutable_spec()->mutable_command()->add_argv(program);
  std::string output;
  vigil::v1::RunJobResponse response;
  const int64_t start = NowNanoseconds();
  grpc::ClientContext context;
  auto stream = jobs->RunJob(&context, request);
  while (stream->Read(&response)) {
    output += response.event().output().data();
  }
  const grpc::Status status = stream->Finish();
  const int64_t end = NowNanoseconds();
  if (!status.ok()) Die(status.error_message());
  if (output.empty()) Die(response.ShortDebugString());
  return {std::stoll(output) - start, end - start};
}

int64_t ByPosixSpawn(const std::string& program) {
  int fds[2];
  if (pipe(fds) != 0) Die("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
  std::string name = program;
  char* argv[] = {name.data(), nullptr};
  pid_t pid = 0;
  const int64_t start = NowNanoseconds();
  if (posix_spawn(&pid, argv[0], &actions, nullptr, argv, environ) != 0) {
    Die("posix_spawn");
  }
  char output[32] = {};
  if (read(fds[0], output, sizeof(output) - 1) <= 0) Die("read");
  waitpid(pid, nullptr, 0);
  posix_spawn_file_actions_destroy(&actions);
  close(fds[0]);
  close(fds[1]);
  return atoll(output) - start;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) Die("usage: launch_latency ADDRESS STAMP ROUNDS");
  const std::string program = argv[2];
  auto jobs = vigil::v1::JobService::NewStub(
      grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  const int rounds = atoi(argv[3]) + kWarmUpRounds;
  for (int i = 0; i < rounds; ++i) {
    usleep(kIdleMicroseconds);
    const Round run = ByRunJob(jobs.get(), program);
    usleep(kIdleMicroseconds);
    const int64_t spawn_ns = ByPosixSpawn(program);
    if (i < kWarmUpRounds) continue;
    printf("%.1f %.1f %.1f\n", static_cast<double>(run.to_main_ns) / 1e3,
           static_cast<double>(spawn_ns) / 1e3,
           static_cast<double>(run.whole_ns) / 1e3);
  }
}
