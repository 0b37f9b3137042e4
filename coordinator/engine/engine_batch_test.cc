// Proves how the items of a batch come from the store to the core, that nothing
// starts before it is durable, and what those who watch a batch are told (B6;
// see engine_fixture.h).
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/engine/engine_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class FakeBatchWatcher : public BatchWatcher {
 public:
  void OnNews(const BatchNews& batch_news) override {
    news.push_back(batch_news);
  }
  void OnOwner() override {}

  std::vector<BatchNews> news;
};

class EngineBatchTest : public EngineFixture {
 protected:
  EngineBatchTest() {
    spec_.mutable_job()->mutable_command()->add_argv("run");
    spec_.set_max_in_flight(2);
  }

  void Create(bool streamed = false) {
    Turn([&] {
      BatchSubmission submission;
      submission.namespace_ = "default";
      submission.spec = spec_;
      submission.streamed = streamed;
      const auto batch = engine_->CreateBatch(std::move(submission));
      ASSERT_TRUE(batch.ok()) << batch.status();
      id_ = (*batch)->id;
    });
  }
  static v1::BatchItem Item(const std::string& input) {
    v1::BatchItem item;
    item.set_input(input);
    return item;
  }
  absl::Status Add(int items) {
    google::protobuf::RepeatedPtrField<v1::BatchItem> made;
    for (int i = 0; i < items; ++i) *made.Add() = Item(absl::StrCat("i", i));
    absl::Status status;
    Turn([&] { status = engine_->AddItems(id_, std::move(made)); });
    return status;
  }
  const Batch& TheBatch() { return *engine_->core().FindBatch(id_); }
  // Turns until `condition` holds, which another thread brings about.
  void Until(const std::function<bool()>& condition) {
    while (!condition()) {
      AwaitPosted();
      Turn();
    }
  }
  void AttachWorker(int slots) {
    Turn([&] { stream_ = Attach(&link_, slots); });
  }
  // The inputs that the worker was sent, in order.
  std::vector<std::string> Inputs() const {
    std::vector<std::string> inputs;
    for (const v1::AttachResponse& message : link_.messages) {
      for (const v1::Assignment& assignment : message.assignments()) {
        inputs.push_back(assignment.spec().input());
      }
    }
    return inputs;
  }
  // Ends the jobs of these indexes in one turn, with a result.
  void End(const std::vector<int64_t>& indexes) {
    Turn([&] {
      for (const int64_t index : indexes) {
        AttemptEnd end;
        end.attempt = {TheBatch().live.at(index), 1};
        end.result =
            std::make_shared<const std::string>(absl::StrCat("result ", index));
        engine_->core().End(stream_, std::move(end), engine_->now(),
                            engine_->fx());
      }
    });
    Settle();
  }

  v1::BatchSpec spec_;
  BatchId id_;
  FakeLink link_;
  StreamId stream_ = 0;
};

TEST_F(EngineBatchTest, B6_ItemsStartWhenTheyAreDurableAndThereIsRoom) {
  AttachWorker(8);
  Create();
  ASSERT_TRUE(Add(5).ok());
  // Not durable yet: nothing has started.
  EXPECT_EQ(TheBatch().started, 0);
  Until([&] { return link_.assignments() == 2; });
  EXPECT_EQ(Inputs(), (std::vector<std::string>{"i0", "i1"}));
  Settle();
  EXPECT_EQ(TheBatch().started, 2);
  End({1});
  Until([&] { return link_.assignments() == 3; });
  EXPECT_EQ(Inputs().back(), "i2");
}

TEST_F(EngineBatchTest, B6_WhatWaitsAndWhatRunsComesBackAfterARestart) {
  Create();
  ASSERT_TRUE(Add(5).ok());
  Until([&] { return TheBatch().started == 2; });
  Settle();
  Reopen();
  EXPECT_EQ(TheBatch().accepted, 5);
  EXPECT_EQ(TheBatch().started, 2);
  EXPECT_EQ(TheBatch().in_flight(), 2);
  AttachWorker(8);
  Until([&] { return link_.assignments() == 2; });
  End({0, 1});
  Until([&] { return link_.assignments() == 4; });
  EXPECT_EQ(Inputs(), (std::vector<std::string>{"i0", "i1", "i2", "i3"}));
}

TEST_F(EngineBatchTest, B6_ItemsOfWhichNoneHasStartedComeBackToo) {
  Create();
  ASSERT_TRUE(Add(3).ok());
  Reopen();
  EXPECT_EQ(TheBatch().started, 0);
  AttachWorker(8);
  Until([&] { return link_.assignments() == 2; });
}

