// Names of commands and flags, made of the names in the protos by the rules of
// vigil/v1/cli.proto. Pure functions, thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_NAMES_H_
#define VIGIL_CLIENT_CLI_GENERATOR_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

// The words of a name in camel case, in lower case: {"set", "worker", "slots"}
// of "SetWorkerSlots", {"get", "http", "log"} of "GetHTTPLog".
std::vector<std::string> Words(absl::string_view camel);

// "job" of "JobService", "task-type" of "TaskTypeService".
std::string NounName(absl::string_view service);

// "set-slots" of "SetWorkerSlots" and the noun "worker": the method's words
// without those of the noun, of which the last may be a plural. Empty when
// nothing is left.
std::string VerbName(absl::string_view method, absl::string_view noun);

// Whether it can be typed as a noun or a verb: words of letters and digits,
// joined by dashes.
bool IsCommandName(absl::string_view name);

// A field's part of a flag: its name without `_timeout` at the end.
std::string FlagPart(absl::string_view field);

// What the values of an enum begin with: "ON_NESTED_POOL_" of OnNestedPool.
// Empty when one of them does not.
std::string EnumPrefix(const google::protobuf::EnumDescriptor& type);

// The names of an enum's values without their prefix, and without the one that
// stands for none (0, UNSPECIFIED).
std::vector<std::string> EnumValues(
    const google::protobuf::EnumDescriptor& type);

// What a message or enum is called in its package: "Job.State" of
// "vigil.v1.Job.State".
template <typename Type>
std::string ShortName(const Type& type) {
  absl::string_view name = type.full_name();
  if (absl::ConsumePrefix(&name, type.file()->package())) {
    absl::ConsumePrefix(&name, ".");
  }
  return std::string(name);
}

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_NAMES_H_
