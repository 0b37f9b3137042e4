// Prints the table of the commands of testdata/fruit.proto, as it is compiled
// into this program: for a test that compares it.
#include <iostream>

#include "client/cli/command/command_table.h"
#include "client/cli/generator/fruit_commands.h"

namespace vigil::cli {
namespace {

const char* StreamingName(Streaming streaming) {
  switch (streaming) {
    case Streaming::kNone:
      return "none";
    case Streaming::kServer:
      return "server";
    case Streaming::kClient:
      return "client";
    case Streaming::kBoth:
      return "both";
  }
  return "";
}

void PrintCommand(const CommandSpec& command) {
  std::cout << "  verb [" << command.verb << "]\n    method " << command.method
            << "\n    request " << command.request << "\n    response "
            << command.response << "\n    streaming "
            << StreamingName(command.streaming) << "\n    summary ["
            << command.summary << "]\n    help [" << command.help << "]\n";
  for (absl::string_view path : command.positionals) {
    std::cout << "    word " << path << "\n";
  }
  for (const FlagSpec& flag : command.flags) {
    std::cout << "    flag " << flag.name << " path " << flag.path << " value ["
              << flag.value << "] help [" << flag.help << "]\n";
  }
}

void PrintTable(const CommandTable& table) {
  for (const NounSpec& noun : table) {
    std::cout << "noun " << noun.noun << "\n  summary [" << noun.summary
              << "]\n  help [" << noun.help << "]\n";
    for (const CommandSpec& command : noun.commands) {
      PrintCommand(command);
    }
  }
}

}  // namespace
}  // namespace vigil::cli

int main() { vigil::cli::PrintTable(vigil::cli::FruitCommands()); }
