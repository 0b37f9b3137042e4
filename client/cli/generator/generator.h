// Generator: what protoc asks for files that are made of protos. Its parameters
// are separated by commas: `output` (commands, api_reference or cli_reference),
// `file` (the path of what is made; of sources without an ending), for commands
// `function` (the one that returns their table) and for references `update`
// (the command that makes them anew), and for cli_reference `api` (the path
// from it to the API's). Thread-safe; owns nothing.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_GENERATOR_H_
#define VIGIL_CLIENT_CLI_GENERATOR_GENERATOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "google/protobuf/compiler/code_generator.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

class Generator : public google::protobuf::compiler::CodeGenerator {
 public:
  // Refuses: commands are made of all files together.
  bool Generate(const google::protobuf::FileDescriptor* file,
                const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context,
                std::string* error) const override;

  // False with an error where a parameter or a proto is not as it should be.
  bool GenerateAll(
      const std::vector<const google::protobuf::FileDescriptor*>& files,
      const std::string& parameter,
      google::protobuf::compiler::GeneratorContext* context,
      std::string* error) const override;

  uint64_t GetSupportedFeatures() const override {
    return FEATURE_PROTO3_OPTIONAL;
  }
};

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_GENERATOR_H_
