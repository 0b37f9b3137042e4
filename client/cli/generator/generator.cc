#include "client/cli/generator/generator.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/cli/generator/api_reference.h"
#include "client/cli/generator/cli_reference.h"
#include "client/cli/generator/commands_source.h"
#include "client/cli/generator/surface.h"
#include "google/protobuf/io/printer.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace vigil::cli::generator {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::compiler::GeneratorContext;
using google::protobuf::compiler::ParseGeneratorParameter;

struct Parameters {
  std::string output;
  std::string file;
  std::string function;
  std::string update;
  std::string api;
};

absl::StatusOr<Parameters> ParseParameters(const std::string& text) {
  Parameters parameters;
  std::map<std::string, std::string*> known = {
      {"output", &parameters.output},
      {"file", &parameters.file},
      {"function", &parameters.function},
      {"update", &parameters.update},
      {"api", &parameters.api}};
  std::vector<std::pair<std::string, std::string>> pairs;
  ParseGeneratorParameter(text, &pairs);
  for (const auto& [name, value] : pairs) {
    const auto parameter = known.find(name);
    if (parameter == known.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown parameter \"", name, "\""));
    }
    *parameter->second = value;
  }
  if (parameters.file.empty()) {
    return absl::InvalidArgumentError("the parameter `file` is missing");
  }
  return parameters;
}

void Write(const std::string& file, const std::string& text,
           GeneratorContext* context) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> stream(
      context->Open(file));
  google::protobuf::io::Printer(stream.get(), '$').PrintRaw(text);
}

// The reference `output`, which tells how to make it anew.
absl::StatusOr<std::string> MakeReference(
    const std::vector<const FileDescriptor*>& files, const Surface& surface,
    const Parameters& parameters) {
  if (parameters.update.empty()) {
    return absl::InvalidArgumentError("the parameter `update` is missing");
  }
  if (parameters.output == "api_reference") {
    return ApiReference(files, parameters.update);
  }
  if (parameters.output == "cli_reference") {
    if (parameters.api.empty()) {
      return absl::InvalidArgumentError("the parameter `api` is missing");
    }
    return CliReference(surface, parameters.update, parameters.api);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the parameter `output` is \"", parameters.output,
                   "\", not commands, api_reference or cli_reference"));
}

absl::Status Make(const std::vector<const FileDescriptor*>& files,
                  const std::string& parameter, GeneratorContext* context) {
  const absl::StatusOr<Parameters> parameters = ParseParameters(parameter);
  if (!parameters.ok()) {
    return parameters.status();
  }
  const absl::StatusOr<Surface> surface = MakeSurface(files);
  if (!surface.ok()) {
    return surface.status();
  }
  if (parameters->output != "commands") {
    const absl::StatusOr<std::string> page =
        MakeReference(files, *surface, *parameters);
    if (page.ok()) {
      Write(parameters->file, *page, context);
    }
    return page.status();
  }
  if (parameters->function.empty()) {
    return absl::InvalidArgumentError("the parameter `function` is missing");
  }
  Write(parameters->file + ".h",
        CommandsHeader(parameters->file, parameters->function), context);
  Write(parameters->file + ".cc",
        CommandsSource(*surface, parameters->file, parameters->function),
        context);
  return absl::OkStatus();
}

}  // namespace

bool Generator::Generate(const FileDescriptor* /*file*/,
                         const std::string& /*parameter*/,
                         GeneratorContext* /*context*/,
                         std::string* error) const {
  *error = "commands are made of all files together";
  return false;
}

bool Generator::GenerateAll(const std::vector<const FileDescriptor*>& files,
                            const std::string& parameter,
                            GeneratorContext* context,
                            std::string* error) const {
  const absl::Status status = Make(files, parameter, context);
  *error = std::string(status.message());
  return status.ok();
}

}  // namespace vigil::cli::generator
