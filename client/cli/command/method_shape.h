// MethodShape: what the command line makes of a method by the types of its
// messages: whether its answers are pages of a list. A value, thread-safe; the
// descriptors are those of the program.
#ifndef VIGIL_CLIENT_CLI_COMMAND_METHOD_SHAPE_H_
#define VIGIL_CLIENT_CLI_COMMAND_METHOD_SHAPE_H_

#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cli/command/command_table.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

struct MethodShape {
  // The types must be linked into the program.
  static MethodShape Of(const CommandSpec& command);

  // Answers come in pages, which are asked for one after the other.
  bool paged() const { return page_token != nullptr; }
  // The pages are those of a list of messages, which can have a limit.
  bool list() const { return rows != nullptr; }

  const google::protobuf::Descriptor* request = nullptr;
  const google::protobuf::Descriptor* response = nullptr;
  // Texts of request and response; null unless both are there.
  const google::protobuf::FieldDescriptor* page_token = nullptr;
  const google::protobuf::FieldDescriptor* next_page_token = nullptr;
  // Of a list: an integer of the request, null if there is none; and the one
  // repeated message of the response.
  const google::protobuf::FieldDescriptor* page_size = nullptr;
  const google::protobuf::FieldDescriptor* rows = nullptr;
};

// An empty message of the type.
std::unique_ptr<google::protobuf::Message> NewMessage(
    const google::protobuf::Descriptor* type);

// The fields that a path such as "spec.priority" names from `type` on, which it
// must.
std::vector<const google::protobuf::FieldDescriptor*> FieldsOf(
    const google::protobuf::Descriptor* type, absl::string_view path);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_METHOD_SHAPE_H_
