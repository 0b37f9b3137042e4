// Proves what a job's stream does when a coordinator answers, breaks off,
// pushes back or vanishes, against a scripted gRPC server in this process.
// Retry intervals are a millisecond; nothing here depends on how long anything
// takes.
#include "client/cc/client.h"

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "client/cc/client_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ClientTest, RunStreamsJobAndOutputInOrderToItsEnd) {
  fake_.on_run = [](auto*, const auto&, const auto& write) {
    write(JobEvent("j", v1::Job::STATE_RUNNING, "1"));
    write(OutputEvent("one", "2"));
    v1::WatchEvent gap;
    gap.mutable_gap()->set_size_bytes(7);
    write(gap);
    v1::WatchEvent notice;
    notice.mutable_notice()->set_message("would have been killed");
    write(notice);
    write(OutputEvent("two", "3"));
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "4"));
    return grpc::Status::OK;
  };
  Start();
  JobStream stream = client_->RunJob({}, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(recorder_.end->state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(stream.job_id(), "j");
  EXPECT_THAT(recorder_.lines(),
              ElementsAre("STATE_RUNNING", "one", "gap of 7",
                          "would have been killed", "two", "STATE_SUCCEEDED"));
}

TEST_F(ClientTest, BrokenRunIsTakenOverBehindTheLastEvent) {
  fake_.on_run = [](auto*, const auto&, const auto& write) {
    write(JobEvent("j", v1::Job::STATE_RUNNING, "c1"));
    write(OutputEvent("one", "c2"));
    return kUnavailable;
  };
  std::vector<v1::WatchJobRequest> watches;
  fake_.on_watch = [&](auto*, const auto& request, const auto& write) {
    watches.push_back(request);
    if (watches.size() == 1) {
      write(OutputEvent("two", "c3"));
      return kUnavailable;
    }
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c4"));
    return grpc::Status::OK;
  };
  Start();
  v1::RunJobRequest request;
  request.mutable_job()->set_namespace_("n");
  client_->RunJob(request, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_TRUE(recorder_.end.ok()) << recorder_.end.status();
  ASSERT_EQ(watches.size(), 2u);
  EXPECT_EQ(watches[0].cursor(), "c2");
  EXPECT_EQ(watches[1].cursor(), "c3");
  for (const auto& watch : watches) {
    EXPECT_TRUE(watch.take_over());
    EXPECT_EQ(watch.job_id(), "j");
    EXPECT_EQ(watch.namespace_(), "n");
  }
  EXPECT_THAT(recorder_.lines(),
              ElementsAre("STATE_RUNNING", "one", "two", "STATE_SUCCEEDED"));
}

TEST_F(ClientTest, RunThatBreaksBeforeItsFirstEventIsAskedAgainUnderSameId) {
  std::vector<std::string> request_ids;
  fake_.on_run = [&](auto*, const auto& request, const auto& write) {
    request_ids.push_back(request.job().request_id());
    if (request_ids.size() < 3) return kUnavailable;
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  Start();
  client_->RunJob({}, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_TRUE(recorder_.end.ok()) << recorder_.end.status();
  ASSERT_EQ(request_ids.size(), 3u);
  EXPECT_EQ(request_ids[0].size(), 32u);
  EXPECT_EQ(request_ids[1], request_ids[0]);
  EXPECT_EQ(request_ids[2], request_ids[0]);
}

TEST_F(ClientTest, KeepsTheCallersRequestId) {
  std::string seen;
  fake_.on_run = [&](auto*, const auto& request, const auto& write) {
    seen = request.job().request_id();
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  Start();
  v1::RunJobRequest request;
  request.mutable_job()->set_request_id("mine");
  client_->RunJob(request, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(seen, "mine");
}

TEST_F(ClientTest, StreamThatEndsBeforeTheJobIsResumed) {
  std::atomic<int> watches = 0;
  fake_.on_watch = [&](auto*, const auto&, const auto& write) {
    if (++watches == 1) {
      write(JobEvent("j", v1::Job::STATE_QUEUED, "c1"));
      return grpc::Status::OK;
    }
    if (watches == 2) return grpc::Status::CANCELLED;
    write(JobEvent("j", v1::Job::STATE_FAILED, "c2"));
    return grpc::Status::OK;
  };
  Start();
  v1::WatchJobRequest request;
  request.set_job_id("j");
  client_->WatchJob(request, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(recorder_.end->state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(watches, 3);
}

TEST_F(ClientTest, WatchSurvivesRestartOfTheCoordinator) {
  absl::Notification watched;
  std::atomic<bool> second_life = false;
  fake_.on_watch = [&](auto* context, const auto& request, const auto& write) {
    if (second_life) {
      write(OutputEvent(absl::StrCat("after ", request.cursor()), "c2"));
      write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c3"));
      return grpc::Status::OK;
    }
    write(OutputEvent("before", "c1"));
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    return kUnavailable;
  };
  Start();
  recorder_.on_output = [&] {
    if (!watched.HasBeenNotified()) watched.Notify();
  };
  v1::WatchJobRequest request;
  request.set_job_id("j");
  client_->WatchJob(request, recorder_.Observer());
  watched.WaitForNotification();
  fake_.Stop();
  second_life = true;
  fake_.Start(address_);
  recorder_.ended.WaitForNotification();
  EXPECT_TRUE(recorder_.end.ok()) << recorder_.end.status();
  EXPECT_THAT(recorder_.lines(),
              ElementsAre("before", "after c1", "STATE_SUCCEEDED"));
}

TEST_F(ClientTest, HonoursPushbackOfAFullQueue) {
  std::atomic<int> runs = 0;
  fake_.on_run = [&](auto* context, const auto&, const auto& write) {
    if (++runs == 1) {
      context->AddTrailingMetadata("grpc-retry-pushback-ms", "30");
      return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "full");
    }
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  Start();
  JobObserver observer = recorder_.Observer();
  absl::Duration asked;
  observer.on_retry = [&](const absl::Status&, absl::Duration wait) {
    asked = wait;
  };
  client_->RunJob({}, std::move(observer));
  recorder_.ended.WaitForNotification();
  EXPECT_TRUE(recorder_.end.ok()) << recorder_.end.status();
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(asked, absl::Milliseconds(30));
}

TEST_F(ClientTest, PushbackMayForbidToTryAgain) {
  std::atomic<int> runs = 0;
  fake_.on_run = [&](auto* context, const auto&, const auto&) {
    ++runs;
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "-1");
    return kUnavailable;
  };
  Start();
  client_->RunJob({}, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(recorder_.end.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(runs, 1);
}

TEST_F(ClientTest, OtherErrorsEndTheStreamWithTheirCode) {
  fake_.on_watch = [](auto*, const auto&, const auto&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no job `j`");
  };
  Start();
  client_->WatchJob({}, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(recorder_.end.status(), absl::NotFoundError("no job `j`"));
}

TEST_F(ClientTest, GivesUpOnACoordinatorThatStaysAway) {
  Connect(absl::Milliseconds(5));
  client_->RunJob({}, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(recorder_.end.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ClientTest, CancelAsksTheCoordinatorAndWaitsForTheEnd) {
  absl::Notification cancelled;
  std::string cancelled_job;
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(JobEvent("j", v1::Job::STATE_RUNNING, "c1"));
    write(OutputEvent("one", "c2"));
    cancelled.WaitForNotification();
    write(JobEvent("j", v1::Job::STATE_CANCELLED, "c3"));
    return grpc::Status::OK;
  };
  fake_.on_cancel = [&](const auto& request, auto*) {
    cancelled_job = request.job_id();
    cancelled.Notify();
    return grpc::Status::OK;
  };
  Start();
  absl::Notification running;
  recorder_.on_output = [&] { running.Notify(); };
  JobStream stream = client_->RunJob({}, recorder_.Observer());
  running.WaitForNotification();
  stream.Cancel();
  stream.Cancel();
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(cancelled_job, "j");
  EXPECT_EQ(recorder_.end->state(), v1::Job::STATE_CANCELLED);
}

TEST_F(ClientTest, CancelBeforeTheJobIsKnownIsSentOnceItIs) {
  absl::Notification asked;
  absl::Notification cancel_called;
  absl::Notification cancelled;
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    asked.Notify();
    cancel_called.WaitForNotification();
    write(JobEvent("j", v1::Job::STATE_QUEUED, "c1"));
    cancelled.WaitForNotification();
    write(JobEvent("j", v1::Job::STATE_CANCELLED, "c2"));
    return grpc::Status::OK;
  };
  fake_.on_cancel = [&](const auto&, auto*) {
    cancelled.Notify();
    return grpc::Status::OK;
  };
  Start();
  JobStream stream = client_->RunJob({}, recorder_.Observer());
  asked.WaitForNotification();
  stream.Cancel();
  cancel_called.Notify();
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(recorder_.end->state(), v1::Job::STATE_CANCELLED);
}

TEST_F(ClientTest, AbandonedStreamEndsWithoutTheJob) {
  fake_.on_watch = [&](auto* context, const auto&, const auto& write) {
    write(OutputEvent("one", "c1"));
    return Hang(*context);
  };
  Start();
  absl::Notification running;
  recorder_.on_output = [&] { running.Notify(); };
  JobStream stream = client_->WatchJob({}, recorder_.Observer());
  running.WaitForNotification();
  stream.Abandon();
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(recorder_.end.status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ClientTest, GoingAwayEndsStreamsAndCallsAndWaitsForTheirCallbacks) {
  fake_.on_watch = [&](auto* context, const auto&, const auto& write) {
    write(OutputEvent("one", "c1"));
    return Hang(*context);
  };
  fake_.on_submit = [](auto* context, const auto&, auto*) {
    return Hang(*context);
  };
  Start();
  absl::Notification running;
  recorder_.on_output = [&] { running.Notify(); };
  JobStream stream = client_->WatchJob({}, recorder_.Observer());
  absl::StatusOr<v1::SubmitJobResponse> submitted;
  client_->Call(v1::SubmitJobRequest(),
                [&](auto response) { submitted = response; });
  running.WaitForNotification();
  client_.reset();
  EXPECT_TRUE(recorder_.ended.HasBeenNotified());
  EXPECT_EQ(submitted.status().code(), absl::StatusCode::kCancelled);
  stream.Cancel();  // Of no effect, and harmless.
}

TEST_F(ClientTest, GoingAwayDoesNotWaitForTheNextTry) {
  absl::Notification waits;
  ClientOptions options;
  options.backoff.initial_interval = absl::Hours(1);
  options.backoff.maximum_interval = absl::Hours(1);
  options.backoff.give_up_after = absl::Hours(9);
  client_ = *Client::Connect(address_, options);
  JobObserver observer = recorder_.Observer();
  observer.on_retry = [&](const absl::Status&, absl::Duration) {
    waits.Notify();
  };
  client_->RunJob({}, std::move(observer));
  waits.WaitForNotification();
  client_.reset();
  EXPECT_EQ(recorder_.end.status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ClientTest, SlowObserverHoldsTheStreamBack) {
  // Far more than the transport buffers, so the server must wait for the
  // observer.
  constexpr int kEvents = 400;
  std::atomic<int> written = 0;
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    for (int i = 0; i < kEvents; ++i) {
      write(OutputEvent(std::string(256 << 10, 'x'), "c"));
      ++written;
    }
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  Start();
  int received = 0;
  int ahead_max = 0;
  JobObserver observer;
  observer.on_output = [&](const v1::Output&) {
    ahead_max = std::max(ahead_max, written - ++received);
  };
  observer.on_end = [&](auto job) {
    recorder_.end = std::move(job);
    recorder_.ended.Notify();
  };
  client_->RunJob({}, std::move(observer));
  recorder_.ended.WaitForNotification();
  EXPECT_EQ(received, kEvents);
  EXPECT_LT(ahead_max, kEvents / 2);
}

TEST(Client, RefusesAnAddressItDoesNotUnderstand) {
  EXPECT_EQ(Client::Connect("nonsense").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vigil::client
