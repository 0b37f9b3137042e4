// Proves that methods are called by their names as the typed client would call
// them: answers, errors with the server's wish, deadlines, retries and streams
// either way, against a scripted gRPC server in this process.
#include "client/cc/dynamic_call.h"

#include <stdlib.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/test_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using ::google::protobuf::Message;
using ::testing::HasSubstr;

constexpr char kGetJob[] = "/vigil.v1.JobService/GetJob";
constexpr char kWatchJob[] = "/vigil.v1.JobService/WatchJob";
constexpr char kRunBatch[] = "/vigil.v1.BatchService/RunBatch";

class DynamicCallTest : public ::testing::Test {
 protected:
  // Ends the calls before the server that they are to.
  ~DynamicCallTest() override {
    calls_.reset();
    fake_.Stop();
  }

  void Start() {
    fake_.Start(address_);
    ClientOptions options;
    options.backoff.initial_interval = absl::Milliseconds(1);
    calls_ = *DynamicCalls::Connect(address_, options);
  }

  absl::StatusOr<v1::GetJobResponse> GetJob(CallOptions options = {}) {
    v1::GetJobRequest request;
    request.set_job_id("j");
    absl::StatusOr<DynamicCalls::MessagePtr> result;
    absl::Notification done;
    calls_->Call(
        kGetJob, request, std::make_shared<v1::GetJobResponse>(),
        [&](absl::StatusOr<DynamicCalls::MessagePtr> answer) {
          result = std::move(answer);
          done.Notify();
        },
        options);
    done.WaitForNotification();
    if (!result.ok()) return result.status();
    return static_cast<const v1::GetJobResponse&>(**result);
  }

  const TestDir dir_;
  const std::string address_ = absl::StrCat("unix:", dir_.path(), "/s");
  FakeCoordinator fake_;
  std::unique_ptr<DynamicCalls> calls_;
};

// What is heard of a stream.
class Heard {
 public:
  DynamicObserver Observer() {
    return {.on_message =
                [this](std::shared_ptr<Message> message) {
                  absl::MutexLock lock(&mu_);
                  messages_.push_back(std::move(message));
                },
            .on_written =
                [this] {
                  absl::MutexLock lock(&mu_);
                  ++written_;
                },
            .on_end =
                [this](const absl::Status& status) {
                  end = status;
                  ended.Notify();
                }};
  }

  // The n-th message, from 0, once it came.
  template <typename T>
  T Await(size_t n) {
    absl::MutexLock lock(&mu_);
    const auto came = [this, n] {
      mu_.AssertHeld();
      return messages_.size() > n;
    };
    mu_.Await(absl::Condition(&came));
    return static_cast<const T&>(*messages_[n]);
  }

  void AwaitWritten(int count) {
    absl::MutexLock lock(&mu_);
    const auto written = [this, count] {
      mu_.AssertHeld();
      return written_ >= count;
    };
    mu_.Await(absl::Condition(&written));
  }

  size_t count() {
    absl::MutexLock lock(&mu_);
    return messages_.size();
  }

  absl::Notification ended;
  absl::Status end;

 private:
  absl::Mutex mu_;
  std::vector<std::shared_ptr<Message>> messages_;
  int written_ = 0;
};

TEST_F(DynamicCallTest, AnswersAUnaryCall) {
  fake_.on_get = [](const auto& request, auto* response) {
    response->mutable_job()->set_job_id(request.job_id() + "!");
    return grpc::Status::OK;
  };
  Start();
  EXPECT_EQ(GetJob()->job().job_id(), "j!");
}

TEST_F(DynamicCallTest, HandsOnCodeAndMessage) {
  fake_.on_get = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no job j");
  };
  Start();
  const absl::Status status = GetJob().status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(), "no job j");
  EXPECT_EQ(RetryDelayOf(status), std::nullopt);
}

