#include "client/cli/progress_bar.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace vigil::cli {
namespace {

// A bar shorter than this says nothing; a longer one no more.
constexpr int kBarColumnsMin = 10;
constexpr int kBarColumnsMax = 40;

double Fraction(const BatchProgress& progress) {
  const int64_t total = progress.total.value_or(0);
  if (total <= 0) return progress.total.has_value() ? 1 : 0;
  return std::min(
      1.0, static_cast<double>(progress.done) / static_cast<double>(total));
}

// All there are, or what is known of it.
std::string Total(const BatchProgress& progress) {
  return progress.total.has_value() ? absl::StrCat(*progress.total)
                                    : absl::StrCat(progress.read, "+");
}

// `, 3 retried` and the like, of the kinds that there are.
std::string Remarks(const BatchProgress& progress,
                    absl::string_view separator) {
  std::string text;
  const auto add = [&](int64_t count, absl::string_view what) {
    if (count > 0) absl::StrAppend(&text, separator, count, " ", what);
  };
  add(progress.retried, "retried");
  add(progress.degraded, "degraded");
  add(progress.truncated, "truncated");
  return text;
}

}  // namespace

std::optional<absl::Duration> TimeLeft(const BatchProgress& progress) {
  if (!progress.total.has_value() || progress.per_second <= 0) {
    return std::nullopt;
  }
  return absl::Seconds(static_cast<double>(*progress.total - progress.done) /
                       progress.per_second);
}

std::string RenderBar(const BatchProgress& progress, int columns,
                      const Style& style) {
  const double fraction = Fraction(progress);
  // Rounded down: 100% is said of a batch that is done.
  std::string counts = absl::StrFormat(
      "%s%d/%s  %d %s",
      progress.total.has_value()
          ? absl::StrFormat("%3d%% ", static_cast<int>(100 * fraction))
          : "",
      progress.done, Total(progress), progress.running, progress.running_word);
  const std::string failed = absl::StrFormat("  %d failed", progress.failed);
  std::string rest = Remarks(progress, "  ");
  absl::StrAppendFormat(&rest, "  %.1f/s", progress.per_second);
  if (const auto left = TimeLeft(progress)) {
    absl::StrAppend(&rest, "  ", HumanDuration(*left), " left");
  }
  if (!progress.waits.empty()) {
    absl::StrAppend(&rest, "  waits: ", progress.waits);
  }
  const int used =
      static_cast<int>(counts.size() + failed.size() + rest.size());
  if (used > columns) {
    return absl::StrCat(counts, failed, rest)
        .substr(0, static_cast<size_t>(std::max(0, columns)));
  }
  std::string bar;
  const int room = std::min(columns - used - 3, kBarColumnsMax);
  if (room >= kBarColumnsMin && progress.total.has_value()) {
    const int filled = static_cast<int>(fraction * room);
    bar = absl::StrCat("[", std::string(filled, '='), filled < room ? ">" : "",
                       std::string(std::max(0, room - filled - 1), ' '), "] ");
  }
  return absl::StrCat(bar, counts,
                      progress.failed > 0 ? style.Red(failed) : failed, rest);
}

std::string RenderLine(const BatchProgress& progress) {
  std::string line = absl::StrFormat(
      "%d of %s done, %d %s, %d failed%s, %.1f/s", progress.done,
      Total(progress), progress.running, progress.running_word, progress.failed,
      Remarks(progress, ", "), progress.per_second);
  if (const auto left = TimeLeft(progress)) {
    absl::StrAppend(&line, ", ", HumanDuration(*left), " left");
  }
  if (!progress.waits.empty()) {
    absl::StrAppend(&line, "; waits: ", progress.waits);
  }
  return line;
}

}  // namespace vigil::cli
