// Column: one column of a table of messages, or line of one that is shown by
// itself, as the options of the message's type choose them. Thread-safe. It
// borrows descriptors, which live as long as the program.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COLUMN_H_
#define VIGIL_CLIENT_CLI_COMMAND_COLUMN_H_

#include <string>
#include <vector>

#include "client/cli/command/field_path.h"
#include "client/cli/command/value_format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::cli {

class Column {
 public:
  // Those of a type, in order: of its option cli_table, or by rule. A path in
  // an option that leads nowhere is a bug of the proto: it ends the program.
  static std::vector<Column> Of(const google::protobuf::Descriptor& type);
  // Those of them that are not wide.
  static std::vector<Column> NarrowOf(const google::protobuf::Descriptor& type);

  // "LAST ACTIVITY".
  const std::string& header() const { return header_; }
  bool is_wide() const { return wide_; }
  // Changes by itself, as time goes by.
  bool is_age() const { return format_ == v1::CliColumn::FORMAT_AGE; }
  bool is_enum() const {
    return path_.leaf().enum_type() != nullptr && !path_.leaf().is_repeated();
  }
  // Of any length, and still of use when it is cut.
  bool is_text() const;

  Cell Read(const google::protobuf::Message& message,
            const TimeView& times) const;

 private:
  Column(FieldPath path, std::string header, v1::CliColumn::Format format,
         bool wide)
      : path_(std::move(path)),
        header_(std::move(header)),
        format_(format),
        wide_(wide) {}

  FieldPath path_;
  std::string header_;
  v1::CliColumn::Format format_;
  bool wide_;
};

// The path of an option of `type`; ends the program if there is no such field.
FieldPath PathOfOption(const google::protobuf::Descriptor& type,
                       const std::string& path);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COLUMN_H_
