// CommandFlags: the flags of one generated command: those of its request's
// fields, and those that every command has. Thread-compatible; the table is
// borrowed, and the FlagSet refers to this object.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMMAND_FLAGS_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMMAND_FLAGS_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/cli/command/command_table.h"
#include "client/cli/command/method_shape.h"
#include "client/cli/command/output_format.h"
#include "client/cli/command/request_builder.h"
#include "client/cli/flags.h"

namespace vigil::cli {

class CommandFlags {
 public:
  // What the flags say, beside the request.
  struct Values {
    RequestWords request;
    OutputFormat output = OutputFormat::kTable;
    // --from_file.
    std::optional<std::string> file;
    // Rows of a list; nullopt: all.
    std::optional<int> limit;
    // Of a unary call; of a stream, all of it.
    absl::Duration timeout;
    bool help = false;
    bool version = false;
  };

  CommandFlags(const CommandSpec& command, const MethodShape& shape);
  CommandFlags(const CommandFlags&) = delete;
  CommandFlags& operator=(const CommandFlags&) = delete;

  FlagSet* set() { return &set_; }
  const FlagSet& set() const { return set_; }

  // Reads the words behind the command's name.
  //
  // - INVALID_ARGUMENT: as FlagSet::Parse; or --limit and --all together.
  absl::Status Parse(const std::vector<std::string>& arguments);

  // Filled by Parse, as far as it came.
  const Values& values() const { return values_; }

 private:
  void AddFields(const CommandSpec& command, const MethodShape& shape);
  void AddCommon(const CommandSpec& command, const MethodShape& shape);
  void AddPaging();

  Values values_;
  bool all_ = false;
  std::optional<int> limit_;
  FlagSet set_;
};

// Whether the command's words are those of a program, whose own flags are among
// them: its first positional takes all that follow.
bool TakesProgram(const CommandSpec& command, const MethodShape& shape);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMMAND_FLAGS_H_
