// Proves that events become lines of JSON in their order, and that what cannot
// be kept is lost, counted and said, and holds nobody up.
#include "coordinator/telemetry/event_log.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

using events::Event;

class EventLogTest : public testing::Test {
 protected:
  EventLogTest() {
    std::string pattern = testing::TempDir() + "/eventsXXXXXX";
    directory_ = mkdtemp(pattern.data());
    options_.path = directory_ + "/log";
  }
  ~EventLogTest() override { std::filesystem::remove_all(directory_); }

  void Open(size_t queue_max = kEventQueueMax) {
    auto log = EventLog::Open(options_, queue_max);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }
  static Event Ended(const std::string& job, int64_t seconds = 1) {
    Event event;
    event.mutable_time()->set_seconds(seconds);
    event.mutable_job_ended()->set_job_id(job);
    event.mutable_job_ended()->set_state(v1::Job::STATE_SUCCEEDED);
    return event;
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::ifstream file(options_.path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::vector<Event> Events() const {
    std::vector<Event> events;
    for (const std::string& line : Lines()) {
      EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(
                      line, &events.emplace_back())
                      .ok())
          << line;
    }
    return events;
  }

  std::string directory_;
  EventFileOptions options_;
  std::unique_ptr<EventLog> log_;
};

TEST_F(EventLogTest, KeepsEventsAsLinesOfJsonInTheirOrder) {
  Open();
  log_->Add(Ended("a"));
  log_->Add(Ended("b\"\n", 2));
  log_.reset();
  ASSERT_EQ(Lines().size(), 2u);
  EXPECT_EQ(Lines()[0],
            "{\"time\":\"1970-01-01T00:00:01Z\",\"job_ended\":{\"job_id\":\"a\""
            ",\"state\":\"STATE_SUCCEEDED\"}}");
  EXPECT_EQ(Events()[1].job_ended().job_id(), "b\"\n");
}

TEST_F(EventLogTest, SaysHowManyItHadNoRoomFor) {
  Open(/*queue_max=*/3);
  for (int i = 0; i < 2000; ++i) log_->Add(Ended("c"));
  const int64_t lost = log_->lost();
  log_.reset();
  int64_t told = 0;
  int64_t kept = 0;
  for (const Event& event : Events()) {
    told += event.events_dropped().events();
    kept += event.has_job_ended() ? 1 : 0;
  }
  EXPECT_GT(told, 0);
  EXPECT_EQ(told, lost);
  EXPECT_EQ(told + kept, 2000);
  EXPECT_GE(kept, 3);
}

TEST_F(EventLogTest, ADiskThatIsFullLosesEventsAndSaysSoWhenItHasRoom) {
  Open();
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  log_->Add(Ended("a"));
  log_->Add(Ended("b"));
  const absl::Time patience = absl::Now() + absl::Seconds(60);
  while (log_->lost() < 2 && absl::Now() < patience) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(log_->lost(), 2);
  log_->Add(Ended("c"));
  log_.reset();
  const std::vector<Event> events = Events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].events_dropped().events(), 2);
  EXPECT_EQ(events[1].job_ended().job_id(), "c");
}

TEST_F(EventLogTest, IsOpenedAgainWhereItWasMovedAway) {
  Open();
  log_->Add(Ended("a"));
  log_.reset();
  Open();
  std::filesystem::rename(options_.path, options_.path + ".moved");
  log_->Reopen();
  log_->Add(Ended("b"));
  log_.reset();
  ASSERT_EQ(Events().size(), 1u);
  EXPECT_EQ(Events()[0].job_ended().job_id(), "b");
}

TEST_F(EventLogTest, ABadPathIsToldAtOnce) {
  options_.path = directory_ + "/no/such/log";
  EXPECT_FALSE(EventLog::Open(options_).ok());
}

}  // namespace
}  // namespace vigil::coordinator
