// OutputFormat: what `-o` chooses. Pure functions, thread-safe. Nothing is
// owned.
#ifndef VIGIL_CLIENT_CLI_COMMAND_OUTPUT_FORMAT_H_
#define VIGIL_CLIENT_CLI_COMMAND_OUTPUT_FORMAT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vigil::cli {

enum class OutputFormat {
  // A table of the most telling columns, or a message line by line.
  kTable,
  // A table of all columns.
  kWide,
  // One indented document; of a stream as kJsonl.
  kJson,
  // A line of JSON for each row, event or response.
  kJsonl,
  // The text format of protobuf for each row, event or response.
  kTextproto,
  // The name of each row or response alone.
  kName,
};

// As typed: "table", "wide", "json", "jsonl", "textproto", "name".
std::vector<std::string> OutputFormatNames();

// InvalidArgument, which lists what there is, for any other name.
absl::StatusOr<OutputFormat> ParseOutputFormat(absl::string_view name);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_OUTPUT_FORMAT_H_
