#include "client/cli/flag_values.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// Every whole number up to here is a double.
constexpr double kBytesMax = 1LL << 53;

absl::Status NotUtf8() {
  return absl::InvalidArgumentError("the value is not UTF-8 text");
}

absl::Status NotASize(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "`", text,
      "` is not a size; write it like 512M, 2GiB or a number of bytes (M and "
      "MiB are 1024 * 1024 bytes)"));
}

// 2 to the power of what the end of a size stands for; nullopt: for nothing.
std::optional<int> ShiftOf(absl::string_view unit) {
  const std::string upper = absl::AsciiStrToUpper(unit);
  absl::string_view letter = upper;
  if (letter.empty() || letter == "B") return 0;
  if (letter.size() > 1 && !absl::ConsumeSuffix(&letter, "IB") &&
      !absl::ConsumeSuffix(&letter, "I")) {
    return std::nullopt;
  }
  constexpr absl::string_view kUnits = "KMGT";
  const size_t index =
      letter.size() == 1 ? kUnits.find(letter[0]) : kUnits.npos;
  if (index == kUnits.npos) return std::nullopt;
  return 10 * (static_cast<int>(index) + 1);
}

// As names are compared: in capitals, with underscores, without `prefix`.
std::string Normal(absl::string_view text, absl::string_view prefix) {
  const std::string upper =
      absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{"-", "_"}});
  return std::string(absl::StripPrefix(upper, prefix));
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
  const std::string name = Normal(text, "REASON_");
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

absl::StatusOr<int64_t> ParseBytes(absl::string_view text) {
  const size_t digits =
      std::min(text.find_first_not_of("0123456789."), text.size());
  const std::optional<int> shift = ShiftOf(text.substr(digits));
  double number = 0;
  if (!shift.has_value() ||
      !absl::SimpleAtod(text.substr(0, digits), &number)) {
    return NotASize(text);
  }
  const double bytes = number * static_cast<double>(int64_t{1} << *shift);
  if (!(bytes <= kBytesMax)) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", text, "` is larger than any memory"));
  }
  return static_cast<int64_t>(bytes);
}

absl::StatusOr<int> ParseSignal(absl::string_view text) {
  constexpr int kSignalMax = 31;
  int number = 0;
  if (absl::SimpleAtoi(text, &number)) {
    if (number >= 1 && number <= kSignalMax) return number;
    return absl::InvalidArgumentError(
        absl::StrCat("`", text, "` is not a signal from 1 to ", kSignalMax));
  }
  const std::string name = Normal(text, "SIG");
  std::vector<std::string> names;
  for (int signal = 1; signal <= kSignalMax; ++signal) {
    const char* abbreviation = sigabbrev_np(signal);
    if (abbreviation == nullptr) continue;
    if (name == abbreviation) return signal;
    names.emplace_back(abbreviation);
  }
  const std::string nearest = Nearest(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("`", text, "` is no signal",
                   nearest.empty() ? "; USR1 is a good choice"
                                   : "; did you mean " + nearest + "?"));
}

absl::StatusOr<v1::JobSpec::OnNestedPool> ParseOnNestedPool(
    absl::string_view text) {
  constexpr absl::string_view kPrefix = "ON_NESTED_POOL_";
  const std::string name = Normal(text, kPrefix);
  std::vector<std::string> names;
  std::vector<std::string> shown;
  const auto* policies = v1::JobSpec::OnNestedPool_descriptor();
  for (int i = 1; i < policies->value_count(); ++i) {
    names.emplace_back(absl::StripPrefix(policies->value(i)->name(), kPrefix));
    if (names.back() == name) {
      return static_cast<v1::JobSpec::OnNestedPool>(
          policies->value(i)->number());
    }
    shown.push_back(absl::AsciiStrToLower(names.back()));
  }
  const std::string nearest = Nearest(name, names);
  return absl::InvalidArgumentError(absl::StrCat(
      "`", text, "` is none of ", absl::StrJoin(shown, ", "),
      nearest.empty() ? ""
                      : absl::StrCat("; did you mean ",
                                     absl::AsciiStrToLower(nearest), "?")));
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

Setter SetBytes(std::function<void(int64_t)> set) {
  return [set = std::move(set)](absl::string_view text) {
    const absl::StatusOr<int64_t> bytes = ParseBytes(text);
    if (bytes.ok()) set(*bytes);
    return bytes.status();
  };
}

Setter SetSignal(std::function<void(int)> set) {
  return [set = std::move(set)](absl::string_view text) {
    const absl::StatusOr<int> signal = ParseSignal(text);
    if (signal.ok()) set(*signal);
    return signal.status();
  };
}

Setter SetOnNestedPool(std::function<void(v1::JobSpec::OnNestedPool)> set) {
  return [set = std::move(set)](absl::string_view text) {
    const absl::StatusOr<v1::JobSpec::OnNestedPool> policy =
        ParseOnNestedPool(text);
    if (policy.ok()) set(*policy);
    return policy.status();
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

Setter SetTimeSpan(absl::Duration* span) {
  return [span](absl::string_view text) {
    const absl::StatusOr<absl::Duration> duration = ParseDuration(text);
    if (!duration.ok()) return duration.status();
    if (*duration < absl::ZeroDuration()) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", text, "` is negative"));
    }
    *span = *duration;
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

Setter SetStopRule(v1::StopRule* rule) {
  return [rule](absl::string_view text) {
    absl::string_view number = text;
    int64_t count = 0;
    double percent = 0;
    if (absl::ConsumeSuffix(&number, "%")) {
      if (absl::SimpleAtod(number, &percent) && percent > 0 && percent <= 100) {
        rule->set_failure_ratio(percent / 100);
        return absl::OkStatus();
      }
    } else if (absl::ConsumeSuffix(&number, "-in-a-row")) {
      if (absl::SimpleAtoi(number, &count) && count > 0) {
        rule->set_consecutive_failures(count);
        return absl::OkStatus();
      }
    } else if (absl::SimpleAtoi(number, &count) && count > 0) {
      rule->set_failures(count);
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("`", text, "` is none of `10`, `5-in-a-row` and `20%`"));
  };
}

Setter SetOutputFormat(bool* json) {
  return SetChoice<bool>(json, {{"text", false}, {"json", true}});
}

absl::Status NeitherOf(absl::string_view text,
                       const std::vector<std::string>& words) {
  return absl::InvalidArgumentError(
      absl::StrCat("`", text, "` is neither ",
                   absl::StrJoin(words.begin(), words.end() - 1, ", "), " nor ",
                   words.back()));
}

}  // namespace vigil::cli
