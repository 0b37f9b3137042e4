// Proves the order of things over a real store: nothing that depends on a
// commit is sent or answered before it, several changes share one, and what was
// acknowledged is there after a restart (see engine_fixture.h).
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "coordinator/engine/engine_fixture.h"
#include "coordinator/store/sqlite_db.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

using EngineTest = EngineFixture;

// Holds back all output, and counts how often it is asked.
class HoldingWatcher : public Watcher {
 public:
  void OnJob(const std::shared_ptr<const v1::Job>&, int64_t) override {}
  void OnOutput(const std::shared_ptr<const v1::Output>&) override {}
  void ForgetOutput(const v1::Output&) override {}
  void OnNotice(const Failure&) override {}
  int64_t HeldBytes(int, int64_t received_bytes) const override {
    ++asked;
    return holds ? received_bytes : 0;
  }

  bool holds = true;
  mutable int asked = 0;
};

TEST_F(EngineTest, NothingIsSentBeforeItsCommit) {
  FakeLink link;
  Turn([&] { Attach(&link, 1); });
  Settle();
  bool answered = false;
  Turn([&] {
    Submit("true");
    engine_->WhenDurable([&] { answered = true; });
  });
  // Handed over, but not answered by the store's thread yet.
  EXPECT_EQ(link.assignments(), 0);
  EXPECT_FALSE(answered);
  AwaitPosted();
  Turn();
  EXPECT_EQ(link.assignments(), 1);
  EXPECT_TRUE(answered);
  EXPECT_EQ(link.messages.back().assignments(0).spec().command().argv(0),
            "true");
}

TEST_F(EngineTest, AcknowledgedJobsAreThereAfterARestart) {
  JobId id;
  Turn([&] { id = Submit("true"); });
  Settle();
  Reopen();
  const Job* job = engine_->core().FindJob(id);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->state, JobState::kQueued);
  EXPECT_EQ(engine_->epoch(), 2);
}

// Whoever was given the long lease may still run, though two epochs have begun
// since.
TEST_F(EngineTest, AShorterLeaseCountsOnlyWhenTheLongerOneIsOver) {
  options_.lease = absl::Minutes(30);
  Reopen();
  FakeLink link;
  Turn([&] {
    Attach(&link, 1);
    Submit("true");
  });
  Settle();
  options_.lease = absl::Seconds(5);
  for (int epoch = 0; epoch < 2; ++epoch) {
    Reopen();
    ASSERT_EQ(engine_->core().Workers().size(), 1u);
    EXPECT_GT(engine_->core().Workers()[0]->lease_time,
              engine_->now() + absl::Minutes(29));
  }
}

TEST_F(EngineTest, TheHistoryOutlivesARestartAndNotARestore) {
  const std::string history = engine_->history();
  EXPECT_FALSE(history.empty());
  Reopen();
  EXPECT_EQ(engine_->history(), history);
  engine_.reset();
  {
    auto store = store::Store::Open(directory_ + "/jobs.db", {});
    ASSERT_TRUE(store.ok()) << store.status();
    store::Batch restored;
    restored.meta.push_back({"restored", "1"});
    ASSERT_TRUE((*store)->Commit(restored).ok());
  }
  for (int epoch = 0; epoch < 2; ++epoch) {
    Reopen();
    EXPECT_NE(engine_->history(), history);
    FakeLink link;
    Turn([&] {
      Submit("true");
      Attach(&link, 1);
    });
    Settle();
    // Also after a crash within the lease.
    EXPECT_EQ(link.assignments(), 0);
  }
}

TEST_F(EngineTest, OutputThatManyPassOnIsAcknowledgedOnceATurn) {
  constexpr int kWatchers = 100;
  FakeLink link;
  StreamId stream = 0;
  JobId id;
  std::vector<HoldingWatcher> watchers(kWatchers);
  Turn([&] {
    stream = Attach(&link, 1);
    id = Submit("true");
    for (HoldingWatcher& watcher : watchers) engine_->hub().Add(id, &watcher);
  });
  Settle();
  v1::AttemptOutput output = OutputOf({id, 1}, "x");
  Turn([&] { engine_->TakeOutput(stream, output); });
  Settle();
  const auto acks = [&link] {
    int count = 0;
    for (const v1::AttachResponse& message : link.messages) {
      count += message.output_acks_size();
    }
    return count;
  };
  EXPECT_EQ(acks(), 0);
  for (HoldingWatcher& watcher : watchers) watcher.asked = 0;
  Turn([&] {
    for (HoldingWatcher& watcher : watchers) {
      watcher.holds = false;
      engine_->OutputTaken(id);
    }
  });
  EXPECT_EQ(acks(), 1);
  for (HoldingWatcher& watcher : watchers) {
    EXPECT_EQ(watcher.asked, 1);
    engine_->hub().Remove(id, &watcher);
  }
}

