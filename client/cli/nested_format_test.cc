// Proves that what a task was not to have is named with its caller, what became
// of it and what would allow it.
#include "client/cli/nested_format.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kEverything[] = R"pb(
  sequential: true
  nested_dispatches: 2
  nested_calls {
    program: "python3"
    call: "fork"
    outcome: OUTCOME_REFUSED
    count: 2
  }
  nested_calls { program: "sh" call: "vfork" outcome: OUTCOME_REFUSED count: 1 }
  nested_calls {
    program: "make"
    call: "clone"
    outcome: OUTCOME_ALLOWED
    count: 1
  }
  nested_calls {
    program: "python3"
    call: "thread"
    outcome: OUTCOME_REFUSED
    count: 4
  }
  nested_calls {
    program: "python3"
    call: "ProcessPoolExecutor"
    outcome: OUTCOME_SEQUENTIAL
    count: 3
    where: "songs.py:41"
  }
)pb";

v1::Attempt Parse(const char* text) {
  v1::Attempt attempt;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &attempt));
  return attempt;
}

v1::JobSpec Spec() {
  v1::JobSpec spec;
  spec.set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_DENY);
  spec.set_max_processes(0);
  spec.set_max_threads(256);
  return spec;
}

TEST(FormatNested, NamesCallersOutcomesAndWhatAllowsThem) {
  EXPECT_EQ(FormatNested(Parse(kEverything), Spec()),
            "  ran SEQUENTIAL, because an attempt before it had ended "
            "NESTED_POOL\n"
            "  nested: python3 called fork 2 times, refused\n"
            "  nested: sh called vfork 1 time, refused\n"
            "  nested: make called clone 1 time, let through and counted\n"
            "  nested: python3 wanted 4 threads too many, refused\n"
            "  nested: python3 opened ProcessPoolExecutor 3 times, run in the "
            "task's own process, last at songs.py:41\n"
            "  how to allow: --max_processes=N (now 0), or "
            "--on_nested_pool=sequential for pools of Python, or =audit for "
            "everything; --max_threads=N (now 256)\n"
            "  submitted 2 jobs to Vigil, refused: a task cannot wait for "
            "other jobs\n");
}

TEST(FormatNested, OfATaskTypePointsAtTheCatalog) {
  v1::JobSpec spec;
  spec.set_task_type("t");
  EXPECT_EQ(FormatNested(Parse(R"pb(
                           nested_calls {
                             program: "a\n"
                             call: "thread"
                             outcome: OUTCOME_REFUSED
                             count: 1
                           }
                         )pb"),
                         spec),
            "  nested: a\\n wanted 1 thread too many, refused\n"
            "  how to allow: --max_threads=N; for a warm task in its "
            "catalog\n");
}

TEST(FormatNested, PoolsInSequenceNeedNoAdvice) {
  EXPECT_EQ(FormatNested(Parse(R"pb(
                           nested_calls {
                             program: "python3"
                             call: "multiprocessing.Pool"
                             outcome: OUTCOME_SEQUENTIAL
                             count: 1
                           }
                         )pb"),
                         Spec()),
            "  nested: python3 opened multiprocessing.Pool 1 time, run in the "
            "task's own process\n");
}

TEST(FormatNested, KeepsAnOutcomeOfANewerCoordinator) {
  v1::Attempt attempt = Parse("nested_calls { program: 'a' call: 'b' }");
  attempt.mutable_nested_calls(0)->set_outcome(
      static_cast<v1::NestedCall::Outcome>(9));
  EXPECT_THAT(FormatNested(attempt, {}), HasSubstr("outcome 9"));
}

TEST(FormatNested, OfNothingIsNothing) {
  EXPECT_EQ(FormatNested({}, Spec()), "");
  EXPECT_EQ(NestedSummary({}, Spec()), "");
}

TEST(NestedSummary, IsOneLineForEverything) {
  EXPECT_EQ(NestedSummary(Parse(kEverything), Spec()),
            "3 processes were refused (python3: fork, sh: vfork); "
            "--max_processes=N allows more; 1 process was let through that "
            "--max_processes does not allow (make: clone); 4 threads were "
            "refused (python3); --max_threads=N allows more; 3 pools were run "
            "in the task's own process (ProcessPoolExecutor at songs.py:41)");
}

TEST(NestedSummary, OfATaskTypePointsAtTheCatalog) {
  v1::JobSpec spec = Spec();
  spec.set_task_type("t");
  EXPECT_THAT(NestedSummary(Parse(kEverything), spec),
              HasSubstr("--max_processes=N allows more (a warm task's: in its "
                        "catalog)"));
}

TEST(NestingText, SaysWhatAJobMayHave) {
  v1::JobSpec spec;
  EXPECT_EQ(NestingText(spec), "");
  spec = Spec();
  spec.set_max_processes(1);
  EXPECT_EQ(NestingText(spec),
            "1 process beside its own, DENY at one more; 256 threads");
  spec.set_max_rss_bytes(512 << 20);
  spec.set_stack_dump_signal(10);
  EXPECT_EQ(NestingText(spec),
            "1 process beside its own, DENY at one more; 256 threads; 512.0 "
            "MiB of memory; asked for its stack by signal 10 (USR1)");
}

}  // namespace
}  // namespace vigil::cli
