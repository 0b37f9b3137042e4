// Shape: what is data, and what is talk, in the messages that a call returns,
// found by the rules of vigil/v1/cli.proto. Thread-safe. It borrows
// descriptors, which live as long as the program.
#ifndef VIGIL_CLIENT_CLI_COMMAND_SHAPE_H_
#define VIGIL_CLIENT_CLI_COMMAND_SHAPE_H_

#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::cli {

struct Shape {
  enum class Kind {
    // No field at all.
    kEmpty,
    // The message itself, or the only one that it holds.
    kSingle,
    // The elements of `rows`.
    kRows,
    // What a program wrote.
    kRaw,
  };
  Kind kind = Kind::kSingle;
  // Fields that lead to the message that all this is about, from outside in;
  // each holds the next one.
  std::vector<const google::protobuf::FieldDescriptor*> way;
  // That message.
  const google::protobuf::Descriptor* type = nullptr;
  // Of `type`, or, of a response, of kRaw also, that with all pages' elements;
  // null: it has none.
  const google::protobuf::FieldDescriptor* rows = nullptr;

  // The type that is shown: that of the rows, or `type`.
  const google::protobuf::Descriptor& shown() const {
    return kind == Kind::kRows ? *rows->message_type() : *type;
  }

  // Of the answers of unary calls, and of the messages of streams.
  static Shape OfResponse(const google::protobuf::Descriptor& response);
  static Shape OfEvent(const google::protobuf::Descriptor& event);

  // The message of `type` within `message`; null where it is not set.
  const google::protobuf::Message* Find(
      const google::protobuf::Message& message) const;
};

// The options by which messages of this type are shown.
const v1::CliTable& TableOf(const google::protobuf::Descriptor& type);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_SHAPE_H_
