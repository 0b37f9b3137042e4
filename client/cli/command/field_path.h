// FieldPath: a field within a type of message, possibly deep, as options of
// vigil/v1/cli.proto name it: "spec.task_type", "attempts[-1].phase".
// Thread-safe. It borrows descriptors, which live as long as the program.
#ifndef VIGIL_CLIENT_CLI_COMMAND_FIELD_PATH_H_
#define VIGIL_CLIENT_CLI_COMMAND_FIELD_PATH_H_

#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

class FieldPath {
 public:
  // InvalidArgument, naming the part, when there is no such field.
  static absl::StatusOr<FieldPath> Parse(
      const google::protobuf::Descriptor& type, absl::string_view path);

  // The field itself.
  const google::protobuf::FieldDescriptor& leaf() const {
    return *steps_.back().field;
  }

  // Calls `visit` with each message that holds the field: none where one on the
  // way is not set, several where one on the way is repeated.
  void Visit(
      const google::protobuf::Message& message,
      absl::FunctionRef<void(const google::protobuf::Message&)> visit) const;

 private:
  struct Step {
    const google::protobuf::FieldDescriptor* field;
    // Of a repeated one: the only element meant, from the end if negative.
    std::optional<int> index;
  };

  static absl::StatusOr<Step> ParseStep(
      const google::protobuf::Descriptor& type, absl::string_view part);
  void VisitFrom(
      size_t step, const google::protobuf::Message& message,
      absl::FunctionRef<void(const google::protobuf::Message&)> visit) const;

  std::vector<Step> steps_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_FIELD_PATH_H_
