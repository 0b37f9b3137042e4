// Proves what Client::RunBatch does when its stream goes on, breaks, is
// cancelled or abandoned, against a scripted coordinator in this process: items
// are sent once and in order, also those that are added while a stream breaks.
// Retry intervals are a millisecond; nothing here depends on how long anything
// takes.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "client/cc/client.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/test_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

class BatchClientTest : public ::testing::Test {
 protected:
  BatchClientTest() {
    fake_.on_run_batch = [this](auto* context, auto* io) {
      return RunBatch(context, io);
    };
    fake_.on_cancel_batch = [this](const auto& request) {
      EXPECT_EQ(request.batch_id(), "b1");
      cancelled_ = true;
      return grpc::Status::OK;
    };
    fake_.Start(address_);
    ClientOptions options;
    options.backoff.initial_interval = absl::Milliseconds(1);
    options.backoff.maximum_interval = absl::Milliseconds(2);
    client_ = *Client::Connect(address_, options);
  }

  BatchStream Run() {
    BatchObserver observer;
    observer.on_event = [this](const v1::BatchEvent&) {
      if (!first_event_.HasBeenNotified()) first_event_.Notify();
    };
    observer.on_retry = [this](const absl::Status&, absl::Duration) {
      ++retries_;
    };
    observer.on_end = [this](absl::StatusOr<v1::Batch> batch) {
      end_ = std::move(batch);
      ended_.Notify();
    };
    return client_->RunBatch({}, v1::RESULT_ORDER_AS_COMPLETED,
                             std::move(observer));
  }

  // Takes items until there are no more, or it is to break off; the batch ends
  // when it has them, or was cancelled.
  grpc::Status RunBatch(grpc::ServerContext* context,
                        FakeCoordinator::BatchIo* io) {
    v1::RunBatchRequest request;
    io->Read(&request);
    Tell(io, v1::Batch::STATE_OPEN);
    while (io->Read(&request)) {
      std::lock_guard<std::mutex> lock(mu_);
      EXPECT_LE(request.first_index(), static_cast<int64_t>(inputs_.size()));
      for (int i = 0; i < request.items_size(); ++i) {
        if (request.first_index() + i < static_cast<int64_t>(inputs_.size())) {
          continue;
        }
        inputs_.push_back(request.items(i).input());
        if (breaks_left_ > 0 && inputs_.size() % 7 == 0) {
          --breaks_left_;
          return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
        }
      }
      if (request.close()) break;
    }
    while (holds_ && !cancelled_) {
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
      absl::SleepFor(absl::Milliseconds(1));
    }
    Tell(io, v1::Batch::STATE_ENDED);
    return grpc::Status::OK;
  }

  void Tell(FakeCoordinator::BatchIo* io, v1::Batch::State state) {
    std::lock_guard<std::mutex> lock(mu_);
    v1::RunBatchResponse response;
    v1::BatchEvent* event = response.mutable_event();
    event->mutable_batch()->set_batch_id("b1");
    event->mutable_batch()->set_state(state);
    event->set_accepted(static_cast<int64_t>(inputs_.size()));
    event->set_cursor("c");
    io->Write(response);
  }

  const TestDir dir_;
  const std::string address_ = absl::StrCat("unix:", dir_.path(), "/s");
  FakeCoordinator fake_;
  std::mutex mu_;
  std::vector<std::string> inputs_;
  int breaks_left_ = 0;
  std::atomic<bool> holds_ = false;
  std::atomic<bool> cancelled_ = false;
  std::atomic<int> retries_ = 0;
  absl::Notification first_event_;
  absl::Notification ended_;
  absl::StatusOr<v1::Batch> end_ = absl::UnknownError("not ended");
  std::unique_ptr<Client> client_;
};

TEST_F(BatchClientTest, ItemsThatAreAddedWhileStreamsBreakComeOnceAndInOrder) {
  constexpr int kItems = 2000;
  breaks_left_ = 100;
  BatchStream stream = Run();
  std::thread adder([&] {
    for (int i = 0; i < kItems; ++i) {
      v1::BatchItem item;
      item.set_input(absl::StrCat(i));
      stream.Add(std::move(item));
    }
    stream.Close();
  });
  adder.join();
  ended_.WaitForNotification();
  ASSERT_TRUE(end_.ok()) << end_.status();
  EXPECT_EQ(end_->state(), v1::Batch::STATE_ENDED);
  EXPECT_EQ(stream.batch_id(), "b1");
  ASSERT_EQ(inputs_.size(), static_cast<size_t>(kItems));
  for (int i = 0; i < kItems; ++i) EXPECT_EQ(inputs_[i], absl::StrCat(i));
  EXPECT_GT(retries_, 0);
  EXPECT_EQ(stream.held_items(), 0);
  EXPECT_EQ(stream.held_bytes(), 0);
}

TEST_F(BatchClientTest, CancelIsSentAlsoIfItComesBeforeTheBatchIsKnown) {
  holds_ = true;
  BatchStream stream = Run();
  stream.Cancel();
  stream.Close();
  ended_.WaitForNotification();
  EXPECT_TRUE(end_.ok()) << end_.status();
  EXPECT_TRUE(cancelled_);
}

TEST_F(BatchClientTest, AnAbandonedStreamEndsWithoutTheBatch) {
  holds_ = true;
  BatchStream stream = Run();
  first_event_.WaitForNotification();
  stream.Abandon();
  ended_.WaitForNotification();
  EXPECT_EQ(end_.status().code(), absl::StatusCode::kCancelled);
  // It may be told more, and keeps nothing once on_end has returned.
  stream.Add({});
  stream.Close();
  stream.Cancel();
  client_.reset();
  EXPECT_EQ(stream.held_items(), 0);
}

TEST_F(BatchClientTest, GoingAwayEndsItAndWaitsForItsCallbacks) {
  holds_ = true;
  Run();
  first_event_.WaitForNotification();
  client_.reset();
  EXPECT_TRUE(ended_.HasBeenNotified());
  EXPECT_EQ(end_.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace vigil::client
