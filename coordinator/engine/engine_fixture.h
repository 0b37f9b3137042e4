// EngineFixture: an engine over a real store in a directory of its own. The
// test is the loop: it runs what the store's threads post. Test only;
// thread-compatible; owns the engine and the directory.
#ifndef VIGIL_COORDINATOR_ENGINE_ENGINE_FIXTURE_H_
#define VIGIL_COORDINATOR_ENGINE_ENGINE_FIXTURE_H_

#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "coordinator/engine/engine.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {

class FakeLink : public WorkerLink {
 public:
  void Deliver(v1::AttachResponse message) override {
    if (stuck) backlog += static_cast<int64_t>(message.ByteSizeLong());
    messages.push_back(std::move(message));
  }
  void Close(absl::Status) override { closed = true; }
  int64_t backlog_bytes() const override { return backlog; }

  int assignments() const {
    int count = 0;
    for (const v1::AttachResponse& message : messages) {
      count += message.assignments_size();
    }
    return count;
  }

  std::vector<v1::AttachResponse> messages;
  bool closed = false;
  // Takes nothing: what is delivered lies about.
  bool stuck = false;
  int64_t backlog = 0;
};

class EngineFixture : public ::testing::Test {
 protected:
  EngineFixture() {
    std::string pattern = ::testing::TempDir() + "/engineXXXXXX";
    directory_ = mkdtemp(pattern.data());
    Open();
  }
  ~EngineFixture() override {
    engine_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Open() {
    options_.database_path = directory_ + "/jobs.db";
    auto engine = Engine::Open(options_, [this](std::function<void()> closure) {
      absl::MutexLock lock(&mutex_);
      posted_.push_back(std::move(closure));
    });
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  // As a coordinator that is stopped and started again.
  void Reopen() {
    engine_.reset();
    {
      // What its threads still had to say.
      absl::MutexLock lock(&mutex_);
      posted_.clear();
    }
    Open();
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
    v1::JobSpec spec;
    spec.mutable_command()->add_argv(program);
    return Submit(std::move(spec));
  }
  JobId Submit(v1::JobSpec spec) {
    Submission submission;
    submission.namespace_ = "default";
    submission.spec = std::move(spec);
    const auto job = engine_->Submit(std::move(submission));
    EXPECT_TRUE(job.ok()) << job.status();
    return (*job)->id;
  }

  // The first that an attempt wrote to stdout, as its worker says it.
  static v1::AttemptOutput OutputOf(const AttemptId& attempt,
                                    const std::string& data) {
    v1::AttemptOutput output;
    output.mutable_attempt()->set_job_id(attempt.job_id.value());
    output.mutable_attempt()->set_number(attempt.number);
    output.mutable_output()->set_stream(v1::Output::STREAM_STDOUT);
    output.mutable_output()->set_data(data);
    return output;
  }

  StreamId Attach(FakeLink* link, int slots,
                  std::vector<AttemptId> running = {}) {
    const StreamId stream = engine_->AddLink(link);
    WorkerHello hello;
    hello.worker = WorkerId("w");
    hello.session = SessionId("s");
    hello.slots = slots;
    hello.allow_commands = true;
    hello.running = std::move(running);
    EXPECT_TRUE(
        engine_->core()
            .Attach(stream, std::move(hello), engine_->now(), engine_->fx())
            .ok());
    return stream;
  }

  std::string directory_;
  // Of the next Open.
  EngineOptions options_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Engine> engine_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_ENGINE_FIXTURE_H_
