// Runs one job of COUNT tokens (see ticker.c) with the client library and reads
// them, whatever happens to the coordinator meanwhile.
//
// Usage: token_reader ADDRESS TICKER COUNT
// Prints `started` with the first token, and at the end for each piece of
// output when it came (CLOCK_MONOTONIC, nanoseconds). Fails if a token is
// missing, doubled or out of order, or the job does not succeed.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "client/cc/client.h"
#include "tests/bench/bench_util.h"

namespace {

using vigil::bench::Die;
using vigil::bench::NowNanoseconds;

std::string Expected(int count) {
  std::string all;
  char line[16];
  for (int i = 0; i < count; ++i) {
    snprintf(line, sizeof(line), "%07d\n", i);
    all += line;
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) Die("usage: token_reader ADDRESS TICKER COUNT");
  auto client = vigil::client::Client::Connect(argv[1]);
  if (!client.ok()) Die(client.status().ToString());

  vigil::v1::RunJobRequest request;
  vigil::v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
  spec.mutable_command()->add_argv(argv[2]);
  spec.mutable_command()->add_argv(argv[3]);

  std::string text;
  std::vector<int64_t> times;
  std::promise<absl::StatusOr<vigil::v1::Job>> end;
  vigil::client::JobObserver observer;
  observer.on_output = [&](const vigil::v1::Output& output) {
    times.push_back(NowNanoseconds());
    text += output.data();
    if (times.size() > 1) return;
    printf("started\n");
    fflush(stdout);
  };
  observer.on_end = [&](absl::StatusOr<vigil::v1::Job> job) {
    end.set_value(std::move(job));
  };
  (*client)->RunJob(request, observer);
  const absl::StatusOr<vigil::v1::Job> job = end.get_future().get();
  if (!job.ok()) Die(job.status().ToString());
  if (job->state() != vigil::v1::Job::STATE_SUCCEEDED ||
      job->attempts_size() != 1) {
    Die(job->ShortDebugString());
  }
  if (text != Expected(atoi(argv[3]))) Die("tokens are missing or doubled");
  for (const int64_t time : times) printf("%ld\n", time);
}
