// Proves where the checkpoints and results of warm tasks are: in the store
// together with the row that speaks of them, with the next attempt, and in the
// last event of a watch; and how a cleared cache is asked for (see
// engine_fixture.h).
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/engine/engine_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class FakeWatcher : public Watcher {
 public:
  void OnJob(const std::shared_ptr<const v1::Job>& job,
             int64_t result_bytes) override {
    jobs.push_back(*job);
    stored_result_bytes = result_bytes;
  }
  void OnOutput(const std::shared_ptr<const v1::Output>&) override {}
  void ForgetOutput(const v1::Output&) override {}
  void OnNotice(const Failure&) override {}
  int64_t HeldBytes(int, int64_t) const override { return 0; }

  bool ended() const {
    return !jobs.empty() && IsFinal(static_cast<JobState>(jobs.back().state()));
  }

  std::vector<v1::Job> jobs;
  int64_t stored_result_bytes = 0;
};

class EngineWarmTest : public EngineFixture {
 protected:
  // Runs the first attempt of a job on a worker with one slot.
  void RunJob(v1::JobSpec spec = {}) {
    spec.mutable_command()->add_argv("warm");
    Turn([&] {
      stream_ = Attach(&link_, 1);
      id_ = Submit(std::move(spec));
    });
    Settle();
    ASSERT_EQ(link_.assignments(), 1);
  }
  static v1::JobSpec Chunked() {
    v1::JobSpec spec;
    spec.mutable_chunk_policy();
    return spec;
  }
  void TakeCheckpoint(int attempt, const std::string& state) {
    engine_->core().TakeCheckpoint(
        stream_, {{id_, attempt}, std::make_shared<const std::string>(state)},
        engine_->now(), engine_->fx());
  }
  void End(int attempt, Reason reason,
           const std::optional<std::string>& result = std::nullopt) {
    AttemptEnd end;
    end.attempt = {id_, attempt};
    if (reason != Reason::kUnspecified) end.failure = Failure{reason, "", ""};
    if (result.has_value()) {
      end.result = std::make_shared<const std::string>(*result);
    }
    end.next_retry_delay = absl::ZeroDuration();
    engine_->core().End(stream_, std::move(end), engine_->now(), engine_->fx());
  }
  const v1::Assignment& LastAssignment() {
    return link_.messages.back().assignments(0);
  }
  // What the store holds as the job's result.
  std::optional<std::string> Stored() {
    absl::StatusOr<std::optional<std::string>> bytes;
    bool done = false;
    EXPECT_TRUE(engine_->Read(
        [&](store::StoreView& view) { bytes = view.GetResult(id_.value()); },
        [&] { done = true; }));
    while (!done) {
      AwaitPosted();
      Turn();
    }
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return *bytes;
  }
  // Turns until the watcher was told the job's end.
  void AwaitEnd(const FakeWatcher& watcher) {
    while (!watcher.ended()) {
      AwaitPosted();
      Turn();
    }
  }

  FakeLink link_;
  StreamId stream_ = 0;
  JobId id_;
};

TEST_F(EngineWarmTest, TheNextAttemptGetsTheLastCheckpointWithoutARead) {
  RunJob();
  EXPECT_FALSE(LastAssignment().has_checkpoint());
  Turn([&] { TakeCheckpoint(1, "first"); });
  Turn([&] { TakeCheckpoint(1, "second"); });
  Settle();
  EXPECT_EQ(Stored(), "second");
  Turn([&] { End(1, Reason::kResourceExhausted); });
  Settle();
  EXPECT_EQ(link_.assignments(), 2);
  EXPECT_EQ(LastAssignment().attempt().number(), 2);
  EXPECT_EQ(LastAssignment().checkpoint(), "second");
  EXPECT_EQ(LastAssignment().spec().command().argv(0), "warm");
}

TEST_F(EngineWarmTest, ACheckpointThatLeftTheCacheIsReadBack) {
  RunJob();
  Turn([&] { TakeCheckpoint(1, "state"); });
  Settle();
  engine_->RemoveLink(stream_);
  Reopen();
  FakeLink link;
  // It lists no attempt: the first one never arrived.
  Turn([&] { Attach(&link, 1); });
  while (link.assignments() == 0) {
    AwaitPosted();
    Turn();
  }
  const v1::Assignment& assignment = link.messages.back().assignments(0);
  EXPECT_EQ(assignment.attempt().number(), 2);
  EXPECT_EQ(assignment.checkpoint(), "state");
  EXPECT_EQ(assignment.spec().command().argv(0), "warm");
}

