#include "client/cli/complete_words.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/command/complete.h"
#include "client/cli/config_file.h"
#include "client/cli/flags.h"
#include "client/cli/format.h"
#include "client/cli/live_ids.h"
#include "client/cli/open_word.h"

namespace vigil::cli {
namespace {

constexpr char kFiles[] = ":files";
constexpr char kDirectories[] = ":directories";
constexpr char kPrograms[] = ":programs";

// The first sentence of a help, which has no line breaks.
std::string FirstSentence(absl::string_view help) {
  const size_t end = help.find(". ");
  help = help.substr(0, end);
  return std::string(absl::StripSuffix(help, "."));
}

// One command line.
class Completer {
 public:
  Completer(const std::vector<std::string>& words, const CommandLine& line,
            const Environment& environment)
      : words_(words), line_(line), environment_(environment) {}

  std::string Lines();

 private:
  const std::string& last() const { return words_.back(); }
  // The candidate, if it begins as what was typed does.
  void Add(absl::string_view typed, absl::string_view before,
           absl::string_view word, absl::string_view help);
  void Add(const OpenWord& open, const std::vector<Candidate>& candidates);
  void AddFirstWords();
  void AddOfVerb(const VerbEntry& verb);
  void AddFlagNames(const FlagSet& flags);
  void AddValues(const OpenWord& open);
  void AddWords(const VerbEntry& verb, const OpenWord& open);
  void AddOfContext(const OpenWord& open);
  // `words` begin with a noun.
  void AddOfNoun(const std::vector<std::string>& words);
  // Ids for the positional of a generated command whose field has this path.
  void AddIds(const CommandSpec& command, absl::string_view path,
              const OpenWord& open);
  std::vector<Candidate> ContextNames() const;
  std::vector<Candidate> Ids(absl::string_view kind, LiveIds::Which which);

