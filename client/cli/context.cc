#include "client/cli/context.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cc/default_address.h"
#include "client/cli/config_file.h"
#include "client/cli/connection.h"
#include "client/cli/fitted_text.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/nearest.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Keeps named settings of connections: an address and a namespace. The\n"
    "current context is in force where nothing else names an address.\n"
    "\n"
    "  list         all of them; * marks the current one\n"
    "  show         what is in force, and who chose it\n"
    "  use NAME     makes it the current one; use --none: none is\n"
    "  set NAME     makes it, or changes what the flags say of it\n"
    "  delete NAME  forgets it\n"
    "\n"
    "Order: --address, --context, VIGIL_ADDRESS, VIGIL_CONTEXT, the current\n"
    "context, the default socket. They lie in vigil/config.json in\n"
    "$XDG_CONFIG_HOME, else in ~/.config.\n"
    "\n"
    "Exit status: 0, or 125 when there is no such context or the file is\n"
    "damaged.";

struct ContextFlags {
  std::optional<std::string> address;
  std::optional<std::string> job_namespace;
  bool none = false;
  bool json = false;
};

absl::Status CheckNamespace(absl::string_view name) {
  if (name.empty() || IsName(name)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("`", OneLine(name), "` has not 1 to 64 of [A-Za-z0-9._-]"));
}

absl::Status CheckAddressFlag(absl::string_view address) {
  return address.empty() ? absl::OkStatus() : client::CheckAddress(address);
}

class ContextVerb {
 public:
  ContextVerb(const Environment& environment, ContextFlags flags)
      : environment_(environment),
        flags_(std::move(flags)),
        file_(ConfigFile::Of(environment)) {}

  int List() const;
  int Show() const;
  int Use(const std::string& name) const;
  int Set(const std::string& name) const;
  int Delete(const std::string& name) const;

 private:
  absl::Status NoContext(const Config& config, const std::string& name) const;
  // Tells how a change went: `done` is what was done.
  int Told(const absl::Status& status, const std::string& done) const;

  const Environment& environment_;
  const ContextFlags flags_;
  const ConfigFile file_;
};

int ContextVerb::List() const {
  const absl::StatusOr<Config> config = file_.Read();
  if (!config.ok()) return Fail(config.status().message());
  if (flags_.json) {
    return Print(ToJson(*config, JsonLayout::kIndented));
  }
  if (config->contexts().empty()) {
    return Print(
        "no contexts; `vigil context set NAME --address=ADDRESS` makes one\n");
  }
  std::vector<std::vector<Toned>> rows;
  for (const Config::Context& context : config->contexts()) {
    const bool current = context.name() == config->current();
    rows.push_back({{absl::StrCat(current ? "* " : "  ", context.name()),
                     current ? Tone::kBold : Tone::kPlain},
                    {context.address()},
                    {context.namespace_()}});
  }
  std::string text;
  for (const std::string& line :
       FitTable({{"  CONTEXT"}, {"ADDRESS"}, {"NAMESPACE"}}, rows,
                std::string::npos, environment_.StyleOfStdout())) {
    absl::StrAppend(&text, line, "\n");
  }
  return Print(text);
}

int ContextVerb::Show() const {
  Connection connection;
  const absl::Status status = connection.Resolve(environment_);
  if (!status.ok()) return Fail(status.message());
  const std::string& name_space = connection.default_namespace();
  if (flags_.json) {
    return Print(absl::StrCat(
        "{\"context\":", JsonString(connection.context()),
        ",\"address\":", JsonString(connection.address()),
        ",\"address_origin\":", JsonString(connection.OriginText()),
        ",\"namespace\":", JsonString(name_space), "}\n"));
  }
  const std::string context =
      connection.context().empty()
          ? "none"
          : absl::StrCat(connection.context(), " (",
                         connection.context_origin(), ")");
  return Print(absl::StrCat("context    ", context, "\naddress    ",
                            connection.address(), " (", connection.OriginText(),
                            ")\nnamespace  ",
                            name_space.empty() ? "default" : name_space, "\n"));
}

absl::Status ContextVerb::NoContext(const Config& config,
                                    const std::string& name) const {
  return absl::NotFoundError(
      absl::StrCat("no context `", OneLine(name), "` in ", file_.path(),
                   DidYouMean(name, ContextNames(config))));
}

int ContextVerb::Told(const absl::Status& status,
                      const std::string& done) const {
  if (!status.ok()) return Fail(status.message());
  return Print(absl::StrCat(done, "\n"));
}

int ContextVerb::Use(const std::string& name) const {
  const absl::Status status = file_.Change([&](Config* config) -> absl::Status {
    if (!flags_.none && FindContext(*config, name) == nullptr) {
      return NoContext(*config, name);
    }
    config->set_current(name);
    return absl::OkStatus();
  });
  return Told(status, flags_.none ? "no context is the current one"
                                  : absl::StrCat("context `", name,
                                                 "` is the current one"));
}

