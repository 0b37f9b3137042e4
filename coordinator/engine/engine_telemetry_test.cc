// Proves when the engine counts what has ended: attempts at once, jobs when
// that is durable, and each of them once.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "coordinator/engine/engine_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class EngineTelemetryTest : public EngineFixture {
 protected:
  EngineTelemetryTest() {
    engine_->recorder().set_sink(
        [this](events::Event event) { events_.push_back(std::move(event)); });
  }

  // Runs a job as attempt 1 on a worker of `stream_`.
  void Run() {
    Turn([&] {
      stream_ = Attach(&link_, 1);
      id_ = Submit("true");
    });
    Settle();
    ASSERT_EQ(link_.assignments(), 1);
  }
  void End(std::optional<Failure> failure) {
    AttemptEnd end;
    end.attempt = {id_, 1};
    end.last.attempt = end.attempt;
    end.last.age = absl::Seconds(1);
    end.failure = std::move(failure);
    engine_->core().End(stream_, end, engine_->now(), engine_->fx());
  }
  v1::Telemetry Report() { return engine_->recorder().Report(engine_->now()); }
  int Count(events::Event::KindCase kind) const {
    return static_cast<int>(std::count_if(events_.begin(), events_.end(),
                                          [kind](const events::Event& event) {
                                            return event.kind_case() == kind;
                                          }));
  }

  FakeLink link_;
  StreamId stream_ = 0;
  JobId id_;
  std::vector<events::Event> events_;
};

TEST_F(EngineTelemetryTest, AJobCountsOnceItsEndIsDurable) {
  Run();
  EXPECT_EQ(Count(events::Event::kWorkerAttached), 1);
  Turn([&] { End(Failure{Reason::kNonzeroExit, "no"}); });
  EXPECT_EQ(Report().attempts(), 1);
  EXPECT_EQ(Count(events::Event::kAttemptFailed), 1);
  EXPECT_EQ(Report().jobs(), 0);
  EXPECT_EQ(Count(events::Event::kJobEnded), 0);
  AwaitPosted();
  Turn([&] { End(std::nullopt); });  // the worker has not heard yet
  Settle();
  EXPECT_EQ(Report().attempts(), 1);
  EXPECT_EQ(Report().jobs(), 1);
  EXPECT_EQ(Report().jobs_failed(), 1);
  EXPECT_EQ(Count(events::Event::kJobEnded), 1);
}

TEST_F(EngineTelemetryTest, AWorkersChangesAreEvents) {
  Run();
  Turn([&] {
    engine_->core().SetUsableSlots(stream_, 1, "a cause", engine_->fx());
  });
  EXPECT_EQ(Count(events::Event::kUsableSlotsChanged), 1);
  Turn([&] {
    engine_->core().WorkerDead(SessionId("s"), engine_->now(), engine_->fx());
  });
  EXPECT_EQ(Count(events::Event::kWorkerLost), 1);
  EXPECT_EQ(Report().reasons(0).reason(), v1::Failure::REASON_WORKER_LOST);
}

}  // namespace
}  // namespace vigil::coordinator
