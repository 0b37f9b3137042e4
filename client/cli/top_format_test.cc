// Proves what a person reads of a coordinator's status.
#include "client/cli/top_format.h"

#include "base/wire/time_wire.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;

const Style kPlain(Style::Colour::kNone);
const absl::Time kNow = absl::FromUnixSeconds(1100);

v1::GetStatusResponse Parse(const char* text) {
  v1::GetStatusResponse status;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &status));
  return status;
}

TEST(FormatStatus, ShowsWorkersSlotsAttemptsAndQueues) {
  const auto status = Parse(R"pb(
    build: "0.1.0"
    epoch: 3
    start_time { seconds: 1000 }
    watchers: 1
    states { state: STATE_RUNNING jobs: 1 }
    states { state: STATE_FAILED jobs: 0 }
    workers {
      worker_id: "w1"
      state: STATE_CONNECTED
      local: true
      pid: 42
      slots_max: 2
      last_heartbeat_time { seconds: 1098 }
      uptime { seconds: 90 }
      task_types: "rewrite"
      allow_commands: true
      nesting_filter { state: STATE_ENFORCED }
      host {
        load_average: 1.25
        cpus: 4
        memory_available_bytes: 3221225472
        memory_total_bytes: 17179869184
        threads: 312
        processes: 1
      }
      slots { index: 0 state: STATE_IDLE }
      slots {
        index: 1
        state: STATE_BUSY
        job_id: "j1"
        task_type: "rewrite"
        attempt {
          number: 2
          phase: PHASE_ACTIVE
          start_time { seconds: 1040 }
          last_activity_time { seconds: 1097 }
          tokens: 7
          heartbeats: 1
          stdout_bytes: 1000
          stderr_bytes: 24
          longest_silence { seconds: 12 }
          progress { done: 37 total: 100 }
        }
      }
    }
    worker_count: 1
    slots_total: 2
    slots_busy: 1
    queues {
      task_type: "rewrite"
      queued: 5
      running: 1
      waiting_reason: WAITING_REASON_SLOTS_BUSY
      oldest_time { seconds: 1050 }
    }
    attempts_lost: 4
    batches: 2
  )pb");
  EXPECT_EQ(
      FormatStatus(status, kNow, kPlain),
      "coordinator 0.1.0, epoch 3, up 1m40s, 1 watcher\n"
      "jobs: 1 RUNNING\n"
      "batches: 2 not ended\n"
      "slots: 1 of 2 busy on 1 worker\n"
      "since its start: 4 attempts lost with their worker\n"
      "workers:\n"
      "  w1  CONNECTED  1 of 2 slots busy  local  pid 42  up 1m30s  heard 2s "
      "ago\n"
      "    host  load 1.2 on 4 processors, 3.0 GiB of 16.0 GiB memory "
      "available, 312 threads, 1 process\n"
      "    offers rewrite and commands\n"
      "    slot 0  idle\n"
      "    slot 1  job j1 (rewrite)  ACTIVE  age 1m00s  last activity 3s ago  "
      "7 tokens  1 heartbeat  1.0 KiB  longest silence 12s  progress 37 of "
      "100  attempt 2\n"
      "queues:\n"
      "  rewrite  5 queued, 1 running; SLOTS_BUSY: every slot that could run "
      "it is taken; the oldest for 50s\n");
}

TEST(FormatStatus, SaysThatNothingCanRunWithoutAWorker) {
  EXPECT_THAT(FormatStatus(Parse("start_time { seconds: 1000 }"), kNow, kPlain),
              HasSubstr("no worker is connected: nothing can run"));
}

TEST(FormatStatus, ShowsWarmProcessesAndDegradedTypes) {
  const auto status = Parse(R"pb(
    workers {
      worker_id: "w"
      task_type_statuses { name: "a" in_flight: 1 warm_processes: 1 }
      task_type_statuses {
        name: "b"
        degraded: "warm-up failed:\nno disk"
        in_flight: 8
        warm_processes: 2
      }
      task_type_statuses { name: "c" degraded: "why" in_flight: 1 }
    }
  )pb");
  EXPECT_THAT(FormatStatus(status, kNow, kPlain),
              HasSubstr("    a  1 warm process\n"
                        "    b  2 warm processes, each with up to 8 jobs; "
                        "DEGRADED: warm-up failed:\\nno disk\n"
                        "    c  0 warm processes; DEGRADED: why\n"));
}

TEST(FormatStatus, ShowsAttemptsThatWarmUpAndStart) {
  const auto status = Parse(R"pb(
    workers {
      worker_id: "w"
      slots {
        index: 0
        state: STATE_BUSY
        job_id: "j1"
        attempt {
          phase: PHASE_WARMING
          assign_time { seconds: 1060 }
        }
      }
      slots {
        index: 1
        state: STATE_BUSY
        job_id: "j2"
        attempt {
          phase: PHASE_STARTING
          assign_time { seconds: 1060 }
          start_time { seconds: 1090 }
        }
      }
    }
  )pb");
  EXPECT_THAT(FormatStatus(status, kNow, kPlain),
              HasSubstr("slot 0  job j1  WARMING  assigned 40s ago  0 tokens  "
                        "0 B\n"
                        "    slot 1  job j2  STARTING  age 10s  0 tokens  0 B"
                        "\n"));
}

