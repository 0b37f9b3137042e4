// Proves what the patterns of jobs and task types find in text: readiness,
// progress and reasons. Text goes in, findings come out.
#include "gtest/gtest.h"
#include "worker/loop/line_patterns.h"
#include "worker/loop/reason_patterns.h"

namespace vigil::worker {
namespace {

LinePatterns Compiled(const v1::JobSpec& spec) {
  absl::StatusOr<LinePatterns> patterns = LinePatterns::Compile(spec);
  EXPECT_TRUE(patterns.ok()) << patterns.status();
  return patterns.ok() ? *std::move(patterns) : LinePatterns();
}

TEST(LinePatternsTest, LookForNothingUnlessAsked) {
  const LinePatterns patterns = Compiled(v1::JobSpec());
  EXPECT_FALSE(patterns.any());
  EXPECT_FALSE(patterns.IsReady("ready"));
  EXPECT_FALSE(patterns.ProgressIn("1/2").has_value());
}

TEST(LinePatternsTest, AProgressTimeoutBringsTheDefaultPattern) {
  v1::JobSpec spec;
  spec.mutable_timeouts()->mutable_progress_timeout()->set_seconds(1);
  const LinePatterns patterns = Compiled(spec);
  EXPECT_TRUE(patterns.any());
  const auto slash = patterns.ProgressIn("[ 12 / 40] building x.o");
  ASSERT_TRUE(slash.has_value());
  EXPECT_EQ(slash->done, 12);
  EXPECT_EQ(slash->total, 40);
  EXPECT_EQ(slash->message, "[ 12 / 40] building x.o");
  EXPECT_EQ(patterns.ProgressIn("3 of 7")->total, 7);
  EXPECT_FALSE(patterns.ProgressIn("no numbers").has_value());
  EXPECT_FALSE(patterns.ProgressIn("99999999999999999999/1").has_value());
}

TEST(LinePatternsTest, C3_SoDoesAChunkPolicy) {
  v1::JobSpec spec;
  spec.mutable_chunk_policy();
  const LinePatterns patterns = Compiled(spec);
  ASSERT_TRUE(patterns.ProgressIn("3 of 7").has_value());
  EXPECT_EQ(patterns.ProgressIn("3 of 7")->done, 3);
}

TEST(LinePatternsTest, OneGroupHasNoTotal) {
  v1::JobSpec spec;
  spec.mutable_activity()->set_progress_pattern("step (-?\\d+)");
  const LinePatterns patterns = Compiled(spec);
  EXPECT_EQ(patterns.ProgressIn("step 5")->done, 5);
  EXPECT_EQ(patterns.ProgressIn("step 5")->total, 0);
  EXPECT_FALSE(patterns.ProgressIn("step -5").has_value());
}

TEST(LinePatternsTest, APatternThatDoesNotCompileNamesItsField) {
  v1::JobSpec spec;
  spec.mutable_activity()->set_ready_pattern("(");
  EXPECT_EQ(LinePatterns::Compile(spec).status().message().substr(0, 22),
            "activity.ready_pattern");
  spec.mutable_activity()->set_ready_pattern("up");
  EXPECT_TRUE(Compiled(spec).IsReady("it is up now"));
  spec.mutable_activity()->set_progress_pattern("no groups");
  EXPECT_EQ(LinePatterns::Compile(spec).status().message().substr(0, 25),
            "activity.progress_pattern");
}

TEST(ReasonPatternsTest, ATypesOwnComeFirstInOrder) {
  v1::TaskType type;
  v1::ReasonPattern* pattern = type.add_reason_patterns();
  pattern->set_pattern("CUDA.*memory");
  pattern->set_reason(v1::Failure::REASON_OUT_OF_MEMORY);
  pattern = type.add_reason_patterns();
  pattern->set_pattern("memory");
  pattern->set_reason(v1::Failure::REASON_TASK_ERROR);
  const ReasonPatterns patterns(type);
  EXPECT_EQ(patterns.Find("x\nCUDA: no memory\n"), Reason::kOutOfMemory);
  EXPECT_EQ(patterns.Find("Cannot allocate memory"), Reason::kTaskError);
  EXPECT_EQ(patterns.Find("fine"), std::nullopt);
}

TEST(ReasonPatternsTest, WhatRanOutIsKnownToAll) {
  const ReasonPatterns patterns;
  for (const char* text :
       {"RuntimeError: can't start new thread",
        "OSError: [Errno 12] Cannot allocate memory", "Too many open files",
        "fork: retry: Resource temporarily unavailable"}) {
    EXPECT_EQ(patterns.Find(text), Reason::kResourceExhausted) << text;
  }
  EXPECT_EQ(patterns.Find("Killed"), std::nullopt);
}

}  // namespace
}  // namespace vigil::worker
