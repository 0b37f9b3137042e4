// Proves that an explanation names the clock or cause, the evidence and the
// advice, for jobs that wait, run and ended.
#include "client/cli/explain_format.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FormatExplanationTest : public ::testing::Test {
 protected:
  std::string Explain(const char* text) {
    v1::Job job;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &job));
    return FormatExplanation(job, context_);
  }

  v1::GetStatusResponse status_;
  ExplainContext context_{.now = absl::FromUnixSeconds(1100),
                          .zone = absl::UTCTimeZone(),
                          .style = Style(Style::Colour::kNone),
                          .status = &status_};
};

TEST_F(FormatExplanationTest, FailedJobShowsCauseEvidenceAndAdvice) {
  EXPECT_EQ(
      Explain(R"pb(
        job_id: "j1"
        batch_id: "b1"
        batch_index: 7
        state: STATE_FAILED
        spec {
          command { argv: "python3" argv: "a b.py" working_directory: "/w" }
          timeouts {
            startup_timeout { seconds: 120 }
            inactivity_timeout { seconds: 45 }
          }
          retry { maximum_attempts: 1 }
          labels { key: "k" value: "v" }
        }
        create_time { seconds: 1000 }
        start_time { seconds: 1001 }
        end_time { seconds: 1060 }
        failure {
          reason: REASON_INACTIVITY_TIMEOUT
          message: "silent for 45s"
          advice: "Use --pty."
        }
        attempts {
          number: 1
          phase: PHASE_ENDED
          worker_id: "w1"
          charged: true
          assign_time { seconds: 1000 }
          start_time { seconds: 1001 }
          active_time { seconds: 1003 }
          end_time { seconds: 1060 }
          tokens: 2
          stdout_bytes: 10
          longest_silence { seconds: 45 }
          failure {
            reason: REASON_INACTIVITY_TIMEOUT
            message: "silent for 45s"
          }
          exit {
            signal: 15
            user_time { seconds: 2 }
            max_rss_bytes: 1048576
          }
          evidence {
            age { seconds: 55 }
            silence { seconds: 45 }
            last_output: "loading\n"
            cpu_time_in_silence { seconds: 44 }
            killed: true
            leftover_processes_killed: 2
            time_to_confirmed_death { seconds: 5 }
          }
        }
      )pb"),
      "job j1 FAILED\n"
      "because: INACTIVITY_TIMEOUT: silent for 45s\n"
      "advice: Use --pty.\n"
      "not retried: INACTIVITY_TIMEOUT is not in retry_on\n"
      "submitted 1970-01-01 00:16:40 (1m40s ago), started 1s later, ended "
      "1m00s after submission\n"
      "command: python3 a b.py\n"
      "in: /w\n"
      "clocks: startup 2m00s, inactivity 45s\n"
      "attempts: at most 1\n"
      "label: k=v\n"
      "batch: b1, item 7 (from 0)\n"
      "attempt 1 on w1: INACTIVITY_TIMEOUT: silent for 45s\n"
      "  assigned 1970-01-01 00:16:40, started 1s later, active after 2s, "
      "ended after 59s\n"
      "  output: 2 tokens, 10 B on stdout, 0 B on stderr, longest silence "
      "45s\n"
      "  program: signal 15 (Terminated), CPU 2s user + 0s system, memory "
      "1.0 MiB\n"
      "  evidence: stopped at age 55s, silent for 45s, used 44s of CPU in "
      "that silence, did not heed SIGTERM and was killed, 2 processes left "
      "behind were killed, proved dead 5s later\n"
      "  last output: loading\\n\n");
}

TEST_F(FormatExplanationTest, QueuedJobSaysWhatItWaitsFor) {
  status_.set_slots_busy(2);
  status_.set_slots_total(2);
  auto* queue = status_.add_queues();
  queue->set_task_type("rewrite");
  queue->set_queued(17);
  EXPECT_THAT(Explain(R"pb(
                job_id: "j"
                state: STATE_QUEUED
                spec { task_type: "rewrite" }
                waiting_reason: WAITING_REASON_SLOTS_BUSY
              )pb"),
              HasSubstr("waits: SLOTS_BUSY: every slot that could run it is "
                        "taken (2 of 2 slots are busy); 17 queued in its "
                        "queue\n"));
}

