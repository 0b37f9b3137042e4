// Proves what the end of an attempt says beside its reason: the last words of
// its program, and that it worked while it was silent. Ends go in and come out
// completed.
#include "worker/loop/end_report.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/loop/limits.h"
#include "worker/loop/tail_buffer.h"

namespace vigil::worker {
namespace {

using ::testing::HasSubstr;

AttemptEnd EndWith(Reason reason) {
  AttemptEnd end;
  end.failure = Failure{reason, "what happened", ""};
  end.exit.emplace();
  end.evidence.emplace();
  end.evidence->silence = absl::Seconds(2);
  return end;
}

TEST(EndReportTest, QuotesTheLastLineThatIsNotBlank) {
  EXPECT_EQ(QuoteLastLine(""), "");
  EXPECT_EQ(QuoteLastLine(" \r\n\n"), "");
  EXPECT_EQ(QuoteLastLine("one\ntwo \n\n"), "\"two\"");
  EXPECT_EQ(QuoteLastLine("10%\r 20%"), "\"20%\"");
  EXPECT_EQ(QuoteLastLine("a\"\x01"), R"("a\"\001")");
  EXPECT_EQ(QuoteLastLine("\xc3\xa9t\xc3\xa9"), "\"\xc3\xa9t\xc3\xa9\"");
  const std::string full(kQuoteBytesMax, 'x');
  EXPECT_EQ(QuoteLastLine(full), "\"" + full + "\"");
  EXPECT_EQ(QuoteLastLine("y" + full), "\"..." + full + "\"");
  // A character is not cut in two.
  EXPECT_EQ(QuoteLastLine("\xc3\xa9" + full.substr(1)),
            "\"..." + full.substr(1) + "\"");
}

TEST(EndReportTest, AClockQuotesOutputAndAProgramItsStderr) {
  const EndFacts facts{"out\nlast out\n", "err\nlast err\n", {}};
  AttemptEnd end = EndWith(Reason::kInactivityTimeout);
  CompleteEnd(facts, &end);
  EXPECT_EQ(end.failure->message, "what happened; last output \"last out\"");
  EXPECT_EQ(end.evidence->last_output, facts.last_output);
  end = EndWith(Reason::kNonzeroExit);
  CompleteEnd(facts, &end);
  EXPECT_EQ(end.failure->message,
            "what happened; last line of stderr \"last err\"");
  end = EndWith(Reason::kCancelled);
  CompleteEnd(facts, &end);
  EXPECT_EQ(end.failure->message, "what happened");
}

TEST(EndReportTest, ASuccessStaysOne) {
  AttemptEnd end;
  CompleteEnd({"out", "err", absl::Seconds(9)}, &end);
  EXPECT_FALSE(end.failure.has_value());
  EXPECT_FALSE(end.evidence.has_value());
}

TEST(EndReportTest, WorkInSilenceBringsAdviceOnBuffering) {
  const auto advice_for = [](Reason reason, absl::Duration cpu,
                             absl::Duration silence) {
    AttemptEnd end = EndWith(reason);
    end.evidence->silence = silence;
    CompleteEnd({"", "", cpu}, &end);
    EXPECT_EQ(end.evidence->cpu_time_in_silence, cpu);
    return end.failure->advice;
  };
  // A fifth of the silence, or a second.
  EXPECT_THAT(advice_for(Reason::kInactivityTimeout, absl::Milliseconds(400),
                         absl::Seconds(2)),
              HasSubstr("400ms of CPU time while silent"));
  EXPECT_EQ(advice_for(Reason::kInactivityTimeout, absl::Milliseconds(399),
                       absl::Seconds(2)),
            "");
  EXPECT_THAT(
      advice_for(Reason::kStartupTimeout, absl::Seconds(1), absl::Seconds(120)),
      HasSubstr("buffering is likely"));
  EXPECT_EQ(advice_for(Reason::kStartupTimeout, absl::Milliseconds(990),
                       absl::Seconds(120)),
            "");
  EXPECT_EQ(advice_for(Reason::kStartToCloseTimeout, absl::Seconds(9),
                       absl::Seconds(9)),
            "");
}

TEST(TailBufferTest, KeepsTheLastBytesWhateverTheirPieces) {
  TailBuffer tail(4);
  EXPECT_EQ(tail.view(), "");
  tail.Add("ab");
  EXPECT_EQ(tail.view(), "ab");
  tail.Add("cde");
  EXPECT_EQ(tail.view(), "bcde");
  for (int i = 0; i < 100; ++i) tail.Add("x");
  EXPECT_EQ(tail.view(), "xxxx");
  tail.Add("0123456789");
  EXPECT_EQ(tail.view(), "6789");
}

}  // namespace
}  // namespace vigil::worker
