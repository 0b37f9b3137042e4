#include "client/cli/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/unique_fd.h"
#include "client/cc/default_address.h"
#include "client/cli/end_signals.h"
#include "client/cli/files.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::cli {
namespace {

constexpr char kFile[] = "/config.json";

// How protobuf says that it does not know a field: its name stands before it.
constexpr absl::string_view kNoField = ": Cannot find field";

// How it says that more should follow: there is no text around the end.
constexpr absl::string_view kCutOff = "Unexpected end of string";

absl::Status SystemError(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " `", path, "`"));
}

// Makes the directory and those above it, mode 0700.
absl::Status MakeDirectories(const std::string& path) {
  for (size_t end = 1; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string directory = path.substr(0, end);
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return SystemError("cannot make the directory", directory);
    }
  }
  return absl::OkStatus();
}

size_t LineAt(absl::string_view text, size_t position) {
  return 1 + static_cast<size_t>(
                 std::count(text.begin(), text.begin() + position, '\n'));
}

// "FILE:3: what is wrong": protobuf's message has the text around the place
// instead of its line, and a caret below it; of a field that it does not know
// it has the name.
absl::Status Damaged(const std::string& path, absl::string_view text,
                     absl::string_view message) {
  const size_t end = message.find('\n');
  const absl::string_view what =
      absl::StripTrailingAsciiWhitespace(message.substr(0, end));
  size_t place = absl::string_view::npos;
  const absl::string_view written = absl::StripTrailingAsciiWhitespace(text);
  if (const size_t field = what.find(kNoField);
      field != absl::string_view::npos) {
    const absl::string_view name = what.substr(0, field);
    place = text.find(
        absl::StrCat("\"", name.substr(name.find_last_of(" .") + 1), "\""));
  } else if (absl::StrContains(what, kCutOff)) {
    place = written.size();
  } else if (end != absl::string_view::npos) {
    // The text around may have line breaks itself; the caret's line is last.
    const size_t last = message.rfind('\n');
    if (last > end) {
      const absl::string_view around = message.substr(end + 1, last - end - 1);
      place = text.find(around);
      if (place != absl::string_view::npos) {
        place = std::min(place + message.size() - last - 2, text.size());
      }
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      path,
      place == absl::string_view::npos ? std::string()
                                       : absl::StrCat(":", LineAt(text, place)),
      ": ", OneLine(what), "; mend it, or remove it to start anew"));
}

// What the JSON of a Config does not see to by itself.
std::string ProblemWith(const Config& config) {
  if (static_cast<size_t>(config.contexts_size()) > kContextsMax) {
    return absl::StrCat("has more than ", kContextsMax, " contexts");
  }
  std::set<std::string> names;
  for (const Config::Context& context : config.contexts()) {
    const std::string which = absl::StrCat("context `", context.name(), "`");
    if (!IsContextName(context.name())) {
      return absl::StrCat(which,
                          ": a name has 1 to 64 of [A-Za-z0-9._-], the "
                          "first of them no dash");
    }
    if (!names.insert(context.name()).second) {
      return absl::StrCat(which, " is there twice");
    }
    if (!context.namespace_().empty() && !IsName(context.namespace_())) {
      return absl::StrCat(which, ": namespace `", context.namespace_(),
                          "` has not 1 to 64 of [A-Za-z0-9._-]");
    }
    if (context.address().empty()) continue;
    const absl::Status address = client::CheckAddress(context.address());
    if (!address.ok()) return absl::StrCat(which, ": ", address.message());
  }
  if (!config.current().empty() && names.count(config.current()) == 0) {
    return absl::StrCat("current is `", config.current(),
                        "`, and no context has that name");
  }
  return "";
}

}  // namespace

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '_' || c == '-';
         });
}

bool IsContextName(absl::string_view name) {
  return IsName(name) && name[0] != '-';
}