TEST_F(EngineTest, AWorkerThatTakesNothingCostsNoMoreThanItsBacklog) {
  constexpr int kJobs = 24;
  constexpr size_t kInputBytes = 1 << 20;
  FakeLink link;
  link.stuck = true;
  std::vector<JobId> ids;
  Turn([&] {
    Attach(&link, kJobs);
    for (int i = 0; i < kJobs; ++i) {
      v1::JobSpec spec;
      spec.mutable_command()->add_argv(std::to_string(i));
      spec.set_input(std::string(kInputBytes, 'x'));
      ids.push_back(Submit(std::move(spec)));
    }
  });
  Settle();
  Turn();
  EXPECT_EQ(engine_->core().live_in(JobState::kRunning), kJobs);
  // All that fits, and not one more.
  EXPECT_GE(link.backlog, kWorkerBacklogBytesMax);
  EXPECT_LT(link.backlog, kWorkerBacklogBytesMax + (2 << 20));
  // The last one is cancelled before it was ever sent.
  Turn([&] {
    engine_->core().Cancel(ids.back(), engine_->now(), engine_->fx());
  });
  Settle();
  EXPECT_LT(link.assignments(), kJobs);
  // It reads: everything comes, in order, and the stop behind its attempt.
  link.stuck = false;
  link.backlog = 0;
  Turn();
  while (link.assignments() < kJobs) {
    AwaitPosted();
    Turn();
  }
  std::vector<std::string> order;
  bool stopped = false;
  for (const v1::AttachResponse& message : link.messages) {
    for (const v1::Assignment& assignment : message.assignments()) {
      EXPECT_FALSE(stopped);
      EXPECT_EQ(assignment.spec().input().size(), kInputBytes);
      order.push_back(assignment.spec().command().argv(0));
    }
    if (message.stops_size() > 0) stopped = true;
  }
  EXPECT_TRUE(stopped);
  for (int i = 0; i < kJobs; ++i) EXPECT_EQ(order[i], std::to_string(i));
}

TEST_F(EngineTest, ProgramsThatLeftTheCacheAreReadBack) {
  Turn([&] { Submit("read-back"); });
  Settle();
  Reopen();  // the cache is empty now
  FakeLink link;
  Turn([&] { Attach(&link, 1); });
  while (link.assignments() == 0) {
    AwaitPosted();
    Turn();
  }
  EXPECT_EQ(link.messages.back().assignments(0).spec().command().argv(0),
            "read-back");
}

TEST_F(EngineTest, AJobWhoseProgramIsLostFailsAndDoesNotHang) {
  JobId id;
  Turn([&] { id = Submit("true"); });
  Settle();
  Reopen();
  auto db = store::SqliteDb::Open(directory_ + "/jobs.db",
                                  store::SqliteDb::Access::kWrite);
  ASSERT_TRUE(db.ok()) << db.status();
  ASSERT_TRUE((*db)->Execute("DELETE FROM payload").ok());
  FakeLink link;
  Turn([&] { Attach(&link, 1); });
  while (engine_->core().FindJob(id) != nullptr) {
    AwaitPosted();
    Turn();
  }
  EXPECT_EQ(
      engine_->core().counters().ended[static_cast<int>(JobState::kFailed)], 1);
  EXPECT_EQ(link.assignments(), 0);
}

TEST_F(EngineTest, AJobWhoseProgramCouldNotBeReadIsTriedAgain) {
  JobId id;
  Turn([&] { id = Submit("read-back"); });
  Settle();
  Reopen();
  absl::Notification begun;
  absl::Notification go;
  ASSERT_TRUE(engine_->Read(
      [&](store::StoreView&) {
        begun.Notify();
        go.WaitForNotification();
      },
      [] {}));
  // From here on it has no place in the queue.
  begun.WaitForNotification();
  while (engine_->Read([](store::StoreView&) {}, [] {})) {
  }
  FakeLink link;
  Turn([&] { Attach(&link, 1); });
  while (engine_->core().FindJob(id)->state != JobState::kBackoff) {
    AwaitPosted();
    Turn();
  }
  go.Notify();
  while (link.assignments() == 0) Turn();
  EXPECT_EQ(link.messages.back().assignments(0).attempt().number(), 2);
  EXPECT_EQ(engine_->core().FindJob(id)->charged_attempts, 1);
}

