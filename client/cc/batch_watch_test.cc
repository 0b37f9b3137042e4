// Proves what Client::WatchBatch does when its stream goes on, breaks, is
// cancelled or abandoned, against a scripted coordinator in this process.
// Retry intervals are a millisecond; nothing here depends on how long anything
// takes.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "client/cc/client_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using ::testing::ElementsAre;

v1::BatchEvent StateEvent(v1::Batch::State state, const std::string& cursor) {
  v1::BatchEvent event;
  event.mutable_batch()->set_batch_id("b1");
  event.mutable_batch()->set_state(state);
  event.set_cursor(cursor);
  return event;
}

v1::BatchEvent ResultEvent(int64_t index, const std::string& cursor) {
  v1::BatchEvent event;
  event.add_results()->set_index(index);
  event.set_cursor(cursor);
  return event;
}

class BatchWatchTest : public ClientTest {
 protected:
  // Watches b1 by a fake that has its handlers.
  BatchWatch Watch() {
    Start();
    BatchObserver observer;
    observer.on_event = [this](const v1::BatchEvent& event) {
      for (const auto& result : event.results()) {
        indexes_.push_back(result.index());
      }
      if (!first_event_.HasBeenNotified()) first_event_.Notify();
    };
    observer.on_end = [this](absl::StatusOr<v1::Batch> batch) {
      end_ = std::move(batch);
      ended_.Notify();
    };
    v1::WatchBatchRequest request;
    request.set_namespace_("n");
    request.set_batch_id("b1");
    request.set_order(v1::RESULT_ORDER_BY_INDEX);
    return client_->WatchBatch(std::move(request), std::move(observer));
  }

  std::vector<int64_t> indexes_;
  absl::Notification first_event_;
  absl::Notification ended_;
  absl::StatusOr<v1::Batch> end_ = absl::UnknownError("not ended");
};

TEST_F(BatchWatchTest, ABrokenStreamGoesOnBehindTheLastEvent) {
  std::vector<v1::WatchBatchRequest> requests;
  fake_.on_watch_batch = [&](auto*, const auto& request, const auto& write) {
    requests.push_back(request);
    switch (requests.size()) {
      case 1:
        write(StateEvent(v1::Batch::STATE_OPEN, "c1"));
        write(ResultEvent(0, "c2"));
        return kUnavailable;
      case 2:
        write(ResultEvent(1, "c3"));
        return grpc::Status::OK;  // As a coordinator that stops.
      default:
        write(StateEvent(v1::Batch::STATE_ENDED, "c4"));
        return grpc::Status::OK;
    }
  };
  EXPECT_EQ(Watch().batch_id(), "b1");
  ended_.WaitForNotification();
  ASSERT_TRUE(end_.ok()) << end_.status();
  EXPECT_EQ(end_->state(), v1::Batch::STATE_ENDED);
  EXPECT_THAT(indexes_, ElementsAre(0, 1));
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].cursor(), "");
  EXPECT_EQ(requests[1].cursor(), "c2");
  EXPECT_EQ(requests[2].cursor(), "c3");
  for (const auto& request : requests) {
    EXPECT_EQ(request.namespace_(), "n");
    EXPECT_EQ(request.batch_id(), "b1");
    EXPECT_EQ(request.order(), v1::RESULT_ORDER_BY_INDEX);
  }
}

TEST_F(BatchWatchTest, CancelAsksTheCoordinatorAndWaitsForTheEnd) {
  absl::Notification cancelled;
  std::string cancelled_batch;
  fake_.on_watch_batch = [&](auto*, const auto&, const auto& write) {
    write(StateEvent(v1::Batch::STATE_OPEN, "c1"));
    cancelled.WaitForNotification();
    write(StateEvent(v1::Batch::STATE_ENDED, "c2"));
    return grpc::Status::OK;
  };
  fake_.on_cancel_batch = [&](const auto& request) {
    cancelled_batch =
        absl::StrCat(request.namespace_(), "/", request.batch_id());
    cancelled.Notify();
    return grpc::Status::OK;
  };
  Watch().Cancel();
  ended_.WaitForNotification();
  EXPECT_TRUE(end_.ok()) << end_.status();
  EXPECT_EQ(cancelled_batch, "n/b1");
}

TEST_F(BatchWatchTest, AnAbandonedWatchEndsWithoutTheBatch) {
  fake_.on_watch_batch = [&](auto* context, const auto&, const auto& write) {
    write(StateEvent(v1::Batch::STATE_OPEN, "c1"));
    return Hang(*context);
  };
  BatchWatch watch = Watch();
  first_event_.WaitForNotification();
  watch.Abandon();
  ended_.WaitForNotification();
  EXPECT_EQ(end_.status().code(), absl::StatusCode::kCancelled);
}

TEST_F(BatchWatchTest, ABatchThatNobodyKnowsIsNotFound) {
  fake_.on_watch_batch = [](auto*, const auto&, const auto&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no batch `b1`");
  };
  Watch();
  ended_.WaitForNotification();
  EXPECT_EQ(end_.status(), absl::NotFoundError("no batch `b1`"));
}

}  // namespace
}  // namespace vigil::client
