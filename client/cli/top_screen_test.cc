// Proves what `vigil top` puts on terminals of several sizes, for a made up
// status.
#include "client/cli/top_screen.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const Style kPlain(Style::Colour::kNone);

constexpr char kBusy[] = R"pb(
  build: "0.1.0"
  epoch: 3
  start_time { seconds: 1000 }
  states { state: STATE_QUEUED jobs: 5 }
  states { state: STATE_RUNNING jobs: 2 }
  states { state: STATE_FAILED jobs: 8 }
  workers {
    worker_id: "0123456789abcdef0123456789abcdef"
    state: STATE_CONNECTED
    local: true
    slots_max: 3
    last_heartbeat_time { seconds: 1098 }
    uptime { seconds: 90 }
    nesting_filter { state: STATE_ENFORCED }
    host {
      load_average: 1.25
      memory_available_bytes: 3221225472
      memory_total_bytes: 17179869184
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
        progress { done: 37 total: 100 }
      }
    }
    slots {
      index: 2
      state: STATE_BUSY
      job_id: "j2"
      task_type: "rewrite"
      attempt {
        number: 1
        phase: PHASE_STARTING
        assign_time { seconds: 1060 }
        start_time { seconds: 1060 }
      }
    }
  }
  worker_count: 1
  slots_total: 3
  slots_busy: 2
  queues {
    task_type: "rewrite"
    queued: 5
    running: 2
    waiting_reason: WAITING_REASON_SLOTS_BUSY
    oldest_time { seconds: 1050 }
  }
  telemetry {
    health: HEALTH_ACTION
    reasons { task_type: "rewrite" attempts: 40 rate: 0.8 }
    reasons {
      task_type: "rewrite"
      reason: REASON_INACTIVITY_TIMEOUT
      attempts: 10
      rate: 0.2
    }
    causes: "20.0 % of rewrite end INACTIVITY_TIMEOUT"
  }
)pb";

class TopScreenTest : public ::testing::Test {
 protected:
  TopScreenTest() { Parse(kBusy); }

  void Parse(const char* text) {
    EXPECT_TRUE(
        google::protobuf::TextFormat::ParseFromString(text, &view_.status));
    view_.address = "unix:/s";
    view_.rates = &rates_;
    view_.now = absl::FromUnixSeconds(1100);
  }

  std::vector<std::string> Render(size_t columns, size_t rows,
                                  const Style& style = kPlain) {
    view_.columns = columns;
    view_.rows = rows;
    return RenderTop(view_, style);
  }

  TopRates rates_;
  TopView view_;
};

TEST_F(TopScreenTest, ShowsEverythingWhereThereIsRoomTheMostSilentFirst) {
  EXPECT_THAT(
      Render(120, 40),
      ElementsAre(
          "vigil top  unix:/s  0.1.0  epoch 3  up 1m40s",
          "health ACTION  5 QUEUED  2 RUNNING  8 FAILED",
          "2 of 3 slots busy  1 worker  0 watchers", "",
          "WORKER                            HOST   STATE      BUSY  LOAD  "
          "MEMORY FREE  HEARD     UP",
          "0123456789abcdef0123456789abcdef  local  CONNECTED   2/3   1.2      "
          "3.0 GiB     2s  1m30s",
          "",
          "JOB  TYPE     PHASE       AGE  SILENT  TOKENS  PROGRESS   ATTEMPT  "
          "SLOT  WORKER",
          "j2   rewrite  STARTING    40s     40s       0                       "
          " "
          " 2  0123456789abcdef0123456789abcdef",
          "j1   rewrite  ACTIVE    1m00s      3s       7  37 of 100        2   "
          "  1  0123456789abcdef0123456789abcdef",
          "", "QUEUE    QUEUED  RUNNING  OLDEST  WAITS FOR",
          "rewrite       5        2     50s  SLOTS_BUSY", "",
          "FAILURE             TYPE     ATTEMPTS    RATE",
          "INACTIVITY_TIMEOUT  rewrite        10  20.0 %",
          "20.0 % of rewrite end INACTIVITY_TIMEOUT"));
}

TEST_F(TopScreenTest, KeepsWhatMattersInANarrowWindow) {
  EXPECT_THAT(Render(40, 40),
              ElementsAre("vigil top  unix:/s  0.1.0  epoch 3", "up 1m40s",
                          "health ACTION  5 QUEUED  2 RUNNING", "8 FAILED",
                          "2 of 3 slots busy  1 worker  0 watchers", "",
                          "WORKER            STATE      BUSY  HEARD",
                          "0123456789abc...  CONNECTED   2/3     2s", "",
                          "JOB  PHASE       AGE  SILENT  PROGRESS",
                          "j2   STARTING    40s     40s",
                          "j1   ACTIVE    1m00s      3s  37 of 100", "",
                          "QUEUE    QUEUED  OLDEST  WAITS FOR",
                          "rewrite       5     50s  SLOTS_BUSY", "",
                          "FAILURE             ATTEMPTS    RATE",
                          "INACTIVITY_TIMEOUT        10  20.0 %",
                          "20.0 % of rewrite end INACTIVITY_TIMEOUT"));
}

