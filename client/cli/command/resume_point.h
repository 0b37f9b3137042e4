// ResumePoint: where a stream of events was when it broke, as the command that
// goes on from there. Thread-compatible; the table is borrowed.
#ifndef VIGIL_CLIENT_CLI_COMMAND_RESUME_POINT_H_
#define VIGIL_CLIENT_CLI_COMMAND_RESUME_POINT_H_

#include <string>

#include "client/cli/command/command_table.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

class ResumePoint {
 public:
  // Looks for a command of the noun that streams from a `cursor`: the same one,
  // else another. `request` says what is streamed, and its namespace.
  ResumePoint(const NounSpec& noun, const CommandSpec& command,
              const google::protobuf::Message& request);

  // To be called with each event, in their order.
  void Note(const google::protobuf::Message& event);

  // "vigil job watch ID --cursor=base64:..."; empty: there is no such command,
  // or no cursor came.
  std::string Command() const;

 private:
  const NounSpec& noun_;
  // Null: there is none.
  const CommandSpec* watch_ = nullptr;
  // The field that names what is streamed: "job_id".
  std::string id_field_;
  std::string id_;
  std::string namespace_;
  std::string cursor_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_RESUME_POINT_H_