TEST_F(FormatExplanationTest, JobInBackoffSaysWhenItIsTriedAgain) {
  EXPECT_THAT(Explain(R"pb(
                job_id: "j"
                state: STATE_BACKOFF
                retry_time { seconds: 1130 }
              )pb"),
              HasSubstr("its next attempt may start in 30s"));
}

TEST_F(FormatExplanationTest, RunningJobShowsItsActivity) {
  EXPECT_THAT(Explain(R"pb(
                job_id: "j"
                state: STATE_RUNNING
                cancel_requested: true
                attempts {
                  number: 1
                  phase: PHASE_STARTING
                  start_time { seconds: 1090 }
                }
              )pb"),
              AllOf(HasSubstr("runs: STARTING  age 10s"),
                    HasSubstr("its end is asked for")));
}

TEST_F(FormatExplanationTest, AdviceIsTheReasonsWhereTheJobHasNone) {
  EXPECT_THAT(Explain(R"pb(
                job_id: "j"
                state: STATE_FAILED
                failure { reason: REASON_OUT_OF_MEMORY message: "killed" }
              )pb"),
              HasSubstr("advice: Give it more memory"));
}

TEST_F(FormatExplanationTest, ShowsOnlyTheLastAttemptsOfMany) {
  v1::Job job;
  for (int i = 1; i <= 12; ++i) job.add_attempts()->set_number(i);
  const std::string text = FormatExplanation(job, context_);
  EXPECT_THAT(text, HasSubstr("2 earlier attempts are left out"));
  EXPECT_THAT(text, Not(HasSubstr("attempt 2 ")));
  EXPECT_THAT(text, HasSubstr("attempt 3 "));
  EXPECT_THAT(text, HasSubstr("attempt 12 "));
}

TEST_F(FormatExplanationTest, ShowsWhatAWarmTaskSaidAndLeft) {
  const std::string text = Explain(R"pb(
    job_id: "j"
    namespace: "n"
    state: STATE_FAILED
    partial_result: "half"
    checkpoint {
      attempt: 2
      time { seconds: 1095 }
      size_bytes: 2048
    }
    attempts {
      number: 1
      phase: PHASE_ENDED
      failure { reason: REASON_TASK_ERROR message: "it ended early" }
    }
    attempts {
      number: 2
      phase: PHASE_ENDED
      charged: true
      tokens: 3
      heartbeats: 4
      progress { done: 37 total: 100 message: "epoch\n3" }
      failure { reason: REASON_TASK_ERROR message: "why" }
    }
  )pb");
  EXPECT_THAT(text, HasSubstr("partial result: 4 B; `vigil explain j --result "
                              "--namespace=n` writes it\n"
                              "checkpoint: of attempt 2, 5s old, 2.0 KiB\n"));
  EXPECT_THAT(text,
              HasSubstr("  output: 3 tokens, 4 heartbeats, 0 B on stdout"));
  EXPECT_THAT(text, HasSubstr("  progress: 37 of 100: epoch\\n3\n"));
  EXPECT_THAT(text, HasSubstr("it ended early\n  \n  output: 0 tokens, 0 B on "
                              "stdout, 0 B on stderr\n"
                              "  the process failed before it took the job; "
                              "this does not count against"));
}