TEST(FormatStatus, B9_NamesWhatIsUnderStressOnAHost) {
  const auto status = Parse(R"pb(
    workers {
      worker_id: "w"
      host { load_average: 9 stress: "1,234 threads" stress: "load 9.0" }
    }
  )pb");
  EXPECT_THAT(FormatStatus(status, kNow, kPlain),
              HasSubstr("\n    host  load 9.0; STRESS: 1,234 threads, load "
                        "9.0\n"));
  EXPECT_THAT(FormatStatus(status, kNow, Style(Style::Colour::kAnsi)),
              HasSubstr("\033[31mSTRESS: 1,234 threads, load 9.0\033[0m"));
}

TEST(FormatStatus, SaysWhereTasksAreNotHeldToTheirLimits) {
  const auto shown = [](const char* filter) {
    v1::GetStatusResponse status = Parse("workers { worker_id: 'w' }");
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        filter, status.mutable_workers(0)->mutable_nesting_filter()));
    return FormatStatus(status, kNow, kPlain);
  };
  EXPECT_THAT(shown("state: STATE_UNAVAILABLE problem: 'seccomp: EACCES'"),
              HasSubstr("    processes and threads of tasks are NOT limited: "
                        "seccomp: EACCES\n"));
  EXPECT_THAT(shown("state: STATE_UNAVAILABLE"),
              HasSubstr("NOT limited: it does not say why\n"));
  EXPECT_THAT(shown(""), HasSubstr("NOT limited: the worker does not say that "
                                   "it can\n"));
  EXPECT_THAT(shown("state: STATE_ENFORCED"),
              ::testing::Not(HasSubstr("NOT limited")));
}

TEST(FormatStatus, CountsWhatShouldBeRare) {
  EXPECT_THAT(FormatStatus(Parse("deaths_unconfirmed: 1 nested_calls: 2 "
                                 "sequential_pools: 3 nested_dispatches: 4"),
                           kNow, kPlain),
              HasSubstr("since its start: 1 process trees that could not be "
                        "proved dead, 2 processes or threads beyond what a "
                        "task may have, 3 pools run in sequence, 4 jobs "
                        "refused that tasks submitted\n"));
}

TEST(FormatStatus, SaysWhoWasRefusedAndWhyTheLatestFirst) {
  v1::GetStatusResponse status = Parse("refused: 9");
  const auto refuse = [&](v1::Refusal::Limit limit, const char* name_space,
                          absl::Duration ago) {
    v1::Refusal* refusal = status.add_refusals();
    refusal->set_limit(limit);
    refusal->set_namespace_(name_space);
    refusal->set_calls(3);
    ToProto(kNow - ago, refusal->mutable_last_time());
  };
  refuse(v1::Refusal::LIMIT_LIVE_JOBS, "batch", absl::Seconds(5));
  refuse(v1::Refusal::LIMIT_STORE_READS, "", absl::Seconds(2));
  EXPECT_THAT(FormatStatus(status, kNow, kPlain),
              HasSubstr("9 calls refused\n"
                        "  refused: 3 x STORE_READS, the last 2s ago\n"
                        "  refused: 3 x LIVE_JOBS in namespace batch, the last "
                        "5s ago\n"));
  for (int i = 0; i < 7; ++i) {
    refuse(v1::Refusal::LIMIT_DISK, "n", absl::Seconds(60));
  }
  EXPECT_THAT(FormatStatus(status, kNow, kPlain), HasSubstr("  and 4 more\n"));
}

TEST(FormatStatus, SaysWhichSlotsAreNotUsableAndWhy) {
  const auto status = Parse(R"pb(
    workers {
      worker_id: "w"
      slots_max: 8
      usable_slots { slots: 4 cause: "attempt 1 of job j ended so" }
    }
  )pb");
  EXPECT_THAT(
      FormatStatus(status, kNow, kPlain),
      HasSubstr("    slots 4 of 8 usable: attempt 1 of job j ended so\n"));
}

TEST(FormatStatus, SaysNothingOfSlotsThatAreAllUsable) {
  for (const char* worker :
       {"workers { worker_id: 'w' slots_max: 8 }",
        "workers { worker_id: 'w' slots_max: 8 usable_slots { slots: 8 } }"}) {
    EXPECT_THAT(FormatStatus(Parse(worker), kNow, kPlain),
                ::testing::Not(HasSubstr("usable")));
  }
}

TEST(FormatStatus, NamesAStuckSlot) {
  const auto status = Parse(R"pb(
    workers {
      worker_id: "w"
      slots { index: 3 state: STATE_STUCK }
    }
  )pb");
  EXPECT_THAT(FormatStatus(status, kNow, kPlain), HasSubstr("slot 3  STUCK"));
}

TEST(WaitingText, HasWordsForEveryReasonAlsoUnknownOnes) {
  const auto* reasons = v1::Job::WaitingReason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    EXPECT_THAT(WaitingText(static_cast<v1::Job::WaitingReason>(
                    reasons->value(i)->number())),
                ::testing::Not(HasSubstr("this version")));
  }
  EXPECT_THAT(WaitingText(static_cast<v1::Job::WaitingReason>(99)),
              HasSubstr("this version"));
}

}  // namespace
}  // namespace vigil::cli
