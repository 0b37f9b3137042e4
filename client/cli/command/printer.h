// Printer: what a call returns as text, for people or programs: any message, by
// reflection and the options of vigil/v1/cli.proto that its type carries.
// Thread-compatible; one printer prints the answers of one call. It owns copies
// of what it has to remember, which is bounded however many rows pass through.
#ifndef VIGIL_CLIENT_CLI_COMMAND_PRINTER_H_
#define VIGIL_CLIENT_CLI_COMMAND_PRINTER_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/command/command_table.h"
#include "client/cli/command/output_format.h"
#include "client/cli/format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

class Printer {
 public:
  // Writes text as it is; false: the reader is gone, and nothing more is of
  // use.
  using Sink = std::function<bool(absl::string_view)>;

  struct Options {
    OutputFormat format = OutputFormat::kTable;
    // Of stdout.
    Style style = Style(Style::Colour::kNone);
    // From which ages are counted.
    absl::Time now;
    absl::TimeZone zone = absl::UTCTimeZone();
    // Of the terminal that stdout is; 0: it is none, and nothing is cut.
    int columns = 0;
  };

  // Data goes to `out`, talk to `err`.
  Printer(Options options, Sink out, Sink err);
  ~Printer();
  Printer(const Printer&) = delete;
  Printer& operator=(const Printer&) = delete;

  // InvalidArgument, saying what to do, when what a call returns has no such
  // form: `name` of messages that have none. To be asked before the call; a
  // printer of such a format ends the program.
  static absl::Status Check(const google::protobuf::Descriptor& response,
                            Streaming streaming, OutputFormat format);

  // Prints the answer of a unary call; called again, the next page of the same
  // list, of the same type. False: the reader of stdout is gone.
  bool PrintResponse(const google::protobuf::Message& response);

  // Prints one message of a stream.
  bool PrintEvent(const google::protobuf::Message& event);

  // Ends what was begun; to be called once, after the last message of a call
  // that went well or was broken off: a JSON document is whole also then.
  bool Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_PRINTER_H_
