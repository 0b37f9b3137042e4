#include "client/cli/generator/commands_source.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace vigil::cli::generator {
namespace {

constexpr absl::string_view kNotice =
    "// Made by protoc-gen-vigil-cli of the protos. Do not edit.\n";

std::string Guard(absl::string_view stem) {
  std::string guard;
  for (char c : stem) {
    guard.push_back(absl::ascii_isalnum(c) ? absl::ascii_toupper(c) : '_');
  }
  return absl::StrCat("VIGIL_", guard, "_H_");
}

std::string Literal(absl::string_view text) {
  return absl::StrCat("\"", absl::CEscape(text), "\"");
}

absl::string_view StreamingName(const Command& command) {
  if (command.method->client_streaming()) {
    return command.method->server_streaming() ? "Streaming::kBoth"
                                              : "Streaming::kClient";
  }
  return command.method->server_streaming() ? "Streaming::kServer"
                                            : "Streaming::kNone";
}

// An array and, because an empty one is not C++, how to name it.
std::string Array(absl::string_view type, absl::string_view name,
                  const std::vector<std::string>& entries,
                  std::string* source) {
  if (entries.empty()) {
    return "{}";
  }
  absl::StrAppend(source, "constexpr ", type, " ", name, "[] = {\n");
  for (const std::string& entry : entries) {
    absl::StrAppend(source, "    ", entry, ",\n");
  }
  absl::StrAppend(source, "};\n\n");
  return std::string(name);
}

std::string FlagEntry(const Flag& flag) {
  return absl::Substitute("{$0, $1, $2,\n     $3}", Literal(flag.name),
                          Literal(flag.path), Literal(flag.value),
                          Literal(flag.help));
}

// Adds a command's arrays to `source` and returns its entry.
std::string CommandEntry(const Command& command, absl::string_view number,
                         std::string* source) {
  std::vector<std::string> flags;
  for (const Flag& flag : command.flags) {
    flags.push_back(FlagEntry(flag));
  }
  std::vector<std::string> positionals;
  for (const std::string& path : command.positionals) {
    positionals.push_back(Literal(path));
  }
  const std::string flags_name =
      Array("FlagSpec", absl::StrCat("kFlags", number), flags, source);
  const std::string positionals_name =
      Array("absl::string_view", absl::StrCat("kPositionals", number),
            positionals, source);
  return absl::Substitute(
      "{$0, $1,\n     $2, $3, $4,\n     $5,\n     $6,\n     $7, $8}",
      Literal(command.verb),
      Literal(absl::StrCat("/", command.method->service()->full_name(), "/",
                           command.method->name())),
      Literal(command.method->input_type()->full_name()),
      Literal(command.method->output_type()->full_name()),
      StreamingName(command), Literal(command.summary), Literal(command.help),
      flags_name, positionals_name);
}

}  // namespace

std::string CommandsHeader(absl::string_view stem, absl::string_view function) {
  return absl::Substitute(R"($0#ifndef $1
#define $1

#include "client/cli/command/command_table.h"

namespace vigil::cli {

const CommandTable& $2();

}  // namespace vigil::cli

#endif  // $1
)",
                          kNotice, Guard(stem), function);
}

std::string CommandsSource(const Surface& surface, absl::string_view stem,
                           absl::string_view function) {
  std::string source = absl::Substitute(R"($0#include "$1.h"

#include "absl/strings/string_view.h"

namespace vigil::cli {
namespace {

)",
                                        kNotice, stem);
  std::vector<std::string> nouns;
  for (const Noun& noun : surface) {
    std::vector<std::string> commands;
    for (const Command& command : noun.commands) {
      commands.push_back(CommandEntry(
          command, absl::StrCat(nouns.size(), "_", commands.size()), &source));
    }
    const std::string name =
        Array("CommandSpec", absl::StrCat("kCommands", nouns.size()), commands,
              &source);
    nouns.push_back(absl::Substitute("{$0,\n     $1,\n     $2,\n     $3}",
                                     Literal(noun.noun), Literal(noun.summary),
                                     Literal(noun.help), name));
  }
  const std::string table = Array("NounSpec", "kNouns", nouns, &source);
  absl::SubstituteAndAppend(&source, R"(constexpr CommandTable kTable = $0;

}  // namespace

const CommandTable& $1() { return kTable; }

}  // namespace vigil::cli
)",
                            table, function);
  return source;
}

}  // namespace vigil::cli::generator