TEST_F(DynamicCallTest, TriesAgainOnlyWhereTheCallerSaysThatItIsSafe) {
  std::atomic<int> tries = 0;
  fake_.on_get = [&](const auto&, auto*) {
    return ++tries < 3 ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "later")
                       : grpc::Status::OK;
  };
  Start();
  EXPECT_TRUE(absl::IsUnavailable(GetJob().status()));
  EXPECT_EQ(tries, 1);
  EXPECT_TRUE(GetJob({.retry_for = absl::Minutes(1)}).ok());
  EXPECT_EQ(tries, 3);
}

TEST_F(DynamicCallTest, EndsAtItsDeadline) {
  absl::Notification over;
  fake_.on_get = [&](const auto&, auto*) {
    over.WaitForNotification();
    return grpc::Status::OK;
  };
  Start();
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      GetJob({.timeout = absl::Milliseconds(1)}).status()));
  over.Notify();
  // Its handler uses what is of this test.
  fake_.Stop();
}

TEST_F(DynamicCallTest, TellsWhatIsNoSuchMessage) {
  fake_.on_get = [](const auto&, auto* response) {
    response->mutable_job()->set_revision(200);
    return grpc::Status::OK;
  };
  Start();
  absl::Notification done;
  absl::Status status;
  // A job, which is not UTF-8, where that has a text.
  calls_->Call(kGetJob, v1::GetJobRequest(),
               std::make_shared<v1::GetJobRequest>(),
               [&](const absl::StatusOr<DynamicCalls::MessagePtr>& answer) {
                 status = answer.status();
                 done.Notify();
               });
  done.WaitForNotification();
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("is no vigil.v1.GetJobRequest"));
}

TEST_F(DynamicCallTest, SaysWhenTheServerWantsToBeAskedAgain) {
  fake_.on_submit = [](grpc::ServerContext* context, const auto&, auto*) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "1500");
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "queue");
  };
  Start();
  absl::Notification done;
  absl::Status status;
  calls_->Call("/vigil.v1.JobService/SubmitJob", v1::SubmitJobRequest(),
               std::make_shared<v1::SubmitJobResponse>(),
               [&](const absl::StatusOr<DynamicCalls::MessagePtr>& answer) {
                 status = answer.status();
                 done.Notify();
               });
  done.WaitForNotification();
  EXPECT_EQ(RetryDelayOf(status), absl::Milliseconds(1500));
}

TEST_F(DynamicCallTest, ReadsTheNextMessageOnlyWhenAsked) {
  fake_.on_watch = [](grpc::ServerContext*, const v1::WatchJobRequest& request,
                      const FakeCoordinator::Write& write) {
    write(OutputEvent(request.job_id() + "1", "1"));
    write(OutputEvent("2", "2"));
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "gone");
  };
  Start();
  Heard heard;
  DynamicStream stream =
      calls_->Open(kWatchJob, v1::WatchJobResponse(), heard.Observer());
  v1::WatchJobRequest request;
  request.set_job_id("j");
  stream.Write(request);
  heard.AwaitWritten(1);
  stream.WritesDone();
  EXPECT_EQ(heard.Await<v1::WatchJobResponse>(0).event().output().data(), "j1");
  EXPECT_EQ(heard.count(), 1u);
  EXPECT_FALSE(heard.ended.HasBeenNotified());
  stream.Next();
  EXPECT_EQ(heard.Await<v1::WatchJobResponse>(1).event().output().data(), "2");
  stream.Next();
  heard.ended.WaitForNotification();
  EXPECT_TRUE(absl::IsNotFound(heard.end));
}