TEST_F(EngineTest, AStopNeverOvertakesItsAssignment) {
  JobId id;
  Turn([&] { id = Submit("read-back"); });
  Settle();
  Reopen();
  FakeLink link;
  Turn([&] { Attach(&link, 1); });
  Turn([&] { engine_->core().Cancel(id, engine_->now(), engine_->fx()); });
  const auto stops = [&] {
    int count = 0;
    for (const auto& message : link.messages) count += message.stops_size();
    return count;
  };
  while (stops() == 0) {
    AwaitPosted();
    Turn();
  }
  bool assigned = false;
  for (const auto& message : link.messages) {
    assigned |= message.assignments_size() > 0;
    if (message.stops_size() > 0) {
      EXPECT_TRUE(assigned);
    }
  }
}

TEST_F(EngineTest, OutputIsAcknowledgedWhenDurableAndNotBefore) {
  FakeLink link;
  StreamId stream = 0;
  JobId id;
  Turn([&] {
    stream = Attach(&link, 1);
    id = Submit("talk");
  });
  Settle();
  const auto acknowledged = [&] {
    int64_t bytes = 0;
    for (const auto& message : link.messages) {
      for (const auto& ack : message.output_acks()) bytes = ack.total_bytes();
    }
    return bytes;
  };
  Turn([&] { engine_->TakeOutput(stream, OutputOf({id, 1}, "hello")); });
  EXPECT_EQ(acknowledged(), 0);
  AwaitPosted();
  Turn();
  EXPECT_EQ(acknowledged(), 5);
}

TEST_F(EngineTest, OutputOfAnAttemptThatAnotherWorkerRunsIsNotItsOutput) {
  FakeLink link;
  FakeLink other_link;
  StreamId stream = 0;
  StreamId other = 0;
  JobId id;
  Turn([&] {
    stream = Attach(&link, 1);
    id = Submit("talk");
  });
  Settle();
  v1::AttemptOutput output = OutputOf({id, 1}, "forged");
  Turn([&] {
    // The same session on a new stream: nothing counts from the old one.
    other = Attach(&other_link, 1, {{id, 1}});
    engine_->TakeOutput(stream, output);
  });
  output.mutable_output()->set_data("true");
  Turn([&] { engine_->TakeOutput(other, output); });
  Settle();
  std::vector<store::OutputRow> rows;
  ASSERT_TRUE(engine_->Read(
      [&](store::StoreView& view) {
        auto page = view.ReadOutput(id.value(), 1, std::nullopt, 0, 100);
        if (page.ok()) rows = std::move(page->rows);
      },
      [] {}));
  AwaitPosted();
  Turn();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].data, "true");
}

// A coordinator that dies before the end is durable asks for it anew, and for
// what was written before it.
TEST_F(EngineTest, OutputOfAnAttemptWhoseEndIsNotDurableIsLeftToItsWorker) {
  FakeLink link;
  StreamId stream = 0;
  JobId id;
  Turn([&] {
    stream = Attach(&link, 1);
    id = Submit("talk");
  });
  Settle();
  const auto acks = [&] {
    int count = 0;
    for (const auto& message : link.messages) {
      count += message.output_acks_size();
    }
    return count;
  };
  Turn([&] {
    AttemptEnd end;
    end.attempt = {id, 1};
    end.last.attempt = end.attempt;
    engine_->core().End(stream, std::move(end), engine_->now(), engine_->fx());
    engine_->TakeOutput(stream, OutputOf({id, 1}, "hello"));
  });
  EXPECT_EQ(acks(), 0);
  Settle();
  EXPECT_EQ(link.messages.back().acknowledged_ends_size(), 1);
}

TEST_F(EngineTest, OutputOfAnAttemptThatWasGivenUpIsTakenOffTheWorkersHands) {
  FakeLink link;
  StreamId stream = 0;
  Turn([&] { stream = Attach(&link, 1); });
  Turn([&] {
    engine_->TakeOutput(stream, OutputOf({JobId("unknown"), 3}, "hello"));
  });
  ASSERT_FALSE(link.messages.empty());
  EXPECT_GE(link.messages.back().output_acks(0).total_bytes(), 5);
}

}  // namespace
}  // namespace vigil::coordinator