TEST_F(FormatExplanationTest, C2_ShowsLimitsAndWhatEachAttemptDidAgainstThem) {
  const std::string text = Explain(R"pb(
    job_id: "j"
    state: STATE_FAILED
    spec {
      on_nested_pool: ON_NESTED_POOL_RETRY_SEQUENTIAL
      max_processes: 1
      max_threads: 256
    }
    failure {
      reason: REASON_RESOURCE_EXHAUSTED
      message: "no threads"
      exhaustion: EXHAUSTION_TASK
    }
    attempts {
      number: 1
      phase: PHASE_ENDED
      charged: true
      nested_calls {
        program: "python3"
        call: "fork"
        outcome: OUTCOME_REFUSED
        count: 1
      }
    }
    attempts {
      number: 2
      phase: PHASE_ENDED
      charged: true
      sequential: true
      evidence { stack_dump: "Thread 1:" }
    }
  )pb");
  EXPECT_THAT(text,
              HasSubstr("because: RESOURCE_EXHAUSTED: (the task's own) no "
                        "threads\n"));
  EXPECT_THAT(text, HasSubstr("limits: 1 process beside its own, "
                              "RETRY_SEQUENTIAL at one more; 256 threads\n"));
  EXPECT_THAT(text, HasSubstr("  nested: python3 called fork 1 time, refused\n"
                              "  how to allow: --max_processes=N (now 1)"));
  EXPECT_THAT(text, HasSubstr("  ran SEQUENTIAL, because an attempt before"));
  EXPECT_THAT(text, HasSubstr("\n  stack dump, from its stderr:\n"
                              "    Thread 1:\n"));
}

TEST_F(FormatExplanationTest, BlamesNoProcessForALostWorker) {
  const std::string text = Explain(R"pb(
    attempts {
      number: 1
      phase: PHASE_ENDED
      failure { reason: REASON_WORKER_LOST message: "it died" }
    }
  )pb");
  EXPECT_THAT(text, HasSubstr("\n  does not count against the attempts"));
  EXPECT_THAT(text, Not(HasSubstr("process failed")));
}

TEST_F(FormatExplanationTest, SaysHowLargeTheResultIs) {
  EXPECT_THAT(Explain(R"pb(
                job_id: "j" state: STATE_SUCCEEDED result: "whole"
              )pb"),
              HasSubstr("job j SUCCEEDED\nresult: 5 B; `vigil explain j "
                        "--result` writes it\n"));
}

TEST_F(FormatExplanationTest, B4_SaysHowADegradedJobWouldHaveFailed) {
  EXPECT_THAT(
      Explain(R"pb(
        job_id: "j"
        state: STATE_SUCCEEDED
        degraded: true
        fallback_failure { reason: REASON_SIGNALLED message: "by SIGSEGV" }
      )pb"),
      HasSubstr("job j SUCCEEDED\nits result is a fallback; it would have "
                "failed: SIGNALLED: by SIGSEGV\nadvice: "));
}

TEST_F(FormatExplanationTest, C3_SaysHowFarATruncatedJobCameAndWhyNoFurther) {
  const std::string text = Explain(R"pb(
    job_id: "j"
    state: STATE_SUCCEEDED
    spec {
      chunk_policy {
        chunk_timeout { seconds: 30 }
        expected_chunk_time { seconds: 5 }
        max_consecutive_slow_chunks: 2
      }
    }
    truncated: true
    truncation {
      failure { reason: REASON_SLOW_CHUNKS message: "too slow" }
      chunks_done: 3
      chunks_total: 10
    }
    result: "three"
  )pb");
  EXPECT_THAT(text, HasSubstr("job j SUCCEEDED\nits result is partial, 3 of 10 "
                              "chunks: SLOW_CHUNKS: too slow\nadvice: "));
  EXPECT_THAT(text, HasSubstr("clocks: chunk 30s, expected_chunk_time 5s (2 "
                              "slower in a row end it)\n"));
  EXPECT_THAT(Explain(R"pb(
                state: STATE_SUCCEEDED
                truncated: true
                truncation {
                  failure { reason: REASON_SLOW_CHUNKS message: "too slow" }
                  chunks_done: 3
                }
              )pb"),
              HasSubstr("what it wrote is partial, 3 chunks: SLOW_CHUNKS"));
}

TEST_F(FormatExplanationTest, SaysWhenDeathCouldNotBeProved) {
  EXPECT_THAT(Explain(R"pb(
                job_id: "j"
                state: STATE_FAILED
                attempts {
                  number: 1
                  phase: PHASE_ENDED
                  evidence { death_unconfirmed: true }
                }
              )pb"),
              HasSubstr("could NOT be proved dead"));
}

}  // namespace
}  // namespace vigil::cli