TEST_F(TopScreenTest, FitsIntoEveryWindow) {
  for (size_t columns = 0; columns < 130; ++columns) {
    for (size_t rows = 0; rows < 20; ++rows) {
      const std::vector<std::string> lines = Render(columns, rows);
      EXPECT_LE(lines.size(), rows);
      for (const std::string& line : lines) EXPECT_LE(line.size(), columns);
    }
  }
}

TEST_F(TopScreenTest, SharesALowWindowAndCountsWhatIsLeftOut) {
  for (int i = 3; i < 40; ++i) {
    v1::Slot* slot = view_.status.mutable_workers(0)->add_slots();
    *slot = view_.status.workers(0).slots(1);
    slot->set_job_id(absl::StrCat("more", i));
  }
  const std::vector<std::string> lines = Render(80, 16);
  EXPECT_THAT(lines, SizeIs(16));
  EXPECT_THAT(lines, Contains("and 35 more"));
  EXPECT_THAT(lines, Contains(HasSubstr("SLOTS_BUSY")));
  EXPECT_THAT(lines, Contains(HasSubstr("INACTIVITY_TIMEOUT  rewrite")));
}

TEST_F(TopScreenTest, ShowsRatesOnceTheyAreKnown) {
  rates_.Record(view_.status, view_.now - absl::Seconds(2));
  view_.status.mutable_states(2)->set_jobs(28);
  view_.status.mutable_workers(0)
      ->mutable_slots(1)
      ->mutable_attempt()
      ->set_tokens(107);
  rates_.Record(view_.status, view_.now);
  const std::vector<std::string> lines = Render(120, 40);
  EXPECT_THAT(lines, Contains(HasSubstr("10 jobs/s  50 tokens/s")));
  EXPECT_THAT(lines, Contains(HasSubstr("107        50  37 of 100")));
}

TEST_F(TopScreenTest, SaysThatWhatItShowsIsOld) {
  view_.trouble = "not reachable since 12s: connection refused";
  EXPECT_THAT(Render(80, 24)[1], "not reachable since 12s: connection refused");
  EXPECT_THAT(Render(80, 24, Style(Style::Colour::kAnsi))[1],
              "\033[31mnot reachable since 12s: connection refused\033[0m");
}

TEST_F(TopScreenTest, SaysThatNothingCanRunWithoutAWorker) {
  view_.status.Clear();
  EXPECT_THAT(
      Render(80, 24),
      Contains("no worker is connected:  nothing can run until one is"));
}

TEST_F(TopScreenTest, PutsASlotThatIsStuckFirst) {
  v1::Slot* slot = view_.status.mutable_workers(0)->add_slots();
  slot->set_index(3);
  slot->set_state(v1::Slot::STATE_STUCK);
  const std::vector<std::string> lines = Render(120, 40);
  EXPECT_THAT(lines[8], HasSubstr("(cannot be killed)"));
  EXPECT_THAT(lines[8], HasSubstr("STUCK"));
}

TEST_F(TopScreenTest, SaysWhatIsWrongWithAWorker) {
  const auto note = [this](const char* worker) {
    view_.status.Clear();
    Parse(worker);
    return absl::StrJoin(Render(160, 24), "\n");
  };
  EXPECT_THAT(note("workers { nesting_filter { state: STATE_UNAVAILABLE } }"),
              HasSubstr("tasks NOT limited"));
  EXPECT_THAT(note("workers { slots_max: 4 usable_slots { slots: 2 cause: 'c' "
                   "} }"),
              HasSubstr("only 2 usable: c"));
  EXPECT_THAT(note("workers { host { stress: 'load 9.0' stress: 'x' } }"),
              HasSubstr("STRESS: load 9.0, x"));
  EXPECT_THAT(note("workers { nesting_filter { state: STATE_ENFORCED } }"),
              Not(HasSubstr("NOTE")));
}

TEST_F(TopScreenTest, SendsNoControlCodesOfOthers) {
  v1::Worker* worker = view_.status.mutable_workers(0);
  worker->set_hostname("\033[2Jhost");
  worker->set_local(false);
  worker->add_task_types("t");
  worker->mutable_host()->add_stress("\033]0;title\007");
  view_.status.set_build("\x9b");
  view_.status.mutable_telemetry()->add_causes(
      "\xc2\x9b"
      "2J");
  view_.trouble = OneLine("\033c");
  for (const std::string& line : Render(200, 40)) {
    for (const char c : line) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
    }
    EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
  }
}

}  // namespace
}  // namespace vigil::cli