const Config::Context* FindContext(const Config& config,
                                   absl::string_view name) {
  for (const Config::Context& context : config.contexts()) {
    if (context.name() == name) return &context;
  }
  return nullptr;
}

std::vector<std::string> ContextNames(const Config& config) {
  std::vector<std::string> names;
  for (const Config::Context& context : config.contexts()) {
    names.push_back(context.name());
  }
  return names;
}

ConfigFile ConfigFile::Of(const Environment& environment) {
  std::string base = environment.Variable("XDG_CONFIG_HOME");
  if (!absl::StartsWith(base, "/")) {
    const std::string home = environment.Variable("HOME");
    if (!absl::StartsWith(home, "/")) return ConfigFile("");
    base = absl::StrCat(home, "/.config");
  }
  return ConfigFile(
      absl::StrCat(absl::StripSuffix(base, "/"), "/vigil", kFile));
}

absl::StatusOr<Config> ConfigFile::Read() const {
  Config config;
  if (path_.empty()) return config;
  // A FIFO, say, of which nothing may ever come.
  struct stat about;
  if (stat(path_.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path_, ": is not a regular file; remove it to start anew"));
  }
  absl::StatusOr<std::string> text = ReadAtMost(path_, kConfigBytesMax);
  if (absl::IsNotFound(text.status())) return config;
  if (!text.ok()) {
    return absl::Status(
        text.status().code(),
        absl::StrCat("the file of contexts: ", text.status().message()));
  }
  const auto status =
      google::protobuf::util::JsonStringToMessage(*text, &config);
  if (!status.ok()) {
    const auto message = status.message();
    return Damaged(path_, *text,
                   absl::string_view(message.data(), message.size()));
  }
  const std::string problem = ProblemWith(config);
  if (!problem.empty()) return Damaged(path_, *text, problem);
  return config;
}

absl::Status ConfigFile::Change(
    const std::function<absl::Status(Config* config)>& change) const {
  if (path_.empty()) {
    return absl::FailedPreconditionError(
        "there is no place to keep contexts: neither XDG_CONFIG_HOME nor HOME "
        "is an absolute path");
  }
  const std::string directory(absl::StripSuffix(path_, kFile));
  if (absl::Status status = MakeDirectories(directory); !status.ok()) {
    return status;
  }
  const UniqueFd lock(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.valid()) return SystemError("cannot open", directory);
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return SystemError("cannot lock", directory);
    }
    if (absl::Status status = Pause(kLockPollInterval); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("somebody else changes `", path_,
                                       "`: ", status.message()));
    }
  }
  absl::StatusOr<Config> config = Read();
  if (!config.ok()) return config.status();
  if (absl::Status status = change(&*config); !status.ok()) return status;
  std::sort(config->mutable_contexts()->begin(),
            config->mutable_contexts()->end(),
            [](const Config::Context& a, const Config::Context& b) {
              return a.name() < b.name();
            });
  if (const std::string problem = ProblemWith(*config); !problem.empty()) {
    return absl::InvalidArgumentError(problem);
  }
  if (absl::Status status = Replace(*config); !status.ok()) return status;
  // The name is durable with its directory.
  if (fsync(lock.get()) != 0) return SystemError("cannot sync", directory);
  return absl::OkStatus();
}

absl::Status ConfigFile::Replace(const Config& config) const {
  // Of the one process that has the lock: what a crash left is written over.
  const std::string fresh = absl::StrCat(path_, ".new");
  unlink(fresh.c_str());
  const UniqueFd file(open(fresh.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           0600));
  if (!file.valid()) return SystemError("cannot write", fresh);
  absl::Status status =
      WriteAll(file.get(), ToJson(config, JsonLayout::kIndented));
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("`", fresh, "`: ", status.message()));
  }
  if (fsync(file.get()) != 0) return SystemError("cannot sync", fresh);
  if (rename(fresh.c_str(), path_.c_str()) != 0) {
    return SystemError("cannot replace", path_);
  }
  return absl::OkStatus();
}

}  // namespace vigil::cli