TEST_F(EngineBatchTest, B8_AnItemThatTheStoreLostIsRefused) {
  Create();
  // Accepted, but never put there.
  Turn([&] { engine_->core().AcceptItems(id_, 1, engine_->fx()); });
  Until([&] { return TheBatch().refused == 1; });
  ASSERT_TRUE(Add(1).ok());
  Until([&] { return TheBatch().in_flight() == 1; });
}

TEST_F(EngineBatchTest, WatchersAreToldWhatIsDurableWithItsResults) {
  AttachWorker(8);
  Create();
  ASSERT_TRUE(Add(2).ok());
  Until([&] { return link_.assignments() == 2; });
  FakeBatchWatcher watcher;
  engine_->batch_hub().Add(id_, &watcher);
  End({1, 0});
  engine_->batch_hub().Remove(id_, &watcher);
  ASSERT_EQ(watcher.news.size(), 1u);
  const BatchNews& news = watcher.news[0];
  EXPECT_EQ(news.first_end_number, 1);
  ASSERT_EQ(news.results.size(), 2u);
  EXPECT_EQ(news.results[0]->index(), 1);
  EXPECT_EQ(news.results[0]->job().result(), "result 1");
  EXPECT_FALSE(news.results[0]->job().has_spec());
  EXPECT_EQ(news.results[1]->index(), 0);
  EXPECT_EQ(news.batch->counts().succeeded(), 2);
}

TEST_F(EngineBatchTest, TheStoreHasTheSameResults) {
  AttachWorker(8);
  Create();
  ASSERT_TRUE(Add(2).ok());
  Until([&] { return link_.assignments() == 2; });
  End({1, 0});
  std::vector<v1::BatchResult> results;
  bool read = false;
  const bool queued = engine_->Read(
      [&](store::StoreView& view) {
        std::vector<store::ItemRow> rows;
        EXPECT_TRUE(view.ReadItemEnds(id_.value(), 0,
                                      [&](store::ItemRow row) {
                                        rows.push_back(std::move(row));
                                        return store::Visit::kContinue;
                                      })
                        .ok());
        for (const store::ItemRow& row : rows) {
          results.push_back(*Engine::ReadItemEnd(&view, row));
        }
      },
      [&] { read = true; });
  ASSERT_TRUE(queued);
  Until([&] { return read; });
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].index(), 1);
  EXPECT_EQ(results[0].job().result(), "result 1");
  EXPECT_EQ(results[1].job().state(), v1::Job::STATE_SUCCEEDED);
}

TEST_F(EngineBatchTest, AnEndedBatchLeavesTheMemory) {
  AttachWorker(8);
  Create();
  ASSERT_TRUE(Add(1).ok());
  Until([&] { return link_.assignments() == 1; });
  Turn([&] { engine_->core().CloseBatch(id_, engine_->now(), engine_->fx()); });
  Settle();
  EXPECT_NE(engine_->core().FindBatch(id_), nullptr);
  End({0});
  EXPECT_EQ(engine_->core().FindBatch(id_), nullptr);
  Reopen();
  EXPECT_EQ(engine_->core().FindBatch(id_), nullptr);
}

TEST_F(EngineBatchTest, StreamedItemsStartAtOnce) {
  AttachWorker(8);
  Create(true);
  Turn([&] { EXPECT_TRUE(engine_->TakeItem(id_, Item("now")).ok()); });
  Settle();
  EXPECT_EQ(Inputs(), std::vector<std::string>{"now"});
  // One that no job can be made of is an outcome of its own.
  FakeBatchWatcher watcher;
  engine_->batch_hub().Add(id_, &watcher);
  v1::BatchItem bad;
  bad.add_arguments("");
  Turn([&] { EXPECT_TRUE(engine_->TakeItem(id_, std::move(bad)).ok()); });
  Settle();
  engine_->batch_hub().Remove(id_, &watcher);
  ASSERT_FALSE(watcher.news.empty());
  ASSERT_EQ(watcher.news[0].results.size(), 1u);
  EXPECT_TRUE(watcher.news[0].results[0]->has_refusal());
}

TEST_F(EngineBatchTest, TooManyItemsThatWaitAreRefused) {
  Create();
  Turn([&] {
    engine_->core().AcceptItems(id_, kBatchPendingMax, engine_->fx());
  });
  EXPECT_TRUE(absl::IsResourceExhausted(Add(1)));
}

}  // namespace
}  // namespace vigil::coordinator
