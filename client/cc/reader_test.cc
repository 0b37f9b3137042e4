// Proves what readers do with the events of a stream, and what becomes of it
// when its owner goes, against a scripted coordinator in this process. Retry
// intervals are a millisecond; nothing here depends on how long anything takes.
#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "client/cc/batch_reader.h"
#include "client/cc/client_fixture.h"
#include "client/cc/job_reader.h"
#include "client/cc/task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using ::testing::ElementsAre;

class ReaderTest : public ClientTest {
 protected:
  // A job that runs until it is cancelled.
  void RunUntilCancelled() {
    fake_.on_run = [this](auto* context, const auto&, const auto& write) {
      write(JobEvent("j", v1::Job::STATE_RUNNING, "c1"));
      while (!cancelled_.HasBeenNotified() && !context->IsCancelled()) {
        write(OutputEvent("x", "c2"));
        absl::SleepFor(absl::Milliseconds(1));
      }
      if (context->IsCancelled()) {
        left_.Notify();
        return grpc::Status::CANCELLED;
      }
      write(JobEvent("j", v1::Job::STATE_CANCELLED, "c3"));
      if (!told_.HasBeenNotified()) told_.Notify();
      return grpc::Status::OK;
    };
    fake_.on_cancel = [this](const auto&, auto*) {
      cancelled_.Notify();
      return grpc::Status::OK;
    };
    Start();
  }

  absl::Notification cancelled_;
  // The stream was broken off; its last event was sent.
  absl::Notification left_;
  absl::Notification told_;
};

std::vector<std::string> Drain(JobReader& reader) {
  std::vector<std::string> lines;
  while (std::optional<v1::WatchEvent> event = reader.Next().Wait()) {
    lines.push_back(event->has_job() ? v1::Job::State_Name(event->job().state())
                                     : event->output().data());
  }
  return lines;
}

