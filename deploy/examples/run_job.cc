// Runs a command on a coordinator and streams it: run_job ADDRESS PROGRAM
// ARG...
#include <cstdio>
#include <future>

#include "client/cc/client.h"

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  auto client = vigil::client::Client::Connect(argv[1]);
  if (!client.ok()) return 69;

  vigil::v1::RunJobRequest request;
  vigil::v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
  for (int i = 2; i < argc; ++i) spec.mutable_command()->add_argv(argv[i]);
  spec.mutable_timeouts()->mutable_inactivity_timeout()->set_seconds(5);

  std::promise<absl::StatusOr<vigil::v1::Job>> end;
  vigil::client::JobObserver observer;
  observer.on_output = [](const vigil::v1::Output& output) {
    fwrite(output.data().data(), 1, output.data().size(), stdout);
  };
  observer.on_end = [&](absl::StatusOr<vigil::v1::Job> job) {
    end.set_value(std::move(job));
  };
  (*client)->RunJob(request, observer);
  const absl::StatusOr<vigil::v1::Job> job = end.get_future().get();
  if (!job.ok()) return 69;
  printf("%s %s\n", vigil::v1::Job::State_Name(job->state()).c_str(),
         job->failure().message().c_str());
  return job->state() == vigil::v1::Job::STATE_SUCCEEDED ? 0 : 1;
}
