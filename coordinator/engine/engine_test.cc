// Proves the order of things over a real store: nothing that depends on a
// commit is sent or answered before it, several changes share one, and what was
// acknowledged is there after a restart. The test is the loop: it runs what the
// store's threads post.
#include "coordinator/engine/engine.h"

#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class FakeLink : public WorkerLink {
 public:
  void Deliver(v1::AttachResponse message) override {
    messages.push_back(std::move(message));
  }
  void Close(absl::Status) override { closed = true; }

  int assignments() const {
    int count = 0;
    for (const v1::AttachResponse& message : messages) {
      count += message.assignments_size();
    }
    return count;
  }

  std::vector<v1::AttachResponse> messages;
  bool closed = false;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    std::string pattern = ::testing::TempDir() + "/engineXXXXXX";
    directory_ = mkdtemp(pattern.data());
    Open();
  }
  ~EngineTest() override {
    engine_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Open() {
    EngineOptions options;
    options.database_path = directory_ + "/jobs.db";
    auto engine = Engine::Open(options, [this](std::function<void()> closure) {
      absl::MutexLock lock(&mutex_);
      posted_.push_back(std::move(closure));
    });
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  // One turn: `events`, then what the threads posted.
  void Turn(const std::function<void()>& events = [] {}) {
    engine_->BeginTurn(engine_->clock().Now());
    events();
    RunPosted();
    engine_->EndTurn();
  }

  // Turns until the store has answered everything.
  void Settle() {
    bool durable = false;
    Turn([&] { engine_->WhenDurable([&] { durable = true; }); });
    while (!durable) {
      AwaitPosted();
      Turn();
    }
  }

  void AwaitPosted() {
    absl::MutexLock lock(&mutex_);
    const auto some = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return !posted_.empty();
    };
    ASSERT_TRUE(
        mutex_.AwaitWithTimeout(absl::Condition(&some), absl::Seconds(60)));
  }

  void RunPosted() {
    std::deque<std::function<void()>> posted;
    {
      absl::MutexLock lock(&mutex_);
      posted.swap(posted_);
    }
    for (const auto& closure : posted) closure();
  }

  JobId Submit(const std::string& program) {
    Submission submission;
    submission.namespace_ = "default";
    submission.spec.mutable_command()->add_argv(program);
    const auto job = engine_->Submit(std::move(submission));
    EXPECT_TRUE(job.ok()) << job.status();
    return (*job)->id;
  }

  StreamId Attach(FakeLink* link, int slots) {
    const StreamId stream = engine_->AddLink(link);
    WorkerHello hello;
    hello.worker = WorkerId("w");
    hello.session = SessionId("s");
    hello.slots = slots;
    hello.allow_commands = true;
    EXPECT_TRUE(
        engine_->core()
            .Attach(stream, std::move(hello), engine_->now(), engine_->fx())
            .ok());
    return stream;
  }

  std::string directory_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Engine> engine_;
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
  engine_.reset();
  Open();
  const Job* job = engine_->core().FindJob(id);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->state, JobState::kQueued);
  EXPECT_EQ(engine_->epoch(), 2);
}

TEST_F(EngineTest, ProgramsThatLeftTheCacheAreReadBack) {
  Turn([&] { Submit("read-back"); });
  Settle();
  engine_.reset();
  Open();  // the cache is empty now
  FakeLink link;
  Turn([&] { Attach(&link, 1); });
  while (link.assignments() == 0) {
    AwaitPosted();
    Turn();
  }
  EXPECT_EQ(link.messages.back().assignments(0).spec().command().argv(0),
            "read-back");
}

TEST_F(EngineTest, AStopNeverOvertakesItsAssignment) {
  JobId id;
  Turn([&] { id = Submit("read-back"); });
  Settle();
  engine_.reset();
  Open();
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
  Turn([&] {
    v1::AttemptOutput output;
    output.mutable_attempt()->set_job_id(id.value());
    output.mutable_attempt()->set_number(1);
    output.mutable_output()->set_stream(v1::Output::STREAM_STDOUT);
    output.mutable_output()->set_data("hello");
    engine_->TakeOutput(stream, output);
  });
  EXPECT_EQ(acknowledged(), 0);
  AwaitPosted();
  Turn();
  EXPECT_EQ(acknowledged(), 5);
}

TEST_F(EngineTest, OutputOfAnAttemptThatWasGivenUpIsTakenOffTheWorkersHands) {
  FakeLink link;
  StreamId stream = 0;
  Turn([&] { stream = Attach(&link, 1); });
  Turn([&] {
    v1::AttemptOutput output;
    output.mutable_attempt()->set_job_id("unknown");
    output.mutable_attempt()->set_number(3);
    output.mutable_output()->set_stream(v1::Output::STREAM_STDOUT);
    output.mutable_output()->set_data("hello");
    engine_->TakeOutput(stream, output);
  });
  ASSERT_FALSE(link.messages.empty());
  EXPECT_GE(link.messages.back().output_acks(0).total_bytes(), 5);
}

}  // namespace
}  // namespace vigil::coordinator
