#include "client/cli/doctor_format.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace vigil::cli {
namespace {

// Columns of the state and of a check's name, blanks behind them included.
constexpr size_t kStateColumns = 8;
constexpr size_t kNameColumns = 13;

using State = CheckResult::State;

std::string StateColumn(State state, const Style& style) {
  switch (state) {
    case State::kOk:
      return style.Green(Fit("ok", kStateColumns));
    case State::kFailed:
      return style.Red(Fit("FAILED", kStateColumns));
    case State::kSkipped:
      return style.Yellow(Fit("skipped", kStateColumns));
  }
  return "";
}

const char* StateForJson(State state) {
  switch (state) {
    case State::kOk:
      return "OK";
    case State::kFailed:
      return "FAILED";
    case State::kSkipped:
      return "SKIPPED";
  }
  return "";
}

struct FigureJson {
  std::string operator()(int64_t value) const { return absl::StrCat(value); }
  // Three decimals: microseconds of what is told in milliseconds.
  std::string operator()(double value) const {
    return absl::StrFormat("%.3f", value);
  }
  std::string operator()(const std::string& value) const {
    return JsonString(OneLine(value));
  }
};

}  // namespace

std::string FormatCheck(const CheckResult& result,
                        const std::string& advice_before, const Style& style) {
  const std::string name = absl::StrReplaceAll(result.check, {{"_", " "}});
  std::string text =
      absl::StrCat(StateColumn(result.state, style), Fit(name, kNameColumns),
                   OneLine(result.message), "\n");
  if (!result.advice.empty() && result.advice != advice_before) {
    absl::StrAppend(&text, std::string(kStateColumns, ' '),
                    OneLine(result.advice), "\n");
  }
  return text;
}

std::string FormatSummary(const std::vector<CheckResult>& results,
                          const Style& style) {
  const auto count = [&results](State state) {
    return std::count_if(
        results.begin(), results.end(),
        [state](const CheckResult& result) { return result.state == state; });
  };
  std::string text =
      absl::StrCat(Plural(static_cast<int64_t>(results.size()), "check"), ": ",
                   count(State::kOk), " ok");
  if (const auto skipped = count(State::kSkipped); skipped > 0) {
    absl::StrAppend(&text, ", ", skipped, " skipped");
  }
  if (const auto failed = count(State::kFailed); failed > 0) {
    absl::StrAppend(&text, ", ", style.Red(absl::StrCat(failed, " FAILED")));
  }
  return text + "\n";
}

std::string CheckJson(const CheckResult& result) {
  std::string figures;
  for (const auto& [name, figure] : result.figures) {
    absl::StrAppend(&figures, figures.empty() ? "" : ",", JsonString(name), ":",
                    std::visit(FigureJson(), figure));
  }
  return absl::StrCat("{\"check\":", JsonString(result.check), ",\"state\":\"",
                      StateForJson(result.state),
                      "\",\"message\":", JsonString(OneLine(result.message)),
                      ",\"advice\":", JsonString(OneLine(result.advice)),
                      ",\"figures\":{", figures, "}}\n");
}

}  // namespace vigil::cli
