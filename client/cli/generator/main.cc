// protoc-gen-vigil-cli: a plugin of protoc that makes the command line of an
// API; vigil_cli_commands of deploy/bazel/vigil_cli.bzl calls it.
#include "client/cli/generator/generator.h"
#include "google/protobuf/compiler/plugin.h"

int main(int argc, char* argv[]) {
  const vigil::cli::generator::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