TEST_F(EngineWarmTest, WhatAnEndingEngineStillHoldsIsStored) {
  RunJob();
  // The second is not handed over while the first is on its way.
  Turn([&] { TakeCheckpoint(1, "first"); });
  Turn([&] { TakeCheckpoint(1, "second"); });
  engine_->BeginTurn(engine_->clock().Now());
  TakeCheckpoint(1, "third");
  engine_->RemoveLink(stream_);
  Reopen();
  EXPECT_EQ(engine_->core().FindJob(id_)->checkpoint->size_bytes, 5);
  EXPECT_EQ(Stored(), "third");
}

TEST_F(EngineWarmTest, TheLastEventOfAWatchHasTheResultAndNoEarlierOne) {
  RunJob();
  FakeWatcher watcher;
  engine_->hub().Add(id_, &watcher);
  Turn([&] { TakeCheckpoint(1, "state"); });
  Settle();
  ASSERT_FALSE(watcher.jobs.empty());
  EXPECT_EQ(watcher.jobs.back().checkpoint().size_bytes(), 5);
  EXPECT_FALSE(watcher.jobs.back().has_partial_result());
  Turn([&] { End(1, Reason::kUnspecified, "the result"); });
  Settle();
  ASSERT_TRUE(watcher.ended());
  EXPECT_EQ(watcher.jobs.back().result(), "the result");
  EXPECT_FALSE(watcher.jobs.back().has_checkpoint());
  engine_->hub().Remove(id_, &watcher);
  EXPECT_EQ(Stored(), "the result");
}

TEST_F(EngineWarmTest, ALargeResultIsLeftInTheStoreAndItsSizeIsTold) {
  RunJob();
  FakeWatcher watcher;
  engine_->hub().Add(id_, &watcher);
  const std::string large(kToldResultBytesMax + 1, 'x');
  Turn([&] { End(1, Reason::kUnspecified, large); });
  Settle();
  ASSERT_TRUE(watcher.ended());
  EXPECT_FALSE(watcher.jobs.back().has_result());
  EXPECT_EQ(watcher.stored_result_bytes, kToldResultBytesMax + 1);
  engine_->hub().Remove(id_, &watcher);
  EXPECT_EQ(Stored(), large);
}

TEST_F(EngineWarmTest, AnEmptyResultIsShownAndNoResultIsNot) {
  for (const bool empty : {true, false}) {
    RunJob();
    FakeWatcher watcher;
    engine_->hub().Add(id_, &watcher);
    Turn([&] {
      End(1, Reason::kUnspecified,
          empty ? std::optional<std::string>("") : std::nullopt);
    });
    Settle();
    ASSERT_TRUE(watcher.ended());
    EXPECT_EQ(watcher.jobs.back().has_result(), empty);
    engine_->hub().Remove(id_, &watcher);
    engine_->RemoveLink(stream_);
    Reopen();
    link_.messages.clear();
  }
}

TEST_F(EngineWarmTest, ASuccessWithoutAResultEmptiesTheCheckpoint) {
  RunJob();
  Turn([&] { TakeCheckpoint(1, "state"); });
  Turn([&] { End(1, Reason::kUnspecified); });
  Settle();
  EXPECT_EQ(Stored(), "");
}

TEST_F(EngineWarmTest, ACheckpointIsThePartialResultOfAJobThatFailed) {
  RunJob();
  FakeWatcher watcher;
  engine_->hub().Add(id_, &watcher);
  Turn([&] { TakeCheckpoint(1, "state"); });
  Settle();
  Turn([&] { End(1, Reason::kInactivityTimeout); });
  Settle();
  ASSERT_TRUE(watcher.ended());
  EXPECT_EQ(watcher.jobs.back().partial_result(), "state");
  EXPECT_FALSE(watcher.jobs.back().has_result());
  engine_->hub().Remove(id_, &watcher);
}

TEST_F(EngineWarmTest, APartialResultThatLeftTheCacheIsReadForTheLastEvent) {
  RunJob();
  Turn([&] { TakeCheckpoint(1, "state"); });
  Settle();
  engine_->RemoveLink(stream_);
  Reopen();
  FakeWatcher watcher;
  engine_->hub().Add(id_, &watcher);
  Turn([&] {
    engine_->core().WorkerDead(SessionId("s"), engine_->now(), engine_->fx());
    engine_->core().Cancel(id_, engine_->now(), engine_->fx());
  });
  AwaitEnd(watcher);
  EXPECT_EQ(watcher.jobs.back().state(), v1::Job::STATE_CANCELLED);
  EXPECT_EQ(watcher.jobs.back().partial_result(), "state");
  engine_->hub().Remove(id_, &watcher);
}

// --- chunks

