// CommandOutput: where a generated command writes: a Printer on stdout, talk on
// stderr, and what is to be done when nobody reads it. Main thread only; owns
// its printer.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMMAND_OUTPUT_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMMAND_OUTPUT_H_

#include "absl/status/status.h"
#include "client/cli/command/output_format.h"
#include "client/cli/command/printer.h"
#include "client/cli/environment.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

class CommandOutput {
 public:
  CommandOutput(OutputFormat format, const Environment& environment);

  // Each returns false when stdout takes nothing more.
  bool PrintResponse(const google::protobuf::Message& response);
  bool PrintEvent(const google::protobuf::Message& event);
  // Ends what was printed; nothing if nothing was.
  bool Finish();

  // Whether something was printed.
  bool began() const { return began_; }

  // The exit status when a print has failed: as of a program that SIGPIPE
  // ended where nobody reads, else that of an error, which is told here.
  int ExitOfFailure() const;

 private:
  static Printer::Options OptionsFor(OutputFormat format,
                                     const Environment& environment);

  absl::Status problem_;
  bool began_ = false;
  Printer printer_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMMAND_OUTPUT_H_
