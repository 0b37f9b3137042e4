#include "client/cli/command/complete.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/command/command_flags.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/command/field_value.h"
#include "client/cli/command/method_shape.h"
#include "client/cli/command/output_format.h"
#include "client/cli/connection.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::FieldDescriptor;

// The first sentence: up to a full stop or a semicolon that a blank or the end
// follows.
std::string FirstSentence(absl::string_view help) {
  for (size_t i = 0; i < help.size(); ++i) {
    const bool ends =
        i + 1 == help.size() || help[i + 1] == ' ' || help[i + 1] == '\n';
    if (ends && (help[i] == '.' || help[i] == ';')) {
      return std::string(help.substr(0, i));
    }
    if (help[i] == '\n' && i + 1 < help.size() && help[i + 1] == '\n') {
      return std::string(help.substr(0, i));
    }
  }
  return std::string(help);
}

// Collects what begins as the last word does.
class Candidates {
 public:
  explicit Candidates(absl::string_view typed) : typed_(typed) {}

  void Add(std::string word, absl::string_view help) {
    if (!absl::StartsWith(word, typed_)) return;
    found_.push_back({std::move(word), FirstSentence(help)});
  }

  std::vector<Candidate> Take() { return std::move(found_); }

 private:
  const std::string typed_;
  std::vector<Candidate> found_;
};

std::string Underscored(absl::string_view name) {
  return absl::StrReplaceAll(name, {{"-", "_"}});
}

// One command's flags, and what their values may be.
class Flags {
 public:
  explicit Flags(const CommandSpec& command)
      : command_(command),
        shape_(MethodShape::Of(command)),
        flags_(command, shape_) {
    connection_.AddTo(flags_.set());
  }

  bool takes_program() const { return TakesProgram(command_, shape_); }

  // The flag of a word such as --name, --name=value or -n; null: none.
  const Flag* Find(absl::string_view word) const {
    for (const Flag& flag : flags_.set().flags()) {
      if (absl::StartsWith(word, "--")
              ? flag.name == Underscored(word.substr(2, word.find('=') - 2))
              : word.size() == 2 && word[0] == '-' && flag.letter == word[1]) {
        return &flag;
      }
    }
    return nullptr;
  }

  void AddNames(bool dashes, Candidates* candidates) const {
    for (const Flag& flag : flags_.set().flags()) {
      const std::string name =
          dashes ? absl::StrReplaceAll(flag.name, {{"_", "-"}}) : flag.name;
      candidates->Add(absl::StrCat("--", name, flag.value.empty() ? "" : "="),
                      flag.help);
    }
  }

  // The values of `flag`, each behind `before` and what was typed of a list.
  void AddValues(const Flag& flag, absl::string_view typed,
                 absl::string_view before, Candidates* candidates) const {
    if (flag.name == "output") {
      for (const std::string& name : OutputFormatNames()) {
        candidates->Add(absl::StrCat(before, name), "");
      }
      return;
    }
    const FieldDescriptor* field = FieldOf(flag);
    if (field == nullptr) return;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      candidates->Add(absl::StrCat(before, "true"), "");
      candidates->Add(absl::StrCat(before, "false"), "");
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return;
    absl::string_view list;
    if (field->is_repeated() && typed.find(',') != typed.npos) {
      list = typed.substr(0, typed.rfind(',') + 1);
    }
    for (const std::string& word : EnumWords(field->enum_type())) {
      candidates->Add(absl::StrCat(before, list, word), "");
    }
  }

 private:
  const FieldDescriptor* FieldOf(const Flag& flag) const {
    for (const FlagSpec& spec : command_.flags) {
      if (spec.name == flag.name) {
        return FieldsOf(shape_.request, spec.path).back();
      }
    }
    return nullptr;
  }

  const CommandSpec& command_;
  const MethodShape shape_;
  Connection connection_;
  CommandFlags flags_;
};

// `words` are those behind the command's name, the last of them half typed.
std::vector<Candidate> CompleteCommand(const CommandSpec& command,
                                       const std::vector<std::string>& words) {
  const Flags flags(command);
  // Which flag the last word is the value of.
  const Flag* open = nullptr;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (open != nullptr) {
      open = nullptr;
      continue;
    }
    const std::string& word = words[i];
    const bool is_flag = absl::StartsWith(word, "-") && word.size() > 1;
    if (word == "--" || (!is_flag && flags.takes_program())) return {};
    const Flag* flag = is_flag ? flags.Find(word) : nullptr;
    if (flag != nullptr && !flag->value.empty() &&
        word.find('=') == word.npos) {
      open = flag;
    }
  }
  const std::string& last = words.back();
  Candidates candidates(last);
  const size_t equals = last.find('=');
  if (open != nullptr) {
    flags.AddValues(*open, last, "", &candidates);
  } else if (absl::StartsWith(last, "--") && equals != last.npos) {
    if (const Flag* flag = flags.Find(last)) {
      const absl::string_view whole = last;
      flags.AddValues(*flag, whole.substr(equals + 1),
                      whole.substr(0, equals + 1), &candidates);
    }
  } else if (absl::StartsWith(last, "-")) {
    flags.AddNames(last.find('-', 2) != last.npos, &candidates);
  }
  return candidates.Take();
}

}  // namespace

std::vector<Candidate> Complete(const CommandTable& table,
                                const std::vector<std::string>& words) {
  if (words.empty()) return {};
  Candidates candidates(words.back());
  if (words.size() == 1) {
    for (const NounSpec& noun : table) {
      candidates.Add(std::string(noun.noun), noun.summary);
    }
    return candidates.Take();
  }
  const NounSpec* noun = FindNoun(table, words[0]);
  if (noun == nullptr) return {};
  const CommandSpec* command = OnlyCommand(*noun);
  if (command != nullptr) {
    return CompleteCommand(*command, {words.begin() + 1, words.end()});
  }
  if (words.size() == 2) {
    for (const CommandSpec& verb : noun->commands) {
      candidates.Add(std::string(verb.verb), verb.summary);
    }
    return candidates.Take();
  }
  command = FindVerb(*noun, words[1]);
  if (command == nullptr) return {};
  return CompleteCommand(*command, {words.begin() + 2, words.end()});
}

}  // namespace vigil::cli
