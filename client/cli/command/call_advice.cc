#include "client/cli/command/call_advice.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/format.h"

namespace vigil::cli {
namespace {

// How often a comment may refer to another one's.
constexpr int kReferencesMax = 3;

bool InName(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.'; }

// Behind the first of `marks` in `text`: the name of a method.
absl::string_view NameBehind(absl::string_view text, absl::string_view mark) {
  const size_t at = text.find(mark);
  if (at == text.npos) return "";
  text.remove_prefix(at + mark.size());
  const auto end = std::find_if_not(
      text.begin(), text.end(), [](char c) { return absl::ascii_isalnum(c); });
  return text.substr(0, static_cast<size_t>(end - text.begin()));
}

const CommandSpec* FindMethod(const NounSpec& noun, absl::string_view name) {
  if (name.empty()) return nullptr;
  for (const CommandSpec& command : noun.commands) {
    if (absl::EndsWith(command.method, absl::StrCat("/", name))) {
      return &command;
    }
  }
  return nullptr;
}

// Without the sentences about trailing metadata: what a server says there is
// told by DelayAdvice.
std::string WithoutMetadata(absl::string_view text) {
  std::vector<absl::string_view> kept;
  for (absl::string_view sentence : absl::StrSplit(text, ". ")) {
    if (!absl::StrContains(sentence, "railing metadata")) {
      kept.push_back(sentence);
    }
  }
  return absl::StrJoin(kept, ". ");
}

// What a list item that begins with the code says, in one line; empty: there is
// none.
std::string ItemOf(absl::string_view help, absl::string_view code) {
  std::vector<absl::string_view> item;
  for (absl::string_view line : absl::StrSplit(help, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!item.empty()) {
      if (line.empty() || absl::StartsWith(line, "- ")) break;
      item.push_back(line);
    } else if (absl::ConsumePrefix(&line, absl::StrCat("- ", code)) &&
               (absl::StartsWith(line, ":") || absl::StartsWith(line, ","))) {
      item.push_back(line);
    }
  }
  const std::string text = absl::StrJoin(item, " ");
  const size_t colon = text.find(": ");
  if (colon == text.npos) return "";
  const std::string said = WithoutMetadata(text.substr(colon + 2));
  return std::string(absl::StripSuffix(said, "."));
}

std::string DocOf(const NounSpec& noun, const CommandSpec& command,
                  absl::string_view code, int references);

// "as GetJob; or more" with what is said there.
std::string Resolved(const NounSpec& noun, const std::string& text,
                     absl::string_view code, int references) {
  if (!absl::StartsWith(text, "as ")) return text;
  const absl::string_view name = NameBehind(text, "as ");
  const CommandSpec* command = FindMethod(noun, name);
  if (command == nullptr || references == 0) return "";
  return absl::StrCat(DocOf(noun, *command, code, references - 1),
                      text.substr(3 + name.size()));
}

std::string DocOf(const NounSpec& noun, const CommandSpec& command,
                  absl::string_view code, int references) {
  std::string text =
      Resolved(noun, ItemOf(command.help, code), code, references);
  if (!text.empty()) return text;
  const CommandSpec* like =
      FindMethod(noun, NameBehind(command.help, "rrors as "));
  if (like != nullptr && references > 0) {
    return DocOf(noun, *like, code, references - 1);
  }
  return Resolved(noun, ItemOf(noun.help, code), code, references);
}

// Where `text` has `name` as a whole one.
bool Names(absl::string_view text, absl::string_view name) {
  for (size_t at = text.find(name); at != text.npos;
       at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool begins = at == 0 || !InName(text[at - 1]);
    // A dot may end the sentence.
    const bool ends =
        end == text.size() || !InName(text[end]) ||
        (text[end] == '.' && (end + 1 == text.size() || text[end + 1] == ' '));
    if (begins && ends) return true;
  }
  return false;
}

// Whether the message names a field, or one that it is in, of another path than
// this flag's.
bool NamesAnother(absl::string_view message, const CommandSpec& command,
                  const FlagSpec& flag) {
  const std::vector<absl::string_view> own = absl::StrSplit(flag.path, '.');
  for (const FlagSpec& other : command.flags) {
    for (absl::string_view part : absl::StrSplit(other.path, '.')) {
      if (std::find(own.begin(), own.end(), part) == own.end() &&
          Names(message, part)) {
        return true;
      }
    }
  }
  return false;
}

// The flag of the field that the message names by the end of its path; the one
// with the longest end. Null: none, or it is not clear which.
const FlagSpec* FlagNamedIn(absl::string_view message,
                            const CommandSpec& command) {
  const FlagSpec* best = nullptr;
  size_t best_size = 0;
  bool clear = true;
  for (const FlagSpec& flag : command.flags) {
    for (absl::string_view end = flag.path; !end.empty();) {
      if (Names(message, end)) {
        if (end.size() >= best_size) {
          clear = end.size() > best_size;
          best = &flag;
          best_size = end.size();
        }
        break;
      }
      const size_t dot = end.find('.');
      end.remove_prefix(dot == end.npos ? end.size() : dot + 1);
    }
  }
  if (!clear || best == nullptr) return nullptr;
  return NamesAnother(message, command, *best) ? nullptr : best;
}

std::string FlagAdvice(const NounSpec& noun, const CommandSpec& command,
                       absl::string_view message) {
  const FlagSpec* flag = FlagNamedIn(message, command);
  return absl::StrCat(
      flag == nullptr ? "" : absl::StrCat("the flag is --", flag->name, "; "),
      "see `vigil ", CommandName(noun, command), " --help`");
}

// Of commands that name one thing: how to see those there are.
std::string ListAdvice(const NounSpec& noun, const CommandSpec& command) {
  if (command.positionals.empty() || FindVerb(noun, "list") == nullptr) {
    return "";
  }
  return absl::EndsWith(command.positionals[0], "_id")
             ? absl::StrCat("`vigil ", noun.noun,
                            " list` shows those there are")
             : "";
}

std::string DelayAdvice(std::optional<absl::Duration> delay) {
  if (!delay.has_value()) return "";
  if (*delay < absl::ZeroDuration()) return "do not try again";
  return absl::StrCat("try again in ", HumanDuration(*delay));
}

}  // namespace

std::string CallAdvice(const NounSpec& noun, const CommandSpec& command,
                       const absl::Status& status,
                       std::optional<absl::Duration> retry_delay) {
  if (absl::IsInvalidArgument(status)) {
    return FlagAdvice(noun, command, status.message());
  }
  if (absl::IsUnimplemented(status)) {
    return "the coordinator does not know this call; `vigil version` shows "
           "whether it is older than this program";
  }
  std::vector<std::string> parts = {
      DocOf(noun, command, absl::StatusCodeToString(status.code()),
            kReferencesMax),
      DelayAdvice(retry_delay)};
  if (absl::IsNotFound(status)) parts.push_back(ListAdvice(noun, command));
  if (absl::IsDeadlineExceeded(status)) {
    parts.push_back("--timeout=DURATION lets it take longer");
  }
  parts.erase(std::remove(parts.begin(), parts.end(), ""), parts.end());
  return absl::StrJoin(parts, "; ");
}

}  // namespace vigil::cli
