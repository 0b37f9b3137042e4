// Proves what is said of a job and of a batch's items while they are watched.
#include "client/cli/watch_format.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

template <typename Message>
Message Parse(const char* text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

TEST(JobLine, SaysWhereAJobIs) {
  EXPECT_EQ(
      JobLine(Parse<v1::Job>("job_id: 'j' state: STATE_QUEUED "
                             "waiting_reason: WAITING_REASON_SLOTS_BUSY")),
      "job j QUEUED: waits: every slot that could run it is taken");
  EXPECT_EQ(JobLine(Parse<v1::Job>(
                "job_id: 'j' state: STATE_RUNNING attempts { number: 1 } "
                "attempts { number: 2 worker_id: 'w' phase: PHASE_ACTIVE }")),
            "job j RUNNING: attempt 2 on w, ACTIVE");
  EXPECT_EQ(JobLine(Parse<v1::Job>("job_id: 'j' state: STATE_SUCCEEDED "
                                   "create_time { seconds: 10 } "
                                   "end_time { seconds: 22 }")),
            "job j SUCCEEDED after 12s");
}

TEST(JobLine, LeavesToOthersWhatTheyTell) {
  for (const char* state : {"BACKOFF", "FAILED", "CANCELLED"}) {
    EXPECT_EQ(JobLine(Parse<v1::Job>(
                  absl::StrCat("job_id: 'j' state: STATE_", state).c_str())),
              "");
  }
}

TEST(ItemLine, SaysHowAnItemEnded) {
  const auto line = [](const char* text) {
    return ItemLine(ItemOf(Parse<v1::BatchResult>(text)));
  };
  EXPECT_EQ(line("job { job_id: 'j' state: STATE_SUCCEEDED }"),
            "item 1: job j SUCCEEDED");
  EXPECT_EQ(line("index: 2 job { job_id: 'j' state: STATE_FAILED failure { "
                 "reason: REASON_NONZERO_EXIT message: 'exit\\nstatus' } }"),
            "item 3: job j FAILED: NONZERO_EXIT: exit\\nstatus");
  EXPECT_EQ(line("job { job_id: 'j' state: STATE_SUCCEEDED degraded: true "
                 "fallback_failure { reason: REASON_TASK_ERROR message: 'm' } "
                 "}"),
            "item 1: job j SUCCEEDED, degraded: TASK_ERROR: m");
  EXPECT_EQ(line("refusal { code: 3 message: 'no\\n' }"),
            "item 1: REFUSED: INVALID_ARGUMENT: no\\n");
  EXPECT_EQ(line("expired_job_id: 'j'"),
            "item 1: UNKNOWN: NOT_FOUND: its retention is over");
}

TEST(ProgressOf, KnowsTheTotalOnceABatchIsClosed) {
  v1::Batch batch = Parse<v1::Batch>(R"pb(
    state: STATE_OPEN
    counts {
      accepted: 10
      in_flight: 3
      succeeded: 2
      failed: 1
      cancelled: 1
      refused: 1
    }
  )pb");
  EXPECT_EQ(ProgressOf(batch).done, 5);
  EXPECT_EQ(ProgressOf(batch).failed, 3);
  // Waiting ones too.
  EXPECT_EQ(RenderLine(ProgressOf(batch)),
            "5 of 10+ done, 3 in flight, 3 failed, 0.0/s");
  EXPECT_EQ(ProgressOf(batch).total, std::nullopt);
  batch.set_state(v1::Batch::STATE_CLOSED);
  EXPECT_EQ(ProgressOf(batch).total, 10);
}

TEST(BatchEnd, SaysWhyABatchWasStopped) {
  EXPECT_EQ(BatchEnd(v1::Batch()), "");
  EXPECT_EQ(BatchEnd(Parse<v1::Batch>(
                "partial: true stop_message: 'm' counts { not_run: 2 }")),
            "vigil: the batch was stopped: m; 2 items not run\n");
}

TEST(AllSucceeded, IsFalseIfAnItemHasAnotherOutcomeOrNone) {
  EXPECT_TRUE(AllSucceeded(v1::Batch()));
  EXPECT_TRUE(AllSucceeded(
      Parse<v1::Batch>("counts { accepted: 2 succeeded: 2 degraded: 1 }")));
  for (const char* counts :
       {"counts { accepted: 2 succeeded: 1 failed: 1 }",
        "counts { accepted: 2 succeeded: 1 not_run: 1 }",
        "partial: true counts { accepted: 2 succeeded: 2 }"}) {
    EXPECT_FALSE(AllSucceeded(Parse<v1::Batch>(counts))) << counts;
  }
}

}  // namespace
}  // namespace vigil::cli
