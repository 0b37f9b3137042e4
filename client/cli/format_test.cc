// Proves how times, sizes, names and raw text are written for people.
#include "client/cli/format.h"

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

TEST(HumanDuration, ShowsTwoLeadingUnits) {
  EXPECT_EQ(HumanDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(HumanDuration(absl::Microseconds(999)), "<1ms");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(1)), "0.001s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(200)), "0.2s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(253)), "0.25s");
  EXPECT_EQ(HumanDuration(absl::Seconds(4.23)), "4.2s");
  EXPECT_EQ(HumanDuration(absl::Seconds(9.96)), "10s");
  EXPECT_EQ(HumanDuration(absl::Seconds(45)), "45s");
  EXPECT_EQ(HumanDuration(absl::Seconds(59.6)), "1m00s");
  EXPECT_EQ(HumanDuration(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(HumanDuration(absl::Minutes(125)), "2h05m");
  EXPECT_EQ(HumanDuration(absl::Hours(76)), "3d4h");
  EXPECT_EQ(HumanDuration(-absl::Seconds(3)), "-3s");
}

TEST(HumanBytes, ShowsOneDecimal) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(3 << 20), "3.0 MiB");
  EXPECT_EQ(HumanBytes(int64_t{5} << 40), "5.0 TiB");
}

TEST(Names, DropTheirPrefixAndKeepUnknownNumbers) {
  EXPECT_EQ(StateName(v1::Job::STATE_RUNNING), "RUNNING");
  EXPECT_EQ(PhaseName(v1::Attempt::PHASE_ACTIVE), "ACTIVE");
  EXPECT_EQ(WaitingName(v1::Job::WAITING_REASON_SLOTS_BUSY), "SLOTS_BUSY");
  EXPECT_EQ(FailureName(v1::Failure::REASON_INACTIVITY_TIMEOUT),
            "INACTIVITY_TIMEOUT");
  EXPECT_EQ(StateName(static_cast<v1::Job::State>(99)), "STATE_99");
  EXPECT_EQ(FailureName(static_cast<v1::Failure::Reason>(99)), "REASON_99");
}

TEST(FailureLine, IsOneLineWhateverTheMessage) {
  v1::Failure failure;
  failure.set_reason(v1::Failure::REASON_NONZERO_EXIT);
  failure.set_message("two\nlines\x1b[31m");
  EXPECT_EQ(FailureLine(failure), "NONZERO_EXIT: two\\nlines\\x1b[31m");
}

TEST(AdviceLine, IsTheJobsOwnElseTheReasons) {
  v1::Failure failure;
  failure.set_reason(v1::Failure::REASON_OUT_OF_MEMORY);
  EXPECT_EQ(AdviceLine(failure), "Give it more memory, or a smaller input.");
  failure.set_advice("Do this.");
  EXPECT_EQ(AdviceLine(failure), "Do this.");
}

TEST(ExitText, NamesStatusOrSignal) {
  v1::Exit exit;
  EXPECT_EQ(ExitText(exit), "");
  exit.set_status(3);
  EXPECT_EQ(ExitText(exit), "exit status 3");
  exit.clear_status();
  exit.set_signal(11);
  EXPECT_EQ(ExitText(exit), "signal 11 (Segmentation fault)");
}

TEST(TruncationLine, C3_SaysHowFarItCameAndWhyNoFurther) {
  v1::Truncation truncation;
  truncation.set_chunks_done(3);
  truncation.mutable_failure()->set_reason(v1::Failure::REASON_SLOW_CHUNKS);
  truncation.mutable_failure()->set_message("too slow");
  EXPECT_EQ(TruncationLine(truncation), "3 chunks: SLOW_CHUNKS: too slow");
  truncation.set_chunks_total(10);
  EXPECT_EQ(TruncationLine(truncation),
            "3 of 10 chunks: SLOW_CHUNKS: too slow");
}

TEST(ProgressText, CountsOfHowManyWhereThatIsKnown) {
  v1::Progress progress;
  progress.set_done(37);
  EXPECT_EQ(ProgressText(progress), "37");
  progress.set_total(100);
  EXPECT_EQ(ProgressText(progress), "37 of 100");
}