TEST_F(ReaderTest, GivesEachEventAndThenTheEndThroughABrokenStream) {
  fake_.on_run = [](auto*, const auto&, const auto& write) {
    write(JobEvent("j", v1::Job::STATE_RUNNING, "c1"));
    write(OutputEvent("one", "c2"));
    return kUnavailable;
  };
  fake_.on_watch = [](auto*, const auto& request, const auto& write) {
    write(OutputEvent("after " + request.cursor(), "c3"));
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c4"));
    return grpc::Status::OK;
  };
  Start();
  JobReader reader = RunJob(*client_, {});
  EXPECT_EQ(reader.end().status().code(), absl::StatusCode::kUnknown);
  EXPECT_THAT(Drain(reader), ElementsAre("STATE_RUNNING", "one", "after c2",
                                         "STATE_SUCCEEDED"));
  EXPECT_EQ(reader.end()->state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(reader.stream().job_id(), "j");
  EXPECT_EQ(reader.Next().Wait(), std::nullopt);
}

Task<int> CountBytes(Client& client) {
  JobReader reader = RunJob(client, {});
  int bytes = 0;
  while (std::optional<v1::WatchEvent> event = co_await reader.Next()) {
    bytes += static_cast<int>(event->output().data().size());
  }
  co_return reader.end().ok() ? bytes : -1;
}

TEST_F(ReaderTest, CoroutinesReadManyStreamsAtOnce) {
  fake_.on_run = [](auto*, const auto&, const auto& write) {
    for (int i = 0; i < 100; ++i) write(OutputEvent("ten bytes.", "c"));
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  Start();
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 8; ++i) tasks.push_back(CountBytes(*client_));
  for (Task<int>& task : tasks) EXPECT_EQ(std::move(task).Wait(), 1000);
}

TEST_F(ReaderTest, AReaderThatDoesNotAskHoldsTheStreamBack) {
  // Far more than the transport buffers.
  constexpr int kEvents = 400;
  std::atomic<int> written = 0;
  fake_.on_watch = [&](auto*, const auto&, const auto& write) {
    for (int i = 0; i < kEvents; ++i) {
      write(OutputEvent(std::string(256 << 10, 'x'), "c"));
      ++written;
    }
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  Start();
  JobReader reader = WatchJob(*client_, {});
  int received = 0;
  int ahead_max = 0;
  while (reader.Next().Wait()) {
    ahead_max = std::max(ahead_max, written - ++received);
  }
  EXPECT_EQ(received, kEvents + 1);
  EXPECT_LT(ahead_max, kEvents / 2);
}

TEST_F(ReaderTest, DestroyedItLeavesTheStreamUnlessToldOtherwise) {
  RunUntilCancelled();
  {
    JobReader reader = RunJob(*client_, {});
    EXPECT_TRUE(reader.Next().Wait().has_value());
  }
  left_.WaitForNotification();
  EXPECT_FALSE(cancelled_.HasBeenNotified());
}

TEST_F(ReaderTest, DestroyedItMayCancelTheJobAndSeeItsEnd) {
  RunUntilCancelled();
  {
    JobReader reader = RunJob(*client_, {}, OnDestruction::kCancel);
    EXPECT_TRUE(reader.Next().Wait().has_value());
  }
  told_.WaitForNotification();
  EXPECT_FALSE(left_.HasBeenNotified());
}

TEST_F(ReaderTest, ItsCancellationIsHeardThoughTheClientGoesAway) {
  RunUntilCancelled();
  {
    JobReader reader = RunJob(*client_, {}, OnDestruction::kCancel);
    EXPECT_TRUE(reader.Next().Wait().has_value());
  }
  client_.reset();
  EXPECT_TRUE(cancelled_.HasBeenNotified());
}

TEST_F(ReaderTest, ACancellationThatIsNotAnsweredDoesNotHoldTheClientUp) {
  RunUntilCancelled();
  absl::Notification gone;
  fake_.on_cancel = [&](const auto&, auto*) {
    gone.WaitForNotification();
    return grpc::Status::OK;
  };
  {
    JobReader reader = RunJob(*client_, {}, OnDestruction::kCancel);
    EXPECT_TRUE(reader.Next().Wait().has_value());
  }
  const absl::Time before = absl::Now();
  client_.reset();
  // Far less than the timeout of a call.
  EXPECT_LT(absl::Now() - before, kCallTimeoutDefault / 2);
  gone.Notify();
}

TEST_F(ReaderTest, DestroyedItMayLeaveTheJobAlone) {
  absl::Notification destroyed;
  absl::Notification over;
  std::atomic<bool> left = false;
  std::atomic<int> cancels = 0;
  fake_.on_run = [&](auto* context, const auto&, const auto& write) {
    write(JobEvent("j", v1::Job::STATE_RUNNING, "c1"));
    destroyed.WaitForNotification();
    // More than the transport buffers: somebody reads it.
    for (int i = 0; i < 400 && !context->IsCancelled(); ++i) {
      write(OutputEvent(std::string(256 << 10, 'x'), "c"));
    }
    left = context->IsCancelled();
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    over.Notify();
    return grpc::Status::OK;
  };
  fake_.on_cancel = [&](const auto&, auto*) {
    ++cancels;
    return grpc::Status::OK;
  };
  Start();
  {
    JobReader reader = RunJob(*client_, {}, OnDestruction::kContinue);
    EXPECT_TRUE(reader.Next().Wait().has_value());
  }
  destroyed.Notify();
  EXPECT_TRUE(over.WaitForNotificationWithTimeout(absl::Seconds(60)))
      << "nobody reads on";
  // Ends a stream that nobody reads, and hears of a wish that was sent.
  client_.reset();
  over.WaitForNotification();
  EXPECT_FALSE(left);
  EXPECT_EQ(cancels, 0);
}

TEST_F(ReaderTest, ItsClientMayGoFirst) {
  RunUntilCancelled();
  JobReader reader = RunJob(*client_, {});
  EXPECT_TRUE(reader.Next().Wait().has_value());
  client_.reset();
  while (reader.Next().Wait()) continue;
  EXPECT_EQ(reader.end().status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ReaderTest, ADeadlineEndsTheStream) {
  fake_.on_watch = [](auto* context, const auto&, const auto& write) {
    write(JobEvent("j", v1::Job::STATE_RUNNING, "c1"));
    return Hang(*context);
  };
  Start();
  JobReader reader =
      WatchJob(*client_, {}, OnDestruction::kAbandon,
               {.deadline = absl::Now() + absl::Milliseconds(50)});
  while (reader.Next().Wait()) continue;
  EXPECT_EQ(reader.end().status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ReaderTest, ADeadlineEndsResumptionsAndSaysWhatHinderedThem) {
  fake_.on_watch = [](auto* context, const auto&, const auto&) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "30000");
    return kUnavailable;
  };
  Start();
  JobReader reader = WatchJob(*client_, {}, OnDestruction::kAbandon,
                              {.deadline = absl::Now() + absl::Seconds(20)});
  EXPECT_EQ(reader.Next().Wait(), std::nullopt);
  EXPECT_EQ(reader.end().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(reader.end().status().message(),
              ::testing::HasSubstr("restarting"));
}

TEST_F(ReaderTest, ABatchIsRunAndWatchedLikewise) {
  const auto event = [](v1::Batch::State state) {
    v1::BatchEvent event;
    event.mutable_batch()->set_batch_id("b");
    event.mutable_batch()->set_state(state);
    event.set_cursor("c");
    return event;
  };
  fake_.on_run_batch = [&](auto*, auto* io) {
    v1::RunBatchRequest request;
    v1::RunBatchResponse response;
    io->Read(&request);
    *response.mutable_event() = event(v1::Batch::STATE_OPEN);
    io->Write(response);
    io->Read(&request);
    EXPECT_EQ(request.items_size(), 1);
    *response.mutable_event() = event(v1::Batch::STATE_ENDED);
    response.mutable_event()->set_accepted(1);
    io->Write(response);
    return grpc::Status::OK;
  };
  fake_.on_watch_batch = [&](auto*, const auto&, const auto& write) {
    write(event(v1::Batch::STATE_ENDED));
    return grpc::Status::OK;
  };
  Start();
  BatchReader run = RunBatch(*client_, {}, v1::RESULT_ORDER_AS_COMPLETED);
  EXPECT_TRUE(run.Next().Wait().has_value());
  run.stream().Add({});
  run.stream().Close();
  while (run.Next().Wait()) continue;
  EXPECT_EQ(run.end()->state(), v1::Batch::STATE_ENDED);

  BatchWatchReader watch = WatchBatch(*client_, {});
  while (watch.Next().Wait()) continue;
  EXPECT_EQ(watch.end()->batch_id(), "b");
}

}  // namespace
}  // namespace vigil::client
