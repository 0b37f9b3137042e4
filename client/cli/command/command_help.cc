#include "client/cli/command/command_help.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/command/field_value.h"
#include "client/cli/command/request_builder.h"
#include "client/cli/command/usage.h"
#include "client/cli/wrap.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::FieldDescriptor;

constexpr char kExitStatus[] =
    "Exit status: 0 the call went well, whatever became of a job (`vigil run` "
    "exits as its program does); 4 what it names is not there (NOT_FOUND); 125 "
    "any other error; 130 Ctrl+C; 141 nobody reads its output any more.";

// Two blanks, the name, and what is said of it beside it.
std::string Entry(absl::string_view name, absl::string_view text,
                  size_t name_width, size_t columns) {
  std::string lines = Wrap(text, columns, name_width + 4);
  if (lines.empty()) return absl::StrCat("  ", name, "\n");
  lines.replace(2, name.size(), name.data(), name.size());
  return lines;
}

std::string UsageLine(const NounSpec& noun, const CommandSpec& command,
                      const MethodShape& shape) {
  std::vector<UsageWord> words;
  for (const absl::string_view path : command.positionals) {
    words.push_back({PositionalName(path),
                     FieldsOf(shape.request, path).back()->is_repeated()});
  }
  const std::string name = absl::StrCat("vigil ", CommandName(noun, command));
  return absl::StrCat("usage: ", Usage(name, words), "\n");
}

// How values of a kind are written; empty: it needs no word.
absl::string_view KindText(absl::string_view kind) {
  if (kind == "DURATION") return "45s, 1m30s or 250ms";
  if (kind == "TIME") {
    return "2026-11-26T08:00:00Z, \"10m ago\", @1790000000 (seconds since "
           "1970) or now";
  }
  if (kind == "SIZE") return "512M, 2GiB or a number of bytes";
  if (kind == "BYTES") {
    return "the text itself, @FILE for what is in it, @- for stdin, or base64:"
           "... for what that encodes";
  }
  if (kind == "JSON") return "a message as JSON or textproto, or @FILE";
  return "";
}

// What stands for values in the flags, explained once.
std::string Legend(const CommandSpec& command, const MethodShape& shape,
                   size_t columns) {
  std::vector<std::pair<std::string, std::string>> kinds;
  std::set<absl::string_view> seen;
  size_t width = 0;
  for (const FlagSpec& flag : command.flags) {
    std::string text(KindText(flag.value));
    const FieldDescriptor* field = FieldsOf(shape.request, flag.path).back();
    const bool listed = flag.value.find('|') != flag.value.npos;
    if (text.empty() && !listed && field->enum_type() != nullptr) {
      text = absl::StrJoin(EnumWords(field->enum_type()), ", ");
    }
    if (text.empty() || !seen.insert(flag.value).second) continue;
    width = std::max(width, flag.value.size());
    kinds.emplace_back(flag.value, text);
  }
  if (kinds.empty()) return "";
  std::string legend = "\nvalues:\n";
  for (const auto& [kind, text] : kinds) {
    absl::StrAppend(&legend, Entry(kind, text, width, columns));
  }
  return legend;
}

}  // namespace

std::string VerbList(const NounSpec& noun, size_t columns) {
  size_t width = 0;
  for (const CommandSpec& command : noun.commands) {
    width = std::max(width, command.verb.size());
  }
  std::string text;
  for (const CommandSpec& command : noun.commands) {
    absl::StrAppend(&text,
                    Entry(command.verb, command.summary, width, columns));
  }
  return text;
}

std::string NounHelp(const NounSpec& noun, size_t columns) {
  // The paragraphs that follow are for who writes a client.
  const absl::string_view about = noun.help.substr(0, noun.help.find("\n\n"));
  return absl::StrCat("usage: vigil ", noun.noun, " VERB [flags] ...\n\n",
                      Wrap(about, columns, 0), "\nverbs:\n",
                      VerbList(noun, columns), "\n`vigil ", noun.noun,
                      " VERB --help` describes a verb and its flags.\n");
}

std::string CommandHelp(const NounSpec& noun, const CommandSpec& command,
                        const MethodShape& shape, const FlagSet& flags,
                        size_t columns) {
  return absl::StrCat(UsageLine(noun, command, shape), "\n",
                      Wrap(command.help, columns, 0), "\n",
                      flags.Describe(columns), Legend(command, shape, columns),
                      "\n", Wrap(kExitStatus, columns, 0));
}

}  // namespace vigil::cli