TEST(ExplainResultCommand, NamesANamespaceThatIsNotTheDefault) {
  v1::Job job;
  job.set_job_id("j");
  EXPECT_EQ(ExplainResultCommand(job), "vigil explain j --result");
  job.set_namespace_("default");
  EXPECT_EQ(ExplainResultCommand(job), "vigil explain j --result");
  job.set_namespace_("n");
  EXPECT_EQ(ExplainResultCommand(job),
            "vigil explain j --result --namespace=n");
}

TEST(OneLine, EscapesControlCharactersAndForeignBytes) {
  EXPECT_EQ(OneLine("a\tb\n"), "a\\tb\\n");
  EXPECT_EQ(OneLine(absl::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(OneLine("\xc3\xa9"), "\xc3\xa9");
  EXPECT_EQ(OneLine("\xff"), "\\xff");
}

TEST(OneLine, EscapesControlCharactersOfTwoBytes) {
  EXPECT_EQ(OneLine("a\xc2\x9b"
                    "31m"),
            "a\\x9b31m");
  EXPECT_EQ(OneLine("\xc2\x80\xc2\x9f"), "\\x80\\x9f");
  EXPECT_EQ(OneLine("\xc2\xa0\xc3\x9b"), "\xc2\xa0\xc3\x9b");
}

TEST(Fit, FillsUpOrCutsAtCharacters) {
  EXPECT_EQ(Fit("ab", 4), "ab  ");
  EXPECT_EQ(Fit("abcd", 4), "abcd");
  EXPECT_EQ(Fit("abcdef", 5), "ab...");
  EXPECT_EQ(Fit("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 5),
            "\xc3\xa9\xc3\xa9...");
  EXPECT_EQ(Fit("abc", 2), "..");
}

TEST(Style, ColoursOnlyWhereWanted) {
  EXPECT_EQ(Style(Style::Colour::kNone).Red("x"), "x");
  EXPECT_EQ(Style(Style::Colour::kAnsi).Red("x"), "\033[31mx\033[0m");
}

TEST(Json, UsesTheNamesOfTheProtoFiles) {
  v1::Job job;
  job.set_job_id("j");
  job.set_state(v1::Job::STATE_RUNNING);
  EXPECT_EQ(ToJson(job, JsonLayout::kOneLine),
            "{\"job_id\":\"j\",\"state\":\"STATE_RUNNING\"}");
  EXPECT_EQ(JsonString("a\"\n\xc3\xa9"), "\"a\\\"\\n\xc3\xa9\"");
}

TEST(ToJson, SortsMapsSoThatTheSameMessageIsTheSameText) {
  v1::Job job;
  for (const char* key : {"d", "b", "a", "c"}) {
    (*job.mutable_spec()->mutable_labels())[key] = "";
  }
  EXPECT_EQ(ToJson(job, JsonLayout::kOneLine),
            "{\"spec\":{\"labels\":"
            "{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\"}}}");
}

TEST(Plural, AddsWhatEnglishAdds) {
  EXPECT_EQ(Plural(1, "slot"), "1 slot");
  EXPECT_EQ(Plural(0, "slot"), "0 slots");
  EXPECT_EQ(Plural(1, "process"), "1 process");
  EXPECT_EQ(Plural(2, "process"), "2 processes");
}

TEST(FailureLine, B9_SaysWhoseShortageItWasWhereThatIsKnown) {
  v1::Failure failure;
  failure.set_reason(v1::Failure::REASON_RESOURCE_EXHAUSTED);
  failure.set_message("can't start new thread");
  EXPECT_EQ(FailureLine(failure), "RESOURCE_EXHAUSTED: can't start new thread");
  failure.set_exhaustion(v1::Failure::EXHAUSTION_TASK);
  EXPECT_EQ(FailureLine(failure),
            "RESOURCE_EXHAUSTED: (the task's own) can't start new thread");
  failure.set_exhaustion(v1::Failure::EXHAUSTION_HOST);
  EXPECT_EQ(FailureLine(failure),
            "RESOURCE_EXHAUSTED: (the host's) can't start new thread");
  failure.set_exhaustion(static_cast<v1::Failure::Exhaustion>(9));
  EXPECT_EQ(FailureLine(failure), "RESOURCE_EXHAUSTED: can't start new thread");
}

}  // namespace
}  // namespace vigil::cli
