#include "client/cli/telemetry_format.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/wire/time_wire.h"

namespace vigil::cli {
namespace {

// The most frequent messages that are shown; GetStatus has more.
constexpr int kMessagesShown = 3;

// "250 attempts in the last 10m: 240 succeeded, 8 INACTIVITY_TIMEOUT, ...",
// over all task types.
std::string FormatAttempts(const v1::Telemetry& telemetry) {
  std::map<v1::Failure::Reason, int64_t> by_reason;
  for (const auto& count : telemetry.reasons()) {
    by_reason[count.reason()] += count.attempts();
  }
  std::vector<std::pair<int64_t, std::string>> counts;
  for (const auto& [reason, attempts] : by_reason) {
    counts.emplace_back(attempts, reason == v1::Failure::REASON_UNSPECIFIED
                                      ? "succeeded"
                                      : FailureName(reason));
  }
  std::sort(counts.rbegin(), counts.rend());
  std::vector<std::string> parts;
  for (const auto& [attempts, what] : counts) {
    parts.push_back(absl::StrCat(attempts, " ", what));
  }
  return absl::StrCat(Plural(telemetry.attempts(), "attempt"), " in the last ",
                      HumanDuration(FromProto(telemetry.window())),
                      parts.empty() ? "" : ": ", absl::StrJoin(parts, ", "));
}

std::string FormatHealth(v1::Telemetry::Health health, const Style& style) {
  switch (health) {
    case v1::Telemetry::HEALTH_OK:
      return "OK";
    case v1::Telemetry::HEALTH_WARNING:
      return style.Yellow("WARNING");
    case v1::Telemetry::HEALTH_ACTION:
      return style.Red("ACTION");
    default:
      return "unknown";
  }
}

}  // namespace

std::string FormatTelemetry(const v1::Telemetry& telemetry,
                            const Style& style) {
  if (telemetry.attempts() == 0 && telemetry.jobs() == 0 &&
      telemetry.partial_batches() == 0) {
    return "";
  }
  std::string text =
      absl::StrCat("health: ", FormatHealth(telemetry.health(), style), "; ",
                   FormatAttempts(telemetry), "\n");
  for (const std::string& cause : telemetry.causes()) {
    absl::StrAppend(&text, "  ", style.Yellow(OneLine(cause)), "\n");
  }
  std::vector<std::string> parts;
  const auto add = [&parts](int64_t count, absl::string_view what) {
    if (count > 0) parts.push_back(absl::StrCat(count, " ", what));
  };
  add(telemetry.jobs_failed(), "failed");
  add(telemetry.retries_cured(), "succeeded after a retry");
  add(telemetry.fallbacks(), "succeeded by their fallback");
  add(telemetry.truncations(), "truncated");
  if (!parts.empty()) {
    absl::StrAppend(&text, "  of ", Plural(telemetry.jobs(), "job"), " ",
                    absl::StrJoin(parts, ", "), "\n");
  }
  if (telemetry.partial_batches() > 0) {
    absl::StrAppend(&text, "  batches that ended partial: ",
                    telemetry.partial_batches(), "\n");
  }
  for (int i = 0; i < std::min(telemetry.messages_size(), kMessagesShown);
       ++i) {
    const v1::Telemetry::MessageCount& group = telemetry.messages(i);
    absl::StrAppend(&text, "  ", group.attempts(), " x ",
                    FailureName(group.reason()), ": ", OneLine(group.message()),
                    "  ", style.Dim(absl::StrCat("job ", group.job_id())),
                    "\n");
  }
  return text;
}

}  // namespace vigil::cli
