#include "client/cli/flag_values.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/reason.h"
#include "base/utf8.h"
#include "base/wire/time_wire.h"
#include "client/cli/nearest.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli {
namespace {

absl::Status NotUtf8() {
  return absl::InvalidArgumentError("the value is not UTF-8 text");
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) ||
      duration == absl::InfiniteDuration() ||
      duration == -absl::InfiniteDuration()) {
    double number = 0;
    return absl::InvalidArgumentError(
        absl::StrCat("`", text, "` is not a duration",
                     absl::SimpleAtod(text, &number) ? "; it has no unit" : "",
                     "; write it like 45s, 1m30s or 250ms"));
  }
  return duration;
}

absl::StatusOr<v1::Failure::Reason> ParseReason(absl::string_view text) {
  const std::string upper =
      absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{"-", "_"}});
  const absl::string_view name = absl::StripPrefix(upper, "REASON_");
  std::vector<std::string> names;
  const auto* reasons = v1::Failure::Reason_descriptor();
  for (int i = 1; i < reasons->value_count(); ++i) {
    const auto reason =
        static_cast<v1::Failure::Reason>(reasons->value(i)->number());
    names.push_back(ReasonName(static_cast<Reason>(reason)));
    if (names.back() == name) return reason;
  }
  const std::string nearest = Nearest(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("`", text, "` is no reason",
                   nearest.empty() ? "; see failure.proto for their names"
                                   : "; did you mean " + nearest + "?"));
}

Setter SetText(std::string* text) {
  return [text](absl::string_view value) {
    *text = std::string(value);
    if (!IsUtf8(*text)) return NotUtf8();
    return absl::OkStatus();
  };
}

Setter SetOptionalText(std::optional<std::string>* text) {
  return [text](absl::string_view value) {
    return SetText(&text->emplace())(value);
  };
}

Setter AddText(std::vector<std::string>* list) {
  return [list](absl::string_view value) {
    list->emplace_back(value);
    if (!IsUtf8(list->back())) return NotUtf8();
    return absl::OkStatus();
  };
}

Setter SetSwitch(bool* value) {
  return [value](absl::string_view text) {
    if (absl::SimpleAtob(text, value)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("`", text, "` is neither true nor false"));
  };
}

Setter SetNumber(int min, int max, std::function<void(int)> set) {
  return [min, max, set = std::move(set)](absl::string_view text) {
    int number = 0;
    if (!absl::SimpleAtoi(text, &number) || number < min || number > max) {
      return absl::InvalidArgumentError(absl::StrCat(
          "`", text, "` is not a whole number from ", min, " to ", max));
    }
    set(number);
    return absl::OkStatus();
  };
}

Setter SetDuration(std::function<google::protobuf::Duration*()> field) {
  return [field = std::move(field)](absl::string_view text) {
    absl::StatusOr<absl::Duration> duration = ParseDuration(text);
    if (!duration.ok()) return duration.status();
    ToProto(*duration, field());
    return absl::OkStatus();
  };
}

Setter AddReasons(std::function<void(v1::Failure::Reason)> add) {
  return [add = std::move(add)](absl::string_view text) {
    for (absl::string_view name : absl::StrSplit(text, ',')) {
      absl::StatusOr<v1::Failure::Reason> reason = ParseReason(name);
      if (!reason.ok()) return reason.status();
      add(*reason);
    }
    return absl::OkStatus();
  };
}

Setter SetOutputFormat(bool* json) {
  return [json](absl::string_view text) {
    if (text != "json" && text != "text") {
      return absl::InvalidArgumentError(
          absl::StrCat("`", text, "` is neither text nor json"));
    }
    *json = text == "json";
    return absl::OkStatus();
  };
}

}  // namespace vigil::cli
