// Proves what Client::Call does in each of its forms: its deadlines, its
// errors, and what it sends again, against a scripted coordinator in this
// process. Retry intervals are a millisecond; nothing here depends on how long
// anything takes.
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cc/client_fixture.h"
#include "client/cc/task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ClientTest, ATryHasATimeout) {
  fake_.on_submit = [](auto* context, const auto&, auto*) {
    return Hang(*context);
  };
  Start();
  EXPECT_EQ(
      client_->Call(v1::SubmitJobRequest(), {.timeout = absl::Milliseconds(20)})
          .Wait()
          .status()
          .code(),
      absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClientTest, ADeadlineEndsATryThatHangs) {
  fake_.on_submit = [](auto* context, const auto&, auto*) {
    return Hang(*context);
  };
  Start();
  EXPECT_EQ(client_
                ->Call(v1::SubmitJobRequest(),
                       {.timeout = absl::InfiniteDuration(),
                        .deadline = absl::Now() + absl::Milliseconds(20)})
                .Wait()
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClientTest, ADeadlineEndsTriesAndSaysWhatHinderedThem) {
  fake_.on_submit = [](auto*, const auto&, auto*) { return kUnavailable; };
  Start();
  const absl::Status status =
      client_
          ->Call(v1::SubmitJobRequest(),
                 {.retry_for = absl::InfiniteDuration(),
                  .deadline = absl::Now() + absl::Milliseconds(100)})
          .Wait()
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClientTest, NoTryBeginsThatTheDeadlineWouldCut) {
  std::atomic<int> tries = 0;
  fake_.on_submit = [&](auto* context, const auto&, auto*) {
    ++tries;
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "30000");
    return kUnavailable;
  };
  Start();
  const absl::Status status =
      client_
          ->Call(v1::SubmitJobRequest(),
                 {.retry_for = absl::InfiniteDuration(),
                  .deadline = absl::Now() + absl::Seconds(20)})
          .Wait()
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(status.message(), HasSubstr("restarting"));
  EXPECT_EQ(tries, 1);
}

TEST_F(ClientTest, ErrorHasCodeAndMessageOfTheServer) {
  fake_.on_get = [](const auto& request, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND,
                        "no job " + request.job_id());
  };
  Start();
  v1::GetJobRequest request;
  request.set_job_id("j");
  EXPECT_EQ(client_->Call(request).Wait().status(),
            absl::NotFoundError("no job j"));
}

TEST_F(ClientTest, AnAnswerThatIsNoSuchMessageIsAnError) {
  fake_.on_get = [](const auto&, auto* response) {
    // Not UTF-8.
    response->mutable_job()->set_job_id("\xff");
    return grpc::Status::OK;
  };
  Start();
  const absl::Status status =
      client_->Call(v1::GetJobRequest()).Wait().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_THAT(status.message(), HasSubstr("is no vigil.v1.GetJobResponse"));
}

TEST_F(ClientTest, EachServiceIsReached) {
  fake_.on_get = [](const auto&, auto* response) {
    response->mutable_job()->set_job_id("j");
    return grpc::Status::OK;
  };
  fake_.on_cancel_batch = [](const auto&) { return grpc::Status::OK; };
  fake_.on_status = [](auto*) { return grpc::Status::OK; };
  fake_.on_list_workers = [](const auto&, auto*) { return grpc::Status::OK; };
  Start();
  EXPECT_EQ(client_->Call(v1::GetJobRequest()).Wait()->job().job_id(), "j");
  EXPECT_TRUE(client_->Call(v1::CancelBatchRequest()).Wait().ok());
  EXPECT_TRUE(client_->Call(v1::GetStatusRequest()).Wait().ok());
  EXPECT_TRUE(client_->Call(v1::ListWorkersRequest()).Wait().ok());
}

TEST_F(ClientTest, CallIsRepeatedOnlyWhereThatIsAsked) {
  std::vector<std::string> ids;
  fake_.on_submit = [&](auto*, const auto& request, auto*) {
    ids.push_back(request.request_id());
    return ids.size() % 2 == 1 ? kUnavailable : grpc::Status::OK;
  };
  Start();
  v1::SubmitJobRequest request;
  EXPECT_FALSE(client_->Call(request).Wait().ok());
  EXPECT_THAT(ids, ElementsAre(""));
  ids.clear();
  EXPECT_TRUE(
      client_->Call(request, {.retry_for = absl::Seconds(60)}).Wait().ok());
  // Under one id, so that one job comes of it.
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0].size(), 32u);
  EXPECT_EQ(ids[1], ids[0]);
}

