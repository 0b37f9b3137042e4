// Runs a command for each line of stdin, which takes the place of its argument
// {}, and writes how each ended when it has: run_batch ADDRESS PROGRAM ARG...
// It may be a million lines: neither side holds more than what is in flight.
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "client/cc/batch_reader.h"

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  auto client = vigil::client::Client::Connect(argv[1]);
  if (!client.ok()) return 69;

  vigil::v1::OpenBatch open;
  open.mutable_spec()->mutable_job()->mutable_command()->add_argv(argv[2]);
  vigil::client::BatchReader reader = vigil::client::RunBatch(
      **client, open, vigil::v1::RESULT_ORDER_AS_COMPLETED);
  do {
    // Room for more may have come with each event.
    std::string line;
    while (reader.stream().held_items() < 1000 && getline(std::cin, line)) {
      vigil::v1::BatchItem item;
      for (int i = 2; i < argc; ++i) {
        item.add_arguments(argv[i] == std::string("{}") ? line : argv[i]);
      }
      reader.stream().Add(item);
    }
    if (!std::cin) reader.stream().Close();
    const std::optional<vigil::v1::BatchEvent> event = reader.Next().Wait();
    if (!event.has_value()) break;
    for (const vigil::v1::BatchResult& result : event->results()) {
      printf("%d %s\n", static_cast<int>(result.index()),
             vigil::v1::Job::State_Name(result.job().state()).c_str());
    }
  } while (true);
  if (!reader.end().ok()) return 69;
  const vigil::v1::BatchCounts counts = reader.end()->counts();
  printf("%d of %d succeeded\n", static_cast<int>(counts.succeeded()),
         static_cast<int>(counts.accepted()));
  return counts.succeeded() == counts.accepted() ? 0 : 1;
}
