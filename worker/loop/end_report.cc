#include "worker/loop/end_report.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

enum class Quote { kNone, kOutput, kStderr };

Quote QuoteFor(Reason reason, const AttemptEnd& end) {
  switch (reason) {
    case Reason::kStartupTimeout:
    case Reason::kInactivityTimeout:
    case Reason::kProgressTimeout:
    case Reason::kStartToCloseTimeout:
    case Reason::kScheduleToCloseTimeout:
    case Reason::kSlowChunks:
      return Quote::kOutput;
    case Reason::kCancelled:
    case Reason::kDrained:
    case Reason::kWorkerLost:
    case Reason::kSpawnFailed:
    case Reason::kScheduleToStartTimeout:
      return Quote::kNone;
    case Reason::kUnspecified:
    case Reason::kOutOfMemory:
    case Reason::kResourceExhausted:
    case Reason::kNestedPool:
    case Reason::kNestedDispatch:
    case Reason::kInvalidInput:
    case Reason::kInvalidResult:
    case Reason::kTaskError:
    case Reason::kNonzeroExit:
    case Reason::kSignalled:
    case Reason::kProtocolError:
    case Reason::kOutputLimit:
    case Reason::kServerUnavailable:
    case Reason::kInternal:
      break;
  }
  // Reasons that exit statuses and patterns are mapped to, known here or not.
  return end.exit.has_value() ? Quote::kStderr : Quote::kNone;
}

bool WorkedInSilence(const EndFacts& facts, absl::Duration silence) {
  if (!facts.cpu_time_in_silence.has_value()) return false;
  const absl::Duration cpu = *facts.cpu_time_in_silence;
  return cpu >= kBusyCpuMin ||
         (cpu > absl::ZeroDuration() && cpu >= kBusyCpuShareMin * silence);
}

bool JudgesSilence(Reason reason) {
  return reason == Reason::kStartupTimeout ||
         reason == Reason::kInactivityTimeout ||
         reason == Reason::kProgressTimeout;
}

}  // namespace

std::string QuoteLastLine(absl::string_view text) {
  text = absl::StripTrailingAsciiWhitespace(text);
  const size_t start = text.find_last_of("\r\n");
  if (start != absl::string_view::npos) text.remove_prefix(start + 1);
  text = absl::StripLeadingAsciiWhitespace(text);
  if (text.empty()) return "";
  if (text.size() <= kQuoteBytesMax) {
    return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\"");
  }
  text.remove_prefix(text.size() - kQuoteBytesMax);
  // Not in the middle of a character.
  while (!text.empty() &&
         (static_cast<unsigned char>(text[0]) & 0xc0) == 0x80) {
    text.remove_prefix(1);
  }
  return absl::StrCat("\"...", absl::Utf8SafeCEscape(text), "\"");
}

void CompleteEnd(const EndFacts& facts, AttemptEnd* end) {
  if (end->evidence.has_value()) {
    end->evidence->last_output = facts.last_output;
    end->evidence->cpu_time_in_silence = facts.cpu_time_in_silence;
    end->evidence->tree = facts.tree;
    end->evidence->stack_dump = facts.stack_dump;
  }
  if (!end->failure.has_value()) return;
  Failure& failure = *end->failure;
  std::string quoted;
  switch (QuoteFor(failure.reason, *end)) {
    case Quote::kNone:
      break;
    case Quote::kOutput:
      quoted = QuoteLastLine(facts.last_output);
      if (!quoted.empty()) {
        absl::StrAppend(&failure.message, "; last output ", quoted);
      }
      break;
    case Quote::kStderr:
      quoted = QuoteLastLine(facts.stderr_tail);
      if (!quoted.empty()) {
        absl::StrAppend(&failure.message, "; last line of stderr ", quoted);
      }
      break;
  }
  if (failure.advice.empty() && JudgesSilence(failure.reason) &&
      end->evidence.has_value() &&
      WorkedInSilence(facts, end->evidence->silence)) {
    failure.advice = absl::StrCat(
        "It used ",
        absl::FormatDuration(
            absl::Trunc(*facts.cpu_time_in_silence, absl::Milliseconds(10))),
        " of CPU time while silent, so it worked, and buffering is likely: "
        "give it a terminal (--pty), or let it flush its output.");
  }
}

}  // namespace vigil::worker