int ContextVerb::Set(const std::string& name) const {
  bool current = false;
  const absl::Status status = file_.Change([&](Config* config) -> absl::Status {
    Config::Context* context = nullptr;
    for (Config::Context& known : *config->mutable_contexts()) {
      if (known.name() == name) context = &known;
    }
    if (context == nullptr) {
      context = config->add_contexts();
      context->set_name(name);
    }
    if (flags_.address.has_value()) context->set_address(*flags_.address);
    if (flags_.job_namespace.has_value()) {
      context->set_namespace_(*flags_.job_namespace);
    }
    current = config->current() == name;
    return absl::OkStatus();
  });
  return Told(status,
              absl::StrCat("context `", name, "` is set",
                           current ? ""
                                   : absl::StrCat("; `vigil context use ", name,
                                                  "` makes it the current "
                                                  "one")));
}

int ContextVerb::Delete(const std::string& name) const {
  bool was_current = false;
  const absl::Status status = file_.Change([&](Config* config) -> absl::Status {
    auto* contexts = config->mutable_contexts();
    const auto found = std::find_if(
        contexts->begin(), contexts->end(),
        [&name](const Config::Context& known) { return known.name() == name; });
    if (found == contexts->end()) return NoContext(*config, name);
    contexts->erase(found);
    was_current = config->current() == name;
    if (was_current) config->clear_current();
    return absl::OkStatus();
  });
  return Told(status,
              absl::StrCat("context `", name, "` is forgotten",
                           was_current ? "; no other one is current" : ""));
}

// What the words and flags have against each other; empty: nothing.
std::string Misuse(const std::vector<std::string>& words,
                   const ContextFlags& flags) {
  const std::string command = words.empty() ? "" : words[0];
  const bool sets =
      flags.address.has_value() || flags.job_namespace.has_value();
  if (command == "list" || command == "show") {
    if (words.size() > 1) {
      return absl::StrCat("context ", command, " wants no more words");
    }
  } else if (command == "use" || command == "set" || command == "delete") {
    const bool wants_none = command == "use" && flags.none;
    if (words.size() != (wants_none ? 1u : 2u)) {
      return absl::StrCat("context ", command,
                          wants_none
                              ? " --none wants no more words"
                              : absl::StrCat(" wants the name of one context: "
                                             "vigil context ",
                                             command, " NAME"));
    }
    if (command == "set" && !IsContextName(words[1])) {
      return absl::StrCat("`", OneLine(words[1]),
                          "` is no name for a context: it has 1 to 64 of "
                          "[A-Za-z0-9._-], the first of them no dash");
    }
  } else {
    return absl::StrCat(
        command.empty() ? "context wants a command"
                        : absl::StrCat("no command `", OneLine(command), "`"),
        DidYouMean(command, {"list", "show", "use", "set", "delete"}),
        " (see `vigil context --help`)");
  }
  if (sets && command != "set") {
    return "--address and --namespace are for `vigil context set`";
  }
  if (command == "set" && !sets) {
    return "context set wants --address, --namespace or both";
  }
  if (flags.none && command != "use")
    return "--none is for `vigil context use`";
  if (flags.json && command != "list" && command != "show") {
    return "-o json is for `vigil context list` and `show`";
  }
  return "";
}

Setter SetChecked(std::optional<std::string>* text,
                  absl::Status (*check)(absl::string_view)) {
  return [text, check](absl::string_view value) {
    absl::Status status = check(value);
    if (status.ok()) text->emplace(value);
    return status;
  };
}

}  // namespace

int Context(const std::vector<std::string>& arguments,
            const Environment& environment) {
  ContextFlags flags;
  Verb verb(FlagSet::Positionals::kAnywhere, "context",
            "context list | show | use NAME | set NAME [flags] | delete NAME",
            kAbout);
  verb.flags()->Add({.name = "address",
                     .value = "ADDRESS",
                     .help = "With set: the coordinator, unix:/path or "
                             "host:port; empty: the default.",
                     .set = SetChecked(&flags.address, CheckAddressFlag)});
  verb.flags()->Add({.name = "namespace",
                     .value = "NAME",
                     .help = "With set: where jobs and batches are; empty: "
                             "`default`.",
                     .set = SetChecked(&flags.job_namespace, CheckNamespace)});
  verb.flags()->Add({.name = "none",
                     .help = "With use: no context is the current one.",
                     .set = SetSwitch(&flags.none)});
  verb.flags()->Add({.name = "output",
                     .letter = 'o',
                     .value = "FORMAT",
                     .help = "With list and show: `json`. Default `text`.",
                     .choices = {"text", "json"},
                     .set = SetOutputFormat(&flags.json)});
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (const std::string misuse = Misuse(words, flags); !misuse.empty()) {
    return Fail(misuse);
  }
  const ContextVerb context(environment, std::move(flags));
  const std::string& command = words[0];
  if (command == "list") return context.List();
  if (command == "show") return context.Show();
  const std::string name = words.size() > 1 ? words[1] : "";
  if (command == "use") return context.Use(name);
  if (command == "set") return context.Set(name);
  return context.Delete(name);
}

}  // namespace vigil::cli