TEST_F(ClientTest, WhatIsNotSafeIsSentOnceEvenIfTriesAreAskedFor) {
  int tries = 0;
  fake_.on_add_items = [&](const auto&) {
    ++tries;
    return kUnavailable;
  };
  Start();
  EXPECT_FALSE(
      client_->Call(v1::AddItemsRequest(), {.retry_for = absl::Seconds(60)})
          .Wait()
          .ok());
  EXPECT_EQ(tries, 1);
}

TEST_F(ClientTest, PushbackSetsTheWaitBeforeTheNextTry) {
  std::vector<absl::Time> tries;
  fake_.on_submit = [&](auto* context, const auto&, auto*) {
    tries.push_back(absl::Now());
    if (tries.size() == 2) return grpc::Status::OK;
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "50");
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "full");
  };
  Start();
  EXPECT_TRUE(
      client_->Call(v1::SubmitJobRequest(), {.retry_for = absl::Seconds(60)})
          .Wait()
          .ok());
  ASSERT_EQ(tries.size(), 2u);
  EXPECT_GE(tries[1] - tries[0], absl::Milliseconds(45));
}

// Submits twice, one after the other, and notes on which thread it goes on.
Task<std::vector<std::string>> SubmitTwice(Client& client,
                                           std::thread::id* thread) {
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    v1::SubmitJobRequest request;
    const absl::StatusOr<v1::SubmitJobResponse> response =
        co_await client.Call(request, {.timeout = absl::Seconds(50)});
    *thread = std::this_thread::get_id();
    ids.push_back(response.ok() ? response->job().job_id()
                                : response.status().ToString());
  }
  co_return ids;
}

TEST_F(ClientTest, ACoroutineGoesOnWithTheAnswer) {
  int jobs = 0;
  fake_.on_submit = [&](auto*, const auto&, auto* response) {
    response->mutable_job()->set_job_id(absl::StrCat("j", ++jobs));
    return grpc::Status::OK;
  };
  Start();
  std::thread::id thread;
  EXPECT_THAT(SubmitTwice(*client_, &thread).Wait(), ElementsAre("j1", "j2"));
}

TEST_F(ClientTest, ACoroutineGoesOnByTheExecutorThatIsChosen) {
  fake_.on_submit = [](auto*, const auto&, auto*) { return grpc::Status::OK; };
  fake_.Start(address_);
  // This thread's queue.
  absl::Mutex mu;
  std::vector<absl::AnyInvocable<void()>> ready;
  ClientOptions options;
  options.executor = [&](absl::AnyInvocable<void()> function) {
    absl::MutexLock lock(&mu);
    ready.push_back(std::move(function));
  };
  client_ = *Client::Connect(address_, options);
  std::thread::id thread;
  Task<std::vector<std::string>> task = SubmitTwice(*client_, &thread);
  for (int i = 0; i < 2; ++i) {
    absl::AnyInvocable<void()> next;
    {
      absl::MutexLock lock(&mu);
      mu.Await(absl::Condition(
          +[](decltype(ready)* functions) { return !functions->empty(); },
          &ready));
      next = std::move(ready.back());
      ready.pop_back();
    }
    next();
    EXPECT_EQ(thread, std::this_thread::get_id());
  }
  EXPECT_THAT(std::move(task).Wait(), ElementsAre("", ""));
}

TEST_F(ClientTest, GoingAwayEndsWhatACoroutineWaitsFor) {
  absl::Notification asked;
  fake_.on_submit = [&](auto* context, const auto&, auto*) {
    if (!asked.HasBeenNotified()) asked.Notify();
    return Hang(*context);
  };
  Start();
  std::thread::id thread;
  Task<std::vector<std::string>> task = SubmitTwice(*client_, &thread);
  asked.WaitForNotification();
  client_.reset();
  EXPECT_THAT(std::move(task).Wait(), Each(HasSubstr("CANCELLED")));
}

}  // namespace
}  // namespace vigil::client
