// The reference of an API in Markdown: services with their methods, messages
// with their fields, enums with their values, and every comment. Pure
// functions, thread-safe; descriptors are borrowed.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_API_REFERENCE_H_
#define VIGIL_CLIENT_CLI_GENERATOR_API_REFERENCE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

// The whole page; it says that the command `update` makes it anew. The options
// of vigil/v1/cli.proto are left out: they are not sent to anybody.
std::string ApiReference(
    std::vector<const google::protobuf::FileDescriptor*> files,
    absl::string_view update);

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_API_REFERENCE_H_
