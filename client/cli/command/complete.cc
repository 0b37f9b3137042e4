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
#include "client/cli/open_word.h"

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

// One command's flags, and what their values may be.
class Flags {
 public:
  explicit Flags(const CommandSpec& command)
      : command_(command),
        shape_(MethodShape::Of(command)),
        flags_(command, shape_) {
    connection_.AddTo(flags_.set());
  }

  const FlagSet& set() const { return flags_.set(); }
  bool takes_program() const { return TakesProgram(command_, shape_); }

  // Whether a value of the flag may be read from a file, as @FILE.
  bool ReadsFiles(const Flag& flag) const {
    const FieldDescriptor* field = FieldOf(flag);
    return field != nullptr && !field->is_map() &&
           (field->type() == FieldDescriptor::TYPE_BYTES ||
            field->type() == FieldDescriptor::TYPE_MESSAGE);
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

// What stands for a value of the flag.
void CompleteValue(const Flags& flags, const OpenWord& open,
                   Completion* completion) {
  completion->before = open.before;
  completion->typed = open.typed;
  if (open.flag->value == "FILE") {
    completion->wants = Completion::Wants::kFiles;
  } else if (open.flag->value == "CONTEXT") {
    completion->wants = Completion::Wants::kContexts;
  } else if (absl::StartsWith(open.typed, "@") &&
             flags.ReadsFiles(*open.flag)) {
    completion->wants = Completion::Wants::kFiles;
    completion->before += '@';
    completion->typed.erase(0, 1);
  }
}

// What stands for a word that is no flag.
void CompleteWord(const CommandSpec& command, bool takes_program,
                  const OpenWord& open, Completion* completion) {
  completion->typed = open.typed;
  if (takes_program) {
    completion->wants = open.words.empty() ? Completion::Wants::kPrograms
                                           : Completion::Wants::kFiles;
  } else if (open.words.size() < command.positionals.size()) {
    completion->wants = Completion::Wants::kIds;
    completion->command = &command;
    completion->positional = command.positionals[open.words.size()];
  }
}

// `words` are those behind the command's name, the last of them half typed.
Completion CompleteCommand(const CommandSpec& command,
                           const std::vector<std::string>& words) {
  const Flags flags(command);
  const OpenWord open = FindOpenWord(flags.set(), words);
  const std::string& last = words.back();
  Candidates candidates(last);
  Completion completion;
  switch (open.kind) {
    case OpenWord::Kind::kFlag:
      flags.AddNames(last.find('-', 2) != last.npos, &candidates);
      break;
    case OpenWord::Kind::kValue:
      flags.AddValues(*open.flag, open.typed, open.before, &candidates);
      CompleteValue(flags, open, &completion);
      break;
    case OpenWord::Kind::kWord:
      CompleteWord(command, flags.takes_program(), open, &completion);
      break;
    case OpenWord::Kind::kUnknown:
      break;
  }
  completion.candidates = candidates.Take();
  return completion;
}

}  // namespace

Completion Complete(const CommandTable& table,
                    const std::vector<std::string>& words) {
  if (words.empty()) return {};
  Candidates candidates(words.back());
  if (words.size() == 1) {
    for (const NounSpec& noun : table) {
      candidates.Add(std::string(noun.noun), noun.summary);
    }
    return {.candidates = candidates.Take()};
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
    return {.candidates = candidates.Take()};
  }
  command = FindVerb(*noun, words[1]);
  if (command == nullptr) return {};
  return CompleteCommand(*command, {words.begin() + 2, words.end()});
}

}  // namespace vigil::cli
