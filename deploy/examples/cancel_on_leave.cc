// Runs a command until it has written a word, and then cancels it by leaving:
// cancel_on_leave ADDRESS WORD PROGRAM ARG... A broken connection or a restart
// of the coordinator meanwhile is no trouble.
#include <cstdio>
#include <optional>
#include <string>

#include "client/cc/job_reader.h"

int main(int argc, char** argv) {
  if (argc < 4) return 64;
  auto client = vigil::client::Client::Connect(argv[1]);
  if (!client.ok()) return 69;

  vigil::v1::RunJobRequest request;
  vigil::v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
  for (int i = 3; i < argc; ++i) spec.mutable_command()->add_argv(argv[i]);

  // Whoever leaves this function by whatever way leaves no job behind.
  vigil::client::JobReader reader = vigil::client::RunJob(
      **client, request, vigil::client::OnDestruction::kCancel);
  std::string text;
  while (std::optional<vigil::v1::WatchEvent> event = reader.Next().Wait()) {
    text += event->output().data();
    if (text.find(argv[2]) == std::string::npos) continue;
    printf("%s said %s\n", reader.stream().job_id().c_str(), argv[2]);
    return 0;
  }
  printf("%s ended without it\n", reader.stream().job_id().c_str());
  return 1;
}
