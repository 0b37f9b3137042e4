#include "client/cli/generator/cli_reference.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/command/usage.h"
#include "client/cli/generator/markdown.h"
#include "client/cli/generator/names.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {
namespace {

using google::protobuf::FieldDescriptor;

std::string Name(const Noun& noun, const Command& command) {
  return absl::StrCat("vigil ", noun.noun, command.verb.empty() ? "" : " ",
                      command.verb);
}

const Flag* FindPath(const Command& command, absl::string_view path) {
  const auto flag =
      std::find_if(command.flags.begin(), command.flags.end(),
                   [&](const Flag& flag) { return flag.path == path; });
  return flag == command.flags.end() ? nullptr : &*flag;
}

std::string UsageOf(const Noun& noun, const Command& command) {
  std::vector<UsageWord> words;
  for (const std::string& path : command.positionals) {
    const FieldDescriptor& field = *FindPath(command, path)->field;
    words.push_back({absl::AsciiStrToUpper(field.name()), field.is_repeated()});
  }
  return Usage(Name(noun, command), words);
}

// A link to the type of a flag's values, unless they say all of it or it is
// not the API's own.
std::string TypeLink(const Flag& flag, absl::string_view api) {
  const FieldDescriptor& value = flag.field->is_map()
                                     ? *flag.field->message_type()->map_value()
                                     : *flag.field;
  std::string name;
  if (value.enum_type() != nullptr && !absl::StrContains(flag.value, "|")) {
    name = ShortName(*value.enum_type());
  } else if (value.message_type() != nullptr &&
             value.message_type()->file()->package() != "google.protobuf") {
    name = ShortName(*value.message_type());
  }
  return name.empty()
             ? ""
             : absl::StrCat(" ([", name, "](", api, "#", Anchor(name), "))");
}

void AddCommand(const Noun& noun, const Command& command, absl::string_view api,
                std::string* page) {
  absl::StrAppend(page, "\n### ", Name(noun, command), "\n\n    ",
                  UsageOf(noun, command), "\n");
  absl::StrAppend(page, command.help.empty() ? "" : "\n",
                  Block(command.help, 0));
  absl::StrAppend(page, command.flags.empty() ? "" : "\nFlags:\n");
  for (const Flag& flag : command.flags) {
    *page += Item(absl::StrCat("`--", flag.name, flag.value.empty() ? "" : "=",
                               flag.value, "`", TypeLink(flag, api)),
                  flag.help, 0);
  }
}

}  // namespace

std::string CliReference(const Surface& surface, absl::string_view update,
                         absl::string_view api) {
  std::string page = "# Commands of the API\n\n";
  page += Wrapped(
      "Each command calls one method of a service. Every one of them takes the "
      "flags of `vigil --help` too, and its request as a file. Dashes and "
      "underscores are the same in flags.",
      0);
  page += "\n";
  page += Wrapped(
      absl::StrCat("Made of the comments in the protos, which are what to "
                   "change; then run `",
                   update, "`."),
      0);
  page += "\n";
  for (const Noun& noun : surface) {
    for (const Command& command : noun.commands) {
      const std::string name = Name(noun, command);
      page += Item(absl::StrCat("[", name, "](#", Anchor(name), ")"),
                   command.summary, 0);
    }
  }
  for (const Noun& noun : surface) {
    // A noun that is a command itself has its name below.
    absl::StrAppend(&page, "\n## The noun ", noun.noun, "\n\n",
                    Block(noun.help, 0));
    for (const Command& command : noun.commands) {
      AddCommand(noun, command, api, &page);
    }
  }
  return page;
}

}  // namespace vigil::cli::generator
