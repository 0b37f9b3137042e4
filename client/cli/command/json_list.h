// JsonList: the pages of a list as one JSON document, written as they come.
// Thread-compatible. It owns what pages say beside their rows, merged; the rows
// it forgets.
#ifndef VIGIL_CLIENT_CLI_COMMAND_JSON_LIST_H_
#define VIGIL_CLIENT_CLI_COMMAND_JSON_LIST_H_

#include <memory>
#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

class JsonList {
 public:
  // `rows` is the repeated field of the pages whose elements are the rows.
  explicit JsonList(const google::protobuf::FieldDescriptor* rows)
      : rows_(rows) {}

  // The text that this page adds to the document.
  std::string Page(const google::protobuf::Message& page);

  // The rest of the document. There was a page.
  std::string End();

 private:
  void Remember(const google::protobuf::Message& page);

  const google::protobuf::FieldDescriptor* const rows_;
  // Lists of all pages, and what the last page says else.
  std::unique_ptr<google::protobuf::Message> rest_;
  bool has_rows_ = false;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_JSON_LIST_H_
