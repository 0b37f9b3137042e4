#include "client/cli/command/command_flags.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/flag_values.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::FieldDescriptor;

// What the field's comment does not say.
std::string HelpOf(const FlagSpec& spec, const FieldDescriptor* field) {
  if (!field->is_repeated()) return std::string(spec.help);
  const bool commas = field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM;
  return absl::StrCat(spec.help, spec.help.empty() ? "" : " ",
                      commas ? "May be many, with commas between."
                             : "May be given many times.");
}

}  // namespace

bool TakesProgram(const CommandSpec& command, const MethodShape& shape) {
  return !command.positionals.empty() &&
         FieldsOf(shape.request, command.positionals[0]).back()->is_repeated();
}

CommandFlags::CommandFlags(const CommandSpec& command, const MethodShape& shape)
    : set_(TakesProgram(command, shape) ? FlagSet::Positionals::kEndFlags
                                        : FlagSet::Positionals::kAnywhere) {
  const bool unary = command.streaming == Streaming::kNone;
  values_.timeout = unary ? kCommandTimeout : absl::InfiniteDuration();
  AddFields(command, shape);
  AddCommon(command, shape);
}

void CommandFlags::AddFields(const CommandSpec& command,
                             const MethodShape& shape) {
  for (const FlagSpec& spec : command.flags) {
    const FieldDescriptor* field = FieldsOf(shape.request, spec.path).back();
    set_.Add(
        {.name = std::string(spec.name),
         .value = std::string(spec.value),
         .help = HelpOf(spec, field),
         .set =
             [this, &spec](absl::string_view value) {
               values_.request.flags.push_back({&spec, std::string(value)});
               return absl::OkStatus();
             },
         .heading = &spec == command.flags.data() ? "flags" : ""});
  }
}

void CommandFlags::AddCommon(const CommandSpec& command,
                             const MethodShape& shape) {
  const bool streams_up = StreamsUp(command.streaming);
  const bool unary = command.streaming == Streaming::kNone;
  set_.Add({.name = "output",
            .letter = 'o',
            .value = "FORMAT",
            .help = absl::StrCat(
                absl::StrJoin(OutputFormatNames(), ", "), ". Default table.",
                unary ? "" : " json is jsonl here: a line for each message."),
            .set =
                [this](absl::string_view text) {
                  auto format = ParseOutputFormat(text);
                  if (format.ok()) values_.output = *format;
                  return format.status();
                },
            .heading = "flags that all commands have"});
  if (shape.list()) AddPaging();
  set_.Add({.name = "from_file",
            .value = "FILE",
            .help = streams_up
                        ? "Requests that follow the one that the flags make, "
                          "if there are any, as lines of JSON; - is stdin."
                        : "The whole request as JSON or textproto; - is "
                          "stdin. Flags win over what it says.",
            .set = [this](absl::string_view text) {
              values_.file = std::string(text);
              return absl::OkStatus();
            }});
  set_.Add(
      {.name = "timeout",
       .value = "DURATION",
       .help = unary ? absl::StrCat("How long an answer may take. "
                                    "Default ",
                                    absl::FormatDuration(kCommandTimeout), ".")
                     : "How long all of it may take. Default: for ever.",
       .set = [this](absl::string_view text) {
         auto timeout = ParseDuration(text);
         if (!timeout.ok()) return timeout.status();
         if (*timeout <= absl::ZeroDuration()) {
           return absl::InvalidArgumentError(
               absl::StrCat("`", text, "` is no time at all"));
         }
         values_.timeout = *timeout;
         return absl::OkStatus();
       }});
  set_.Add({.name = "help",
            .letter = 'h',
            .help = "Print this.",
            .set = SetSwitch(&values_.help)});
  set_.Add({.name = "version",
            .help = "Print the version.",
            .set = SetSwitch(&values_.version)});
}

void CommandFlags::AddPaging() {
  values_.limit = kRowsDefault;
  set_.Add({.name = "limit",
            .value = "N",
            .help = absl::StrCat("Rows to print at most. Default ",
                                 kRowsDefault, "."),
            .set = SetNumber(1, std::numeric_limits<int>::max(),
                             [this](int rows) { limit_ = rows; })});
  set_.Add({.name = "all",
            .help = "Print all rows, however many there are.",
            .set = SetSwitch(&all_)});
}

absl::Status CommandFlags::Parse(const std::vector<std::string>& arguments) {
  absl::StatusOr<std::vector<std::string>> words = set_.Parse(arguments);
  if (!words.ok()) return words.status();
  values_.request.positionals = *std::move(words);
  if (all_ && limit_.has_value()) {
    return absl::InvalidArgumentError("--limit and --all exclude each other");
  }
  if (all_) {
    values_.limit.reset();
  } else if (limit_.has_value()) {
    values_.limit = limit_;
  }
  return absl::OkStatus();
}

}  // namespace vigil::cli