  const std::vector<std::string>& words_;
  const CommandLine& line_;
  const Environment& environment_;
  std::string lines_;
};

void Completer::Add(absl::string_view typed, absl::string_view before,
                    absl::string_view word, absl::string_view help) {
  if (!absl::StartsWith(word, typed)) return;
  absl::StrAppend(&lines_, before, word, "\t", OneLine(help), "\n");
}

void Completer::Add(const OpenWord& open,
                    const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    Add(open.typed, open.before, candidate.word, candidate.help);
  }
}

std::string Completer::Lines() {
  if (words_.empty()) return "";
  if (words_.size() == 1) {
    AddFirstWords();
    return std::move(lines_);
  }
  if (words_[0] == "help") {
    if (words_.size() == 2) AddFirstWords();
    if (words_.size() == 3) AddOfNoun({words_.begin() + 1, words_.end()});
    return std::move(lines_);
  }
  // A noun may have the name of a verb; its own verbs tell them apart.
  const NounSpec* noun = FindNoun(line_.nouns, words_[0]);
  const VerbEntry* verb = FindVerb(line_.verbs, words_[0]);
  const bool noun_is_meant = noun != nullptr && words_.size() > 2 &&
                             FindVerb(*noun, words_[1]) != nullptr;
  if (verb != nullptr && !noun_is_meant) AddOfVerb(*verb);
  if (noun != nullptr &&
      (verb == nullptr || noun_is_meant || words_.size() == 2)) {
    AddOfNoun(words_);
  }
  return std::move(lines_);
}

void Completer::AddOfNoun(const std::vector<std::string>& words) {
  const Completion completion = Complete(line_.nouns, words);
  for (const Candidate& candidate : completion.candidates) {
    Add("", "", candidate.word, candidate.help);
  }
  OpenWord open;
  open.before = completion.before;
  open.typed = completion.typed;
  switch (completion.wants) {
    case Completion::Wants::kNothing:
      break;
    case Completion::Wants::kIds:
      AddIds(*completion.command, completion.positional, open);
      break;
    case Completion::Wants::kContexts:
      Add(open, ContextNames());
      break;
    case Completion::Wants::kFiles:
      absl::StrAppend(&lines_, kFiles, "\n");
      break;
    case Completion::Wants::kPrograms:
      absl::StrAppend(&lines_, kPrograms, "\n");
      break;
  }
}

void Completer::AddFirstWords() {
  for (const VerbEntry& verb : line_.verbs) {
    Add(last(), "", verb.name, verb.summary);
  }
  for (const NounSpec& noun : line_.nouns) {
    // One that is a verb too is there already.
    if (FindVerb(line_.verbs, noun.noun) == nullptr) {
      Add(last(), "", noun.noun, noun.summary);
    }
  }
  if (words_.size() == 1) Add(last(), "", "help", "describes a verb");
}

void Completer::AddOfVerb(const VerbEntry& verb) {
  WithFlagsOf(verb, environment_, [this, &verb](const FlagSet& flags) {
    const OpenWord open =
        FindOpenWord(flags, {words_.begin() + 1, words_.end()});
    switch (open.kind) {
      case OpenWord::Kind::kFlag:
        AddFlagNames(flags);
        break;
      case OpenWord::Kind::kValue:
        AddValues(open);
        break;
      case OpenWord::Kind::kWord:
        AddWords(verb, open);
        break;
      case OpenWord::Kind::kUnknown:
        break;
    }
  });
}

void Completer::AddFlagNames(const FlagSet& flags) {
  // Who types dashes gets dashes.
  const bool dashes = last().find('-', 2) != std::string::npos;
  for (const Flag& flag : flags.flags()) {
    const std::string name =
        dashes ? absl::StrReplaceAll(flag.name, {{"_", "-"}}) : flag.name;
    Add(last(), "", absl::StrCat("--", name, flag.value.empty() ? "" : "="),
        FirstSentence(flag.help));
  }
}

void Completer::AddValues(const OpenWord& open) {
  const Flag& flag = *open.flag;
  for (const std::string& choice : flag.choices) {
    Add(open.typed, open.before, choice, "");
  }
  if (flag.value == "FILE") absl::StrAppend(&lines_, kFiles, "\n");
  if (flag.value == "DIR") absl::StrAppend(&lines_, kDirectories, "\n");
  if (flag.value == "CONTEXT") Add(open, ContextNames());
}

void Completer::AddWords(const VerbEntry& verb, const OpenWord& open) {
  const absl::string_view name = verb.name;
  if (name == "run" || name == "batch") {
    absl::StrAppend(&lines_, open.words.empty() ? kPrograms : kFiles, "\n");
  } else if (name == "context") {
    AddOfContext(open);
  } else if (!open.words.empty()) {
    // The others want one word at most.
  } else if (name == "completion") {
    Add(open, {{"bash", ""}, {"zsh", ""}, {"fish", ""}});
  } else if (name == "explain") {
    Add(open, Ids("job", LiveIds::Which::kAll));
  } else if (name == "watch") {
    LiveIds ids(words_, environment_);
    Add(open, ids.Jobs(LiveIds::Which::kLive));
    Add(open, ids.Batches(LiveIds::Which::kLive));
  }
}

void Completer::AddOfContext(const OpenWord& open) {
  if (open.words.empty()) {
    Add(open, {{"list", "all of them"},
               {"show", "what is in force"},
               {"use", "makes one the current one"},
               {"set", "makes or changes one"},
               {"delete", "forgets one"}});
  } else if (open.words.size() == 1 && open.words[0] != "list" &&
             open.words[0] != "show") {
    Add(open, ContextNames());
  }
}

std::vector<Candidate> Completer::ContextNames() const {
  std::vector<Candidate> names;
  const absl::StatusOr<Config> config = ConfigFile::Of(environment_).Read();
  if (!config.ok()) return names;
  for (const Config::Context& context : config->contexts()) {
    names.push_back({context.name(), context.address()});
  }
  return names;
}

std::vector<Candidate> Completer::Ids(absl::string_view kind,
                                      LiveIds::Which which) {
  LiveIds ids(words_, environment_);
  if (kind == "job") return ids.Jobs(which);
  if (kind == "batch") return ids.Batches(which);
  if (kind == "worker") return ids.Workers();
  return {};
}

void Completer::AddIds(const CommandSpec& command, absl::string_view path,
                       const OpenWord& open) {
  absl::string_view kind = path;
  const size_t dot = kind.rfind('.');
  if (dot != absl::string_view::npos) kind.remove_prefix(dot + 1);
  if (!absl::ConsumeSuffix(&kind, "_id")) return;
  // What is over can be looked at, and nothing else.
  const bool looks = absl::StartsWith(command.verb, "get") ||
                     absl::StartsWith(command.verb, "read");
  Add(open, Ids(kind, looks ? LiveIds::Which::kAll : LiveIds::Which::kLive));
}

}  // namespace

std::string CompleteWords(const std::vector<std::string>& words,
                          const CommandLine& line,
                          const Environment& environment) {
  return Completer(words, line, environment).Lines();
}

}  // namespace vigil::cli
