// Proves what each way a program can end means, and that a failure by a clock
// names the clock, its length and what was seen: by judging ends as values.
#include "worker/core/classify.h"

#include <errno.h>

#include <map>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "worker/core/core_fixture.h"

namespace vigil::worker {
namespace {

Reason ReasonOf(const Verdict& verdict) {
  return verdict.failure.has_value() ? verdict.failure->reason
                                     : Reason::kUnspecified;
}

TEST(ClassifyTest, StatusZeroIsSuccessWhateverStderrSaid) {
  const Verdict verdict =
      ClassifyExit(ExitStatus(0), {}, Reason::kResourceExhausted);
  EXPECT_EQ(verdict.failure, std::nullopt);
  EXPECT_FALSE(verdict.retryable);
}

TEST(ClassifyTest, OtherStatusesAreNonzeroExitAndNameTheStatus) {
  const Verdict verdict = ClassifyExit(ExitStatus(3), {}, std::nullopt);
  EXPECT_EQ(ReasonOf(verdict), Reason::kNonzeroExit);
  EXPECT_FALSE(verdict.retryable);
  EXPECT_TRUE(absl::StrContains(verdict.failure->message, "status 3"));
}

TEST(ClassifyTest, B2_DataErrIsInvalidInputAndNotRetried) {
  const Verdict verdict = ClassifyExit(ExitStatus(65), {}, std::nullopt);
  EXPECT_EQ(ReasonOf(verdict), Reason::kInvalidInput);
  EXPECT_FALSE(verdict.retryable);
}

TEST(ClassifyTest, TempFailIsATaskErrorThatMayBeRetried) {
  const Verdict verdict = ClassifyExit(ExitStatus(75), {}, std::nullopt);
  EXPECT_EQ(ReasonOf(verdict), Reason::kTaskError);
  EXPECT_TRUE(verdict.retryable);
}

TEST(ClassifyTest, ExitReasonsComeBeforeTextAndTextBeforeSysexits) {
  const std::map<int, Reason> reasons = {{65, Reason::kTaskError},
                                         {75, Reason::kInvalidInput},
                                         {9, Reason::kOutOfMemory}};
  const auto judge = [&](int status, std::optional<Reason> text) {
    return ClassifyExit(ExitStatus(status), reasons, text);
  };
  EXPECT_EQ(ReasonOf(judge(65, Reason::kResourceExhausted)),
            Reason::kTaskError);
  EXPECT_FALSE(judge(65, std::nullopt).retryable);
  EXPECT_EQ(ReasonOf(judge(75, std::nullopt)), Reason::kInvalidInput);
  EXPECT_FALSE(judge(75, std::nullopt).retryable);
  EXPECT_EQ(ReasonOf(judge(9, std::nullopt)), Reason::kOutOfMemory);
  EXPECT_EQ(ReasonOf(judge(1, Reason::kResourceExhausted)),
            Reason::kResourceExhausted);
  EXPECT_EQ(
      ReasonOf(ClassifyExit(ExitStatus(65), {}, Reason::kResourceExhausted)),
      Reason::kResourceExhausted);
}

TEST(ClassifyTest, TempFailMappedToTaskErrorStaysRetryable) {
  const std::map<int, Reason> reasons = {{75, Reason::kTaskError}};
  EXPECT_TRUE(ClassifyExit(ExitStatus(75), reasons, std::nullopt).retryable);
}

TEST(ClassifyTest, AStrangersSignalIsSignalledUnlessStderrSaysWhy) {
  const Verdict verdict = ClassifyExit(ExitSignal(11), {}, std::nullopt);
  EXPECT_EQ(ReasonOf(verdict), Reason::kSignalled);
  EXPECT_TRUE(absl::StrContains(verdict.failure->message, "signal 11"));
  EXPECT_EQ(
      ReasonOf(ClassifyExit(ExitSignal(6), {}, Reason::kResourceExhausted)),
      Reason::kResourceExhausted);
}

TEST(ClassifyTest, B3_SpawnFailuresForWantOfResourcesAreExhaustion) {
  for (const int error : {EAGAIN, ENOMEM, EMFILE, ENFILE}) {
    EXPECT_EQ(ReasonOf(ClassifySpawnFailure(error, "fork")),
              Reason::kResourceExhausted);
  }
  for (const int error : {ENOENT, EACCES, ENOEXEC, E2BIG}) {
    EXPECT_EQ(ReasonOf(ClassifySpawnFailure(error, "exec")),
              Reason::kSpawnFailed);
  }
  EXPECT_EQ(ClassifySpawnFailure(ENOENT, "exec /no").failure->message,
            "exec /no: No such file or directory");
}

TEST(ClassifyTest, L8_AClockFailureNamesTheClockTheSilenceAndWhatWasSeen) {
  const absl::Time start = absl::FromUnixSeconds(1000);
  Supervision supervision;
  supervision.timeouts.progress = absl::Seconds(9);
  AttemptClocks clocks(supervision, start, absl::InfiniteFuture());
  clocks.Active(start + absl::Seconds(1));
  clocks.Activity(start + absl::Seconds(15));
  AttemptUpdate counts;
  counts.tokens = 7;
  counts.stdout_bytes = 40;
  counts.stderr_bytes = 2;
  const absl::Time now = start + absl::Seconds(60);
  const auto message = [&](ClockKind kind, Reason reason) {
    const Failure failure =
        ClockFailure(kind, supervision, clocks, counts, now);
    EXPECT_EQ(failure.reason, reason);
    return failure.message;
  };
  EXPECT_EQ(message(ClockKind::kInactivity, Reason::kInactivityTimeout),
            "silent for 45s after 7 tokens, 42 bytes (inactivity_timeout 45s)");
  EXPECT_EQ(message(ClockKind::kStartup, Reason::kStartupTimeout),
            "not ready 1m after its start, silent for 45s "
            "(startup_timeout 2m)");
  EXPECT_EQ(message(ClockKind::kProgress, Reason::kProgressTimeout),
            "no progress at all for 9s (progress_timeout)");
  counts.progress = Progress{37, 100, ""};
  EXPECT_EQ(message(ClockKind::kProgress, Reason::kProgressTimeout),
            "no progress beyond 37 of 100 for 9s (progress_timeout)");
  EXPECT_TRUE(absl::StrContains(
      message(ClockKind::kStartToClose, Reason::kStartToCloseTimeout),
      "start_to_close_timeout"));
  EXPECT_TRUE(absl::StrContains(
      message(ClockKind::kScheduleToClose, Reason::kScheduleToCloseTimeout),
      "schedule_to_close_timeout"));
}

}  // namespace
}  // namespace vigil::worker