TEST_F(EngineWarmTest, C3_ACheckpointIsTheResultOfATruncatedJob) {
  RunJob(Chunked());
  FakeWatcher watcher;
  engine_->hub().Add(id_, &watcher);
  Turn([&] { TakeCheckpoint(1, "state"); });
  Settle();
  Turn([&] { End(1, Reason::kSlowChunks); });
  Settle();
  ASSERT_TRUE(watcher.ended());
  EXPECT_EQ(watcher.jobs.back().state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(watcher.jobs.back().truncated());
  EXPECT_EQ(watcher.jobs.back().result(), "state");
  EXPECT_FALSE(watcher.jobs.back().has_checkpoint());
  engine_->hub().Remove(id_, &watcher);
  EXPECT_EQ(Stored(), "state");
}

TEST_F(EngineWarmTest, C3_WhatATruncatedJobHandedInTakesTheCheckpointsPlace) {
  RunJob(Chunked());
  FakeWatcher watcher;
  engine_->hub().Add(id_, &watcher);
  // Both in one batch.
  Turn([&] {
    TakeCheckpoint(1, "state");
    End(1, Reason::kSlowChunks, "handed in");
  });
  Settle();
  ASSERT_TRUE(watcher.ended());
  EXPECT_TRUE(watcher.jobs.back().truncated());
  EXPECT_EQ(watcher.jobs.back().result(), "handed in");
  engine_->hub().Remove(id_, &watcher);
  EXPECT_EQ(Stored(), "handed in");
}

TEST_F(EngineWarmTest, C3_ACheckpointOfAnEarlierLifeIsReadForTheLastEvent) {
  RunJob(Chunked());
  Turn([&] { TakeCheckpoint(1, "state"); });
  Settle();
  engine_->RemoveLink(stream_);
  Reopen();
  FakeWatcher watcher;
  engine_->hub().Add(id_, &watcher);
  Turn([&] { stream_ = Attach(&link_, 1, {{id_, 1}}); });
  Turn([&] { End(1, Reason::kSlowChunks); });
  AwaitEnd(watcher);
  EXPECT_TRUE(watcher.jobs.back().truncated());
  EXPECT_EQ(watcher.jobs.back().result(), "state");
  engine_->hub().Remove(id_, &watcher);
}

// --- caches of task types

TEST_F(EngineWarmTest, AClearedCacheIsAskedForByNumberAndAnsweredByIt) {
  Turn([&] { stream_ = Attach(&link_, 1); });
  std::vector<absl::Status> answers;
  const auto done = [&](const absl::Status& s) { answers.push_back(s); };
  Turn([&] {
    EXPECT_TRUE(engine_->ClearCache(stream_, "a", done).ok());
    EXPECT_TRUE(engine_->ClearCache(stream_, "b", done).ok());
    EXPECT_EQ(engine_->NextDeadline(), engine_->now() + kWorkerCallTimeout);
  });
  const v1::AttachResponse& sent = link_.messages.back();
  ASSERT_EQ(sent.clear_caches_size(), 2);
  EXPECT_EQ(sent.clear_caches(0).number(), 1);
  EXPECT_EQ(sent.clear_caches(0).task_type(), "a");
  EXPECT_EQ(sent.clear_caches(1).number(), 2);
  v1::ClearCacheDone answer;
  answer.set_number(2);
  answer.set_code(static_cast<int>(absl::StatusCode::kFailedPrecondition));
  answer.set_message("it runs a job");
  engine_->TakeClearCacheDone(stream_, answer);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0], absl::FailedPreconditionError("it runs a job"));
  answer.Clear();
  answer.set_number(1);
  engine_->TakeClearCacheDone(stream_, answer);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[1].ok());
}

TEST_F(EngineWarmTest, ALostStreamAnswersWhoeverWaitsForItsWorker) {
  Turn([&] { stream_ = Attach(&link_, 1); });
  absl::Status answer;
  EXPECT_TRUE(
      engine_
          ->ClearCache(stream_, "a", [&](const absl::Status& s) { answer = s; })
          .ok());
  engine_->RemoveLink(stream_);
  EXPECT_EQ(answer.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(EngineWarmTest, HowATypeIsWarmedUpIsNotRemembered) {
  v1::TaskType type;
  type.set_name("t");
  type.set_frames(v1::TaskType::FRAMES_JSON);
  type.mutable_warm_up()->add_argv("./fill");
  engine_->Announce(type);
  EXPECT_EQ(engine_->FindTaskType("t")->frames(), v1::TaskType::FRAMES_JSON);
  EXPECT_FALSE(engine_->FindTaskType("t")->has_warm_up());
}

}  // namespace
}  // namespace vigil::coordinator
