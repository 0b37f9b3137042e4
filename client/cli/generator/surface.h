// Surface: the commands that some protos give the command line, checked, as the
// writers of code and of documents need them. Thread-compatible; owns its texts
// and borrows descriptors.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_SURFACE_H_
#define VIGIL_CLIENT_CLI_GENERATOR_SURFACE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/generator/flags.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

// As CommandSpec of command_table.h.
struct Command {
  std::string verb;
  const google::protobuf::MethodDescriptor* method;
  std::string summary;
  std::string help;
  std::vector<Flag> flags;
  std::vector<std::string> positionals;
};

// As NounSpec of command_table.h.
struct Noun {
  std::string noun;
  const google::protobuf::ServiceDescriptor* service;
  std::string summary;
  std::string help;
  std::vector<Command> commands;
};

using Surface = std::vector<Noun>;

// Makes the surface of the services in `files`, in order of the files' names,
// and checks the options of cli.proto in them and in what they import.
//
// - INVALID_ARGUMENT: a line for each thing that is wrong, which names the file
//   and line and says what to do.
absl::StatusOr<Surface> MakeSurface(
    std::vector<const google::protobuf::FileDescriptor*> files);

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_SURFACE_H_
