// Measures warm jobs through RunJob, as one client of an idle coordinator.
//
// Usage: warm_latency ADDRESS TASK_TYPE start ROUNDS
//        warm_latency ADDRESS TASK_TYPE tokens COUNT
//        warm_latency ADDRESS TASK_TYPE added COUNT
// `start` prints for each round the microseconds from the call to the moment at
// which the task has read its job; `tokens` the tokens per second of one job of
// COUNT tokens; `added` for each of COUNT tokens, 1 ms apart, the microseconds
// from its writing by the task to its reading here. The task is bench_task.
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "tests/bench/bench_util.h"
#include "vigil/v1/job_service.grpc.pb.h"

namespace {

using vigil::bench::Die;
using vigil::bench::NowNanoseconds;

// Rounds before the first that counts: connections, caches and pages warm up.
constexpr int kWarmUpRounds = 20;
// Between two rounds: long enough for every process to fall asleep.
constexpr useconds_t kIdleMicroseconds = 5000;

double Microseconds(int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e3;
}

class Client {
 public:
  Client(const std::string& address, std::string task_type)
      : jobs_(vigil::v1::JobService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
        task_type_(std::move(task_type)) {}

  // Runs a job and calls `read` for each piece of output.
  void Run(const std::string& input,
           const std::function<void(const std::string&)>& read) {
    vigil::v1::RunJobRequest request;
    request.mutable_job()->mutable_spec()->set_task_type(task_type_);
    request.mutable_job()->mutable_spec()->set_input(input);
    vigil::v1::RunJobResponse response;
    grpc::ClientContext context;
    auto stream = jobs_->RunJob(&context, request);
    while (stream->Read(&response)) {
      if (response.event().has_output()) read(response.event().output().data());
    }
    const grpc::Status status = stream->Finish();
    if (!status.ok()) Die(status.error_message());
    if (response.event().job().state() != vigil::v1::Job::STATE_SUCCEEDED) {
      Die(response.ShortDebugString());
    }
  }

 private:
  std::unique_ptr<vigil::v1::JobService::Stub> jobs_;
  std::string task_type_;
};

void Start(Client* client, int rounds) {
  for (int i = 0; i < rounds + kWarmUpRounds; ++i) {
    usleep(kIdleMicroseconds);
    int64_t stamp = 0;
    const int64_t start = NowNanoseconds();
    client->Run("stamp", [&stamp](const std::string& data) {
      stamp = std::stoll(data);
    });
    if (i >= kWarmUpRounds) printf("%.1f\n", Microseconds(stamp - start));
  }
}

void Tokens(Client* client, int count) {
  int64_t first = 0;
  size_t bytes = 0;
  client->Run("tokens " + std::to_string(count), [&](const std::string& data) {
    if (first == 0) first = NowNanoseconds();
    bytes += data.size();
  });
  if (bytes != 8 * static_cast<size_t>(count)) Die("tokens are missing");
  printf("%.0f\n", count * 1e9 / static_cast<double>(NowNanoseconds() - first));
}

void Added(Client* client, int count) {
  client->Run(
      "stamps " + std::to_string(count) + " 1000", [](const std::string& data) {
        printf("%.1f\n", Microseconds(NowNanoseconds() - std::stoll(data)));
      });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) Die("usage: warm_latency ADDRESS TASK_TYPE WHAT COUNT");
  Client client(argv[1], argv[2]);
  const std::string what = argv[3];
  const int count = atoi(argv[4]);
  if (what == "start") {
    Start(&client, count);
  } else if (what == "tokens") {
    Tokens(&client, count);
  } else if (what == "added") {
    Added(&client, count);
  } else {
    Die("unknown: " + what);
  }
}
