// The flags that a request's fields are on the command line, by the rules of
// vigil/v1/cli.proto. Pure functions, thread-safe; descriptors are borrowed.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_FLAGS_H_
#define VIGIL_CLIENT_CLI_GENERATOR_FLAGS_H_

#include <string>
#include <vector>

#include "client/cli/generator/problems.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

// As FlagSpec of command_table.h.
struct Flag {
  std::string name;
  std::string path;
  std::string value;
  std::string help;
  const google::protobuf::FieldDescriptor* field;
};

// What stands for a field's value in help; empty: a switch, which needs none.
std::string ValueName(const google::protobuf::FieldDescriptor& field);

// The flags of a method's request, in order of its fields. Added to `problems`
// are names that two fields or a field and the command line itself have, and
// options that mean nothing.
std::vector<Flag> RequestFlags(const google::protobuf::MethodDescriptor& method,
                               Problems* problems);

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_FLAGS_H_
