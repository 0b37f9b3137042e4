// Proves when a stream is opened, given up and opened again, and how long the
// lease lasts: from the sending of what was answered. A fake stream, simulated
// time, boundaries one tick either side.
#include "worker/loop/coordinator_link.h"

#include <string>
#include <utility>
#include <vector>

#include "base/wire/time_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kTick = absl::Nanoseconds(1);
constexpr absl::Duration kLease = absl::Seconds(30);
constexpr absl::Duration kInterval = absl::Seconds(3);

class FakeStream : public DispatchStream {
 public:
  void Open(v1::AttachRequest) override {
    ++opened;
    events.clear();
  }
  void Send(v1::AttachRequest) override {}
  void Close() override {
    ++closed;
    events.clear();
  }
  size_t backlog_bytes() const override { return 0; }
  int event_fd() const override { return -1; }
  std::vector<StreamEvent> TakeEvents() override {
    return std::exchange(events, {});
  }

  int opened = 0;
  int closed = 0;
  std::vector<StreamEvent> events;
};

class CoordinatorLinkTest : public testing::Test,
                            public CoordinatorLink::Handler {
 protected:
  v1::AttachRequest MakeAttach() override { return {}; }
  void LeaseExtended(absl::Time until) override { leases_.push_back(until); }
  void Received(const v1::AttachResponse&, absl::Time) override { ++received_; }
  void Lost(const absl::Status&) override { said_.push_back("lost"); }
  void Fenced(const absl::Status&, absl::Time) override {
    said_.push_back("fenced");
  }
  void Refused(const absl::Status&) override { said_.push_back("refused"); }

  void Give(StreamEvent event) {
    stream_.events.push_back(std::move(event));
    link_.HandleEvents(now_);
  }
  void GiveAttached(absl::Duration lease = kLease) {
    v1::AttachResponse response;
    vigil::ToProto(lease, response.mutable_attached()->mutable_lease());
    vigil::ToProto(kInterval,
                   response.mutable_attached()->mutable_heartbeat_interval());
    Give(response);
  }
  void Attach() {
    link_.Tick(now_);
    GiveAttached();
    leases_.clear();
  }
  // Loses the stream again and again, until the waits grow no more; returns
  // the last one.
  absl::Duration LoseOften() {
    absl::Duration wait;
    for (int i = 0; i < 10; ++i) {
      Give(StreamLost{absl::UnavailableError("")});
      wait = link_.NextDeadline() - now_;
      now_ = link_.NextDeadline();
      link_.Tick(now_);
    }
    return wait;
  }
  void Heartbeat() {
    v1::AttachRequest request;
    link_.AddHeartbeat(now_, {}, &request);
    number_ = request.heartbeat().number();
  }
  void Answer(int64_t number) {
    v1::AttachResponse response;
    response.set_heartbeat_number(number);
    Give(response);
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  FakeStream stream_;
  std::vector<absl::Time> leases_;
  std::vector<std::string> said_;
  int received_ = 0;
  int64_t number_ = 0;
  CoordinatorLink link_{{absl::Seconds(2), [] { return 0.0; }}, &stream_, this};
};

TEST_F(CoordinatorLinkTest, TheFirstLeaseRunsFromTheSendingOfAttach) {
  const absl::Time sent = now_;
  link_.Tick(now_);
  EXPECT_EQ(stream_.opened, 1);
  EXPECT_FALSE(link_.attached());
  now_ += absl::Seconds(5);
  GiveAttached();
  EXPECT_TRUE(link_.attached());
  EXPECT_EQ(received_, 1);
  EXPECT_THAT(leases_, ElementsAre(sent + kLease));
}

TEST_F(CoordinatorLinkTest, B9_AHeartbeatTellsOfTheHostAndOfStuckSlots) {
  Attach();
  v1::AttachRequest request;
  link_.AddHeartbeat(now_, {3, 5}, &request);
  const v1::Heartbeat& heartbeat = request.heartbeat();
  EXPECT_GE(heartbeat.host().threads(), 1);
  EXPECT_GE(heartbeat.host().cpus(), 1);
  // For coordinators of an earlier release.
  EXPECT_EQ(heartbeat.memory_available_bytes(),
            heartbeat.host().memory_available_bytes());
  EXPECT_THAT(heartbeat.stuck_slots(), ElementsAre(3, 5));
}

TEST_F(CoordinatorLinkTest,
       AnAnswerRenewsTheLeaseFromTheSendingOfItsHeartbeat) {
  Attach();
  EXPECT_TRUE(link_.HeartbeatDue(now_));
  const absl::Time first = now_;
  Heartbeat();
  EXPECT_EQ(number_, 1);
  now_ += kInterval - kTick;
  EXPECT_FALSE(link_.HeartbeatDue(now_));
  now_ += kTick;
  EXPECT_TRUE(link_.HeartbeatDue(now_));
  const absl::Time second = now_;
  Heartbeat();
  now_ += absl::Seconds(1);
  Answer(1);
  EXPECT_THAT(leases_, ElementsAre(first + kLease));
  Answer(2);
  EXPECT_THAT(leases_, ElementsAre(first + kLease, second + kLease));
  // Neither an old nor an invented answer counts.
  Answer(1);
  Answer(7);
  EXPECT_EQ(leases_.size(), 2u);
}

TEST_F(CoordinatorLinkTest, AnAnswerOvertakesEarlierOnes) {
  Attach();
  Heartbeat();
  now_ += kInterval;
  const absl::Time second = now_;
  Heartbeat();
  Answer(2);
  EXPECT_THAT(leases_, ElementsAre(second + kLease));
  EXPECT_EQ(link_.NextDeadline(), now_ + kInterval);
}

TEST_F(CoordinatorLinkTest, UnansweredHeartbeatsGiveTheStreamUpAtHalfTheLease) {
  Attach();
  const absl::Time sent = now_;
  Heartbeat();
  now_ = sent + kLease / 2 - kTick;
  link_.Tick(now_);
  EXPECT_TRUE(link_.attached());
  now_ += kTick;
  link_.Tick(now_);
  EXPECT_FALSE(link_.attached());
  EXPECT_EQ(stream_.closed, 1);
  EXPECT_THAT(said_, ElementsAre("lost"));
}

TEST_F(CoordinatorLinkTest, AnAttachThatIsNotAnsweredIsTriedAnew) {
  link_.Tick(now_);
  now_ += kAttachAnswerMax - kTick;
  link_.Tick(now_);
  EXPECT_THAT(said_, IsEmpty());
  now_ += kTick;
  link_.Tick(now_);
  EXPECT_THAT(said_, ElementsAre("lost"));
  EXPECT_EQ(stream_.closed, 1);
}

TEST_F(CoordinatorLinkTest, WaitsTwiceAsLongEachTimeUntilAttached) {
  std::vector<absl::Duration> waits;
  link_.Tick(now_);
  for (int i = 0; i < 7; ++i) {
    Give(StreamLost{absl::UnavailableError("")});
    waits.push_back(link_.NextDeadline() - now_);
    now_ = link_.NextDeadline() - kTick;
    link_.Tick(now_);
    EXPECT_EQ(stream_.opened, i + 1);
    now_ += kTick;
    link_.Tick(now_);
    EXPECT_EQ(stream_.opened, i + 2);
  }
  EXPECT_THAT(
      waits,
      ElementsAre(absl::Milliseconds(50), absl::Milliseconds(100),
                  absl::Milliseconds(200), absl::Milliseconds(400),
                  absl::Milliseconds(800), absl::Seconds(1), absl::Seconds(1)));
  GiveAttached();
  Give(StreamLost{absl::UnavailableError("")});
  EXPECT_EQ(link_.NextDeadline() - now_, absl::Milliseconds(50));
}

TEST_F(CoordinatorLinkTest, AFencedSessionWaitsForANewOne) {
  Attach();
  Give(StreamLost{absl::AbortedError("")});
  EXPECT_THAT(said_, ElementsAre("fenced"));
  EXPECT_EQ(link_.NextDeadline(), absl::InfiniteFuture());
  link_.StartSession(now_);
  now_ = link_.NextDeadline();
  link_.Tick(now_);
  EXPECT_EQ(stream_.opened, 2);
}

TEST_F(CoordinatorLinkTest, AFencedSessionHasTheNextOneAttachedAtOnce) {
  Attach();
  EXPECT_EQ(LoseOften(), absl::Seconds(1));
  // The coordinator is there: the waits of its absence are over.
  Give(StreamLost{absl::AbortedError("")});
  link_.StartSession(now_);
  EXPECT_EQ(link_.NextDeadline() - now_, absl::Milliseconds(50));
}

TEST_F(CoordinatorLinkTest, WaitsAtMostAThirdOfTheLease) {
  link_.Tick(now_);
  GiveAttached(absl::Milliseconds(3300));
  EXPECT_EQ(LoseOften(), absl::Milliseconds(550));
}

TEST_F(CoordinatorLinkTest, ARefusalIsFinal) {
  link_.Tick(now_);
  Give(StreamLost{absl::FailedPreconditionError("")});
  EXPECT_THAT(said_, ElementsAre("refused"));
  EXPECT_EQ(link_.NextDeadline(), absl::InfiniteFuture());
}

TEST_F(CoordinatorLinkTest, NothingIsTakenBeforeAttached) {
  link_.Tick(now_);
  Answer(1);
  EXPECT_EQ(received_, 0);
  EXPECT_THAT(leases_, IsEmpty());
}

TEST_F(CoordinatorLinkTest, ALeaseNoLongerThanTheIntervalIsNotAccepted) {
  link_.Tick(now_);
  v1::AttachResponse response;
  vigil::ToProto(kInterval, response.mutable_attached()->mutable_lease());
  vigil::ToProto(kInterval,
                 response.mutable_attached()->mutable_heartbeat_interval());
  Give(response);
  EXPECT_FALSE(link_.attached());
  EXPECT_THAT(said_, ElementsAre("lost"));
}

}  // namespace
}  // namespace vigil::worker
