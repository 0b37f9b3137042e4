#include "client/cli/command/command_output.h"

#include <unistd.h>

#include "client/cli/files.h"
#include "client/cli/terminal.h"
#include "client/cli/verb.h"

namespace vigil::cli {

Printer::Options CommandOutput::OptionsFor(OutputFormat format,
                                           const Environment& environment) {
  Printer::Options options;
  options.format = format;
  options.style = environment.StyleOfStdout();
  options.now = environment.clock->Now();
  options.zone = environment.zone;
  options.columns =
      environment.stdout_is_terminal ? ColumnsOf(STDOUT_FILENO) : 0;
  return options;
}

CommandOutput::CommandOutput(OutputFormat format,
                             const Environment& environment)
    : printer_(
          OptionsFor(format, environment),
          [this](absl::string_view text) {
            problem_.Update(WriteUnlessSignalled(STDOUT_FILENO, text));
            return problem_.ok();
          },
          [](absl::string_view text) {
            // Where stderr cannot be written there is no place to say so.
            return WriteUnlessSignalled(STDERR_FILENO, text).ok();
          }) {}

bool CommandOutput::PrintResponse(const google::protobuf::Message& response) {
  began_ = true;
  return printer_.PrintResponse(response) && problem_.ok();
}

bool CommandOutput::PrintEvent(const google::protobuf::Message& event) {
  began_ = true;
  return printer_.PrintEvent(event) && problem_.ok();
}

bool CommandOutput::Finish() {
  return !began_ || (printer_.Finish() && problem_.ok());
}

int CommandOutput::ExitOfFailure() const { return FailToPrint(problem_); }

}  // namespace vigil::cli