TEST_F(DynamicCallTest, SendsManyMessagesOnOneStream) {
  fake_.on_run_batch = [](grpc::ServerContext*, FakeCoordinator::BatchIo* io) {
    v1::RunBatchRequest request;
    v1::RunBatchResponse response;
    while (io->Read(&request)) {
      response.mutable_event()->set_accepted(request.first_index());
      io->Write(response);
    }
    return grpc::Status::OK;
  };
  Start();
  Heard heard;
  DynamicStream stream =
      calls_->Open(kRunBatch, v1::RunBatchResponse(), heard.Observer());
  for (int i = 0; i < 3; ++i) {
    v1::RunBatchRequest request;
    request.set_first_index(i + 1);
    stream.Write(request);
    heard.AwaitWritten(i + 1);
    EXPECT_EQ(heard.Await<v1::RunBatchResponse>(i).event().accepted(), i + 1);
    stream.Next();
  }
  stream.WritesDone();
  heard.ended.WaitForNotification();
  EXPECT_TRUE(heard.end.ok()) << heard.end;
}

TEST_F(DynamicCallTest, AnAbandonedStreamEndsThoughNobodyReadsIt) {
  fake_.on_watch = [](grpc::ServerContext* context, const auto&,
                      const FakeCoordinator::Write& write) {
    while (!context->IsCancelled()) write(OutputEvent("more", "1"));
    return grpc::Status::OK;
  };
  Start();
  Heard heard;
  DynamicStream stream =
      calls_->Open(kWatchJob, v1::WatchJobResponse(), heard.Observer());
  stream.Write(v1::WatchJobRequest());
  heard.Await<v1::WatchJobResponse>(0);
  stream.Abandon();
  heard.ended.WaitForNotification();
  EXPECT_TRUE(absl::IsCancelled(heard.end)) << heard.end;
  // After the end nothing happens.
  stream.Next();
  stream.Write(v1::WatchJobRequest());
  stream.Abandon();
}

TEST_F(DynamicCallTest, GoingAwayEndsWhatIsInFlight) {
  fake_.on_watch = [](grpc::ServerContext* context, const auto&,
                      const FakeCoordinator::Write& write) {
    write(OutputEvent("1", "1"));
    return Hang(*context);
  };
  Start();
  Heard heard;
  DynamicStream stream =
      calls_->Open(kWatchJob, v1::WatchJobResponse(), heard.Observer());
  stream.Write(v1::WatchJobRequest());
  heard.Await<v1::WatchJobResponse>(0);
  calls_.reset();
  EXPECT_TRUE(heard.ended.HasBeenNotified());
}

TEST_F(DynamicCallTest, AStreamEndsAtItsDeadline) {
  fake_.on_watch = [](grpc::ServerContext* context, const auto&, const auto&) {
    return Hang(*context);
  };
  Start();
  Heard heard;
  DynamicStream stream = calls_->Open(kWatchJob, v1::WatchJobResponse(),
                                      heard.Observer(), absl::Milliseconds(1));
  stream.Write(v1::WatchJobRequest());
  heard.ended.WaitForNotification();
  EXPECT_TRUE(absl::IsDeadlineExceeded(heard.end)) << heard.end;
}

TEST_F(DynamicCallTest, SaysInWhichTaskItRuns) {
  std::string token;
  fake_.on_watch = [&](grpc::ServerContext* context, const auto&, const auto&) {
    const auto& metadata = context->client_metadata();
    auto found = metadata.find("vigil-task");
    if (found != metadata.end()) {
      token.assign(found->second.data(), found->second.size());
    }
    return grpc::Status::OK;
  };
  setenv("VIGIL_TASK", "job=j;attempt=1", 1);
  Start();
  unsetenv("VIGIL_TASK");
  Heard heard;
  DynamicStream stream =
      calls_->Open(kWatchJob, v1::WatchJobResponse(), heard.Observer());
  stream.Write(v1::WatchJobRequest());
  heard.ended.WaitForNotification();
  EXPECT_EQ(token, "job=j;attempt=1");
}

TEST(DynamicCallAddressTest, RefusesABadAddress) {
  EXPECT_THAT(DynamicCalls::Connect("nonsense").status().message(),
              HasSubstr("nonsense"));
}

}  // namespace
}  // namespace vigil::client
