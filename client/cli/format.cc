#include "client/cli/format.h"

#include <string.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "base/reason.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver.h"
#include "google/protobuf/util/type_resolver_util.h"

namespace vigil::cli {
namespace {

absl::string_view WhoseShortage(v1::Failure::Exhaustion exhaustion) {
  switch (static_cast<Exhaustion>(exhaustion)) {
    case Exhaustion::kTask:
      return "(the task's own) ";
    case Exhaustion::kHost:
      return "(the host's) ";
    case Exhaustion::kUnspecified:
      break;
  }
  return "";
}

// Whether this byte behind a 0xc2 makes one of U+0080 to U+009f, which some
// terminals obey as they do ESC.
bool IsC1(char c) { return (static_cast<unsigned char>(c) & 0xe0) == 0x80; }

// Whether it takes room: the other bytes of a character do not.
bool BeginsCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

constexpr char kTypePrefix[] = "type.googleapis.com";

// The message in binary, maps sorted by their keys: else the same message has
// another text each time.
std::string Deterministic(const google::protobuf::Message& message) {
  std::string binary;
  google::protobuf::io::StringOutputStream stream(&binary);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  // No message of ours has required fields.
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return binary;
}

}  // namespace

std::string Style::Wrap(absl::string_view code, absl::string_view text) const {
  if (colour_ == Colour::kNone) return std::string(text);
  return absl::StrCat("\033[", code, "m", text, "\033[0m");
}

std::string HumanDuration(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) {
    return absl::StrCat("-", HumanDuration(-duration));
  }
  if (duration > absl::ZeroDuration() && duration < absl::Milliseconds(1)) {
    return "<1ms";
  }
  if (duration < absl::Seconds(9.95)) {
    return absl::StrFormat(
        "%.2gs",
        static_cast<double>(absl::ToInt64Milliseconds(duration)) / 1000);
  }
  const int64_t seconds = absl::ToInt64Seconds(duration + absl::Seconds(0.5));
  if (seconds < 60) return absl::StrFormat("%ds", seconds);
  const int64_t minutes = seconds / 60;
  if (minutes < 60) return absl::StrFormat("%dm%02ds", minutes, seconds % 60);
  const int64_t hours = minutes / 60;
  if (hours < 24) return absl::StrFormat("%dh%02dm", hours, minutes % 60);
  return absl::StrFormat("%dd%dh", hours / 24, hours % 24);
}

std::string AgeOf(const google::protobuf::Timestamp& since, absl::Time now) {
  return HumanDuration(std::max(absl::ZeroDuration(), now - FromProto(since)));
}

std::string Plural(int64_t count, absl::string_view noun) {
  const absl::string_view ending = absl::EndsWith(noun, "s") ? "es" : "s";
  return absl::StrCat(count, " ", noun, count == 1 ? "" : ending);
}

std::string HumanBytes(int64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  for (const char* unit : {"KiB", "MiB", "GiB"}) {
    if (value < 1024) return absl::StrFormat("%.1f %s", value, unit);
    value /= 1024;
  }
  return absl::StrFormat("%.1f TiB", value);
}

std::string HumanTime(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, zone);
}

std::string Stripped(const std::string& name, absl::string_view prefix,
                     int number) {
  if (name.empty()) return absl::StrCat(prefix, number);
  return std::string(absl::StripPrefix(name, prefix));
}

std::string StateName(v1::Job::State state) {
  return Stripped(v1::Job::State_Name(state), "STATE_", state);
}

std::string PhaseName(v1::Attempt::Phase phase) {
  return Stripped(v1::Attempt::Phase_Name(phase), "PHASE_", phase);
}

std::string WaitingName(v1::Job::WaitingReason reason) {
  return Stripped(v1::Job::WaitingReason_Name(reason), "WAITING_REASON_",
                  reason);
}

std::string FailureName(v1::Failure::Reason reason) {
  return ReasonName(static_cast<Reason>(reason));
}

std::string WorkerStateName(v1::Worker::State state) {
  return Stripped(v1::Worker::State_Name(state), "STATE_", state);
}

bool IsFinal(v1::Job::State state) {
  return state == v1::Job::STATE_SUCCEEDED || state == v1::Job::STATE_FAILED ||
         state == v1::Job::STATE_CANCELLED;
}

std::string ExplainResultCommand(const v1::Job& job) {
  const std::string& name = job.namespace_();
  return absl::StrCat("vigil explain ", job.job_id(), " --result",
                      name.empty() || name == "default"
                          ? ""
                          : absl::StrCat(" --namespace=", name));
}

std::string FailureLine(const v1::Failure& failure) {
  return absl::StrCat(FailureName(failure.reason()), ": ",
                      WhoseShortage(failure.exhaustion()),
                      OneLine(failure.message()));
}

std::string AdviceLine(const v1::Failure& failure) {
  if (!failure.advice().empty()) return OneLine(failure.advice());
  return std::string(AdviceFor(static_cast<Reason>(failure.reason())));
}

std::string ProgressText(const v1::Progress& progress) {
  return progress.total() > 0
             ? absl::StrCat(progress.done(), " of ", progress.total())
             : absl::StrCat(progress.done());
}

std::string TruncationLine(const v1::Truncation& truncation) {
  v1::Progress progress;
  progress.set_done(truncation.chunks_done());
  progress.set_total(truncation.chunks_total());
  return absl::StrCat(ProgressText(progress),
                      " chunks: ", FailureLine(truncation.failure()));
}

std::string ExitText(const v1::Exit& exit) {
  if (exit.has_signal()) {
    const char* name = sigdescr_np(exit.signal());
    return absl::StrCat("signal ", exit.signal(), " (",
                        name == nullptr ? "unknown" : name, ")");
  }
  if (exit.has_status()) return absl::StrCat("exit status ", exit.status());
  return "";
}

std::string OneLine(absl::string_view text) {
  std::string line;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppend(&line, "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else if (byte == 0xc2 && i + 1 < text.size() && IsC1(text[i + 1])) {
      absl::StrAppend(
          &line, "\\x",
          absl::Hex(static_cast<unsigned char>(text[++i]), absl::kZeroPad2));
    } else {
      line += c;
    }
  }
  return IsUtf8(line) ? line : absl::CHexEscape(line);
}

size_t CharactersOf(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), BeginsCharacter));
}

std::string Fit(absl::string_view text, size_t width) {
  size_t characters = 0;
  size_t cut = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!BeginsCharacter(text[i])) continue;
    if (characters + 3 == width) cut = i;
    ++characters;
  }
  if (characters > width) {
    return width < 3 ? std::string(width, '.')
                     : absl::StrCat(text.substr(0, cut), "...");
  }
  return absl::StrCat(text, std::string(width - characters, ' '));
}

std::string ToJson(const google::protobuf::Message& message,
                   JsonLayout layout) {
  // Never deleted: others may still print while the program ends.
  static google::protobuf::util::TypeResolver* const resolver =
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kTypePrefix, google::protobuf::DescriptorPool::generated_pool());
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = layout == JsonLayout::kIndented;
  const std::string binary = Deterministic(message);
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(
      resolver,
      absl::StrCat(kTypePrefix, "/", message.GetDescriptor()->full_name()),
      binary, &json, options);
  // Every message of ours has a JSON form.
  VIGIL_CHECK(status.ok(), status.ToString());
  return json;
}

std::string JsonString(absl::string_view text) {
  google::protobuf::Value value;
  value.set_string_value(std::string(text));
  return ToJson(value, JsonLayout::kOneLine);
}

}  // namespace vigil::cli
