// CommandTable: the commands that the protos give the command line, as
// protoc-gen-vigil-cli writes them into a source file. Only what a program's
// own descriptors do not say is here: names and, because descriptors in a
// program have no comments, help. Constants, thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CLI_COMMAND_COMMAND_TABLE_H_
#define VIGIL_CLIENT_CLI_COMMAND_COMMAND_TABLE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vigil::cli {

// One field of a request, or of a message within it.
struct FlagSpec {
  // As typed, with underscores: "timeouts.inactivity".
  absl::string_view name;
  // From the request: "spec.timeouts.inactivity_timeout".
  absl::string_view path;
  // What stands for its value in help: "DURATION", "KEY=VALUE", "N"; empty: a
  // switch.
  absl::string_view value;
  // The field's comment, in which single line breaks mean nothing.
  absl::string_view help;
};

// Which side of a call is a stream.
enum class Streaming { kNone, kServer, kClient, kBoth };

// Whether the client sends many messages; whether the server does.
constexpr bool StreamsUp(Streaming streaming) {
  return streaming == Streaming::kClient || streaming == Streaming::kBoth;
}
constexpr bool StreamsDown(Streaming streaming) {
  return streaming == Streaming::kServer || streaming == Streaming::kBoth;
}

// One method.
struct CommandSpec {
  // "get"; empty where the noun alone is the command.
  absl::string_view verb;
  // As gRPC names it: "/vigil.v1.JobService/GetJob".
  absl::string_view method;
  // Full names of the messages: "vigil.v1.GetJobRequest".
  absl::string_view request;
  absl::string_view response;
  Streaming streaming;
  // First sentence of the method's comment, and all of it: paragraphs, and list
  // items that begin with "- ".
  absl::string_view summary;
  absl::string_view help;
  // In order of the fields.
  absl::Span<const FlagSpec> flags;
  // Paths of the fields that words which are no flags fill, in this order. The
  // last one takes all that are left if it is repeated.
  absl::Span<const absl::string_view> positionals;
};

// One service that is not hidden.
struct NounSpec {
  // "job".
  absl::string_view noun;
  absl::string_view summary;
  absl::string_view help;
  absl::Span<const CommandSpec> commands;
};

// In order of the names of the files, and of the services in them.
using CommandTable = absl::Span<const NounSpec>;

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_COMMAND_TABLE_H_
