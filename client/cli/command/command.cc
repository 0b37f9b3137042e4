#include "client/cli/command/command.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/build_version.h"
#include "client/cli/command/command_flags.h"
#include "client/cli/command/command_help.h"
#include "client/cli/command/command_lookup.h"
#include "client/cli/command/line_source.h"
#include "client/cli/command/method_shape.h"
#include "client/cli/command/printer.h"
#include "client/cli/command/request_builder.h"
#include "client/cli/command/stream_command.h"
#include "client/cli/command/unary_command.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/limits.h"
#include "client/cli/terminal.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::Message;

size_t HelpColumns() {
  const auto columns = static_cast<size_t>(ColumnsOf(STDOUT_FILENO));
  if (columns == 0) return kHelpColumnsDefault;
  return std::clamp(columns, kHelpColumnsMin, kHelpColumnsMax);
}

int PrintVersion() {
  return Print(absl::StrCat("vigil ", kBuildVersion, "\n"));
}

// One command, from its words on.
class Invocation {
 public:
  Invocation(const NounSpec& noun, const CommandSpec& command,
             const Environment& environment)
      : noun_(noun),
        command_(command),
        environment_(environment),
        shape_(MethodShape::Of(command)),
        flags_(command, shape_) {
    connection_.AddTo(flags_.set());
  }

  int Execute(const std::vector<std::string>& arguments);

 private:
  bool streams_up() const { return StreamsUp(command_.streaming); }
  // The request that the words make.
  absl::StatusOr<std::unique_ptr<Message>> Request();
  // Reads a file, or stdin, which can be read once.
  absl::StatusOr<std::string> Read(const std::string& path);
  int Stream(std::unique_ptr<Message> first);
  int Misused(const absl::Status& status);

  const NounSpec& noun_;
  const CommandSpec& command_;
  const Environment& environment_;
  const MethodShape shape_;
  Connection connection_;
  CommandFlags flags_;
  bool stdin_taken_ = false;
};

int Invocation::Execute(const std::vector<std::string>& arguments) {
  const absl::Status parsed = flags_.Parse(arguments);
  const CommandFlags::Values& values = flags_.values();
  if (values.help) {
    const std::string help =
        CommandHelp(noun_, command_, shape_, *flags_.set(), HelpColumns());
    return Print(help);
  }
  if (values.version) return PrintVersion();
  if (!parsed.ok()) return Misused(parsed);
  absl::Status fits =
      Printer::Check(*shape_.response, command_.streaming, values.output);
  if (!fits.ok()) return Misused(fits);
  absl::Status status = connection_.Resolve(environment_);
  if (!status.ok()) return Fail(status.message());
  auto request = Request();
  if (!request.ok()) return Misused(request.status());
  if (command_.streaming != Streaming::kNone) {
    return Stream(*std::move(request));
  }
  return UnaryCommand(noun_, command_, shape_, values, connection_,
                      environment_)
      .Execute(*std::move(request));
}

absl::StatusOr<std::unique_ptr<Message>> Invocation::Request() {
  const ValueSources sources = {
      .now = environment_.clock->Now(),
      .read = [this](const std::string& path) { return Read(path); }};
  RequestWords words = flags_.values().request;
  const std::optional<std::string>& file = flags_.values().file;
  if (file.has_value() && !streams_up()) {
    auto whole = Read(*file);
    if (!whole.ok()) {
      return absl::Status(
          whole.status().code(),
          absl::StrCat("--from_file: ", whole.status().message()));
    }
    words.whole = *std::move(whole);
  }
  auto request = NewMessage(shape_.request);
  absl::Status status = BuildRequest(
      command_, words, streams_up() ? Demand::kNothing : Demand::kPositionals,
      sources, request.get());
  if (!status.ok()) return status;
  FillNamespace(command_, connection_.default_namespace(), request.get());
  return request;
}

absl::StatusOr<std::string> Invocation::Read(const std::string& path) {
  if (path == "-") {
    const bool lines = streams_up() && flags_.values().file == "-";
    if (stdin_taken_ || lines) {
      return absl::InvalidArgumentError(
          "stdin is wanted twice; give one of them as a file");
    }
    stdin_taken_ = true;
  }
  return ReadAtMost(path, kRequestTextBytesMax);
}

int Invocation::Stream(std::unique_ptr<Message> first) {
  std::optional<LineSource> lines;
  if (streams_up() && flags_.values().file.has_value()) {
    auto opened = LineSource::Open(*flags_.values().file);
    if (!opened.ok()) {
      return Fail(absl::StrCat("--from_file: ", opened.status().message()));
    }
    lines = *std::move(opened);
    // Nothing was said of a first request: the first line is it.
    if (flags_.values().request.empty()) first = nullptr;
  }
  return StreamCommand(noun_, command_, shape_, flags_.values(), connection_,
                       environment_, std::move(first), std::move(lines))
      .Execute();
}

int Invocation::Misused(const absl::Status& status) {
  return Fail(absl::StrCat(status.message(), " (see `vigil ",
                           CommandName(noun_, command_), " --help`)"));
}

}  // namespace

int RunCommand(const NounSpec& noun, const std::vector<std::string>& arguments,
               const Environment& environment) {
  if (const CommandSpec* only = OnlyCommand(noun)) {
    return Invocation(noun, *only, environment).Execute(arguments);
  }
  const std::string word = arguments.empty() ? "" : arguments[0];
  const bool help = word == "--help" || word == "-h" || word == "help";
  if (help || arguments.empty()) {
    const int printed = Print(NounHelp(noun, HelpColumns()));
    return help || printed != 0 ? printed : kExitVigil;
  }
  if (word == "--version") return PrintVersion();
  if (word[0] == '-') {
    return Fail(absl::StrCat("`", word,
                             "`: flags stand behind the verb (see "
                             "`vigil ",
                             noun.noun, " --help`)"));
  }
  const CommandSpec* command = FindVerb(noun, word);
  if (command == nullptr) return Fail(NoSuchVerb(noun, word));
  return Invocation(noun, *command, environment)
      .Execute({arguments.begin() + 1, arguments.end()});
}

}  // namespace vigil::cli
