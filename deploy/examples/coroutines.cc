// Runs two commands at once from one thread, by coroutines, and writes what
// each says with its name before it: coroutines ADDRESS PROGRAM1 PROGRAM2
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "client/cc/job_reader.h"
#include "client/cc/pages.h"
#include "client/cc/task.h"

using vigil::client::Client;
using vigil::client::Task;

// Runs a command to its end. Returns whether it succeeded.
Task<bool> Run(Client& client, std::string program) {
  vigil::v1::RunJobRequest request;
  request.mutable_job()->mutable_spec()->mutable_command()->add_argv(program);
  vigil::client::JobReader reader = vigil::client::RunJob(client, request);
  while (std::optional<vigil::v1::WatchEvent> event = co_await reader.Next()) {
    if (!event->has_output()) continue;
    printf("%s: %s", program.c_str(), event->output().data().c_str());
  }
  const absl::StatusOr<vigil::v1::Job> job = reader.end();
  co_return job.ok() && job->state() == vigil::v1::Job::STATE_SUCCEEDED;
}

// Counts the jobs that the coordinator remembers.
Task<int> CountJobs(Client& client) {
  int count = 0;
  vigil::v1::ListJobsRequest request;
  absl::StatusOr<vigil::v1::ListJobsResponse> page;
  do {
    page = co_await client.Call(request, {.retry_for = absl::Seconds(10)});
    if (!page.ok()) co_return -1;
    count += page->jobs_size();
  } while (vigil::client::SetNextPage(*page, &request));
  co_return count;
}

Task<int> RunBoth(Client& client, std::string first, std::string second) {
  // Both run from here on.
  Task<bool> one = Run(client, std::move(first));
  Task<bool> other = Run(client, std::move(second));
  const bool one_succeeded = co_await std::move(one);
  const bool other_succeeded = co_await std::move(other);
  printf("%d jobs\n", co_await CountJobs(client));
  co_return one_succeeded&& other_succeeded ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  auto client = Client::Connect(argv[1]);
  if (!client.ok()) return 69;
  return RunBoth(**client, argv[2], argv[3]).Wait();
}
