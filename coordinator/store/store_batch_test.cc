// Proves that batches and their items come back as they were written, in order
// of indexes and of ends, and that retention takes them in bounded steps.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

class StoreBatchTest : public testing::Test {
 protected:
  StoreBatchTest() : store_(temp_.Open()) {}

  void Reopen() {
    store_.reset();
    store_ = temp_.Open();
  }
  void Commit(const Batch& batch) {
    const absl::Status status = store_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  StoreView& view() { return store_->view(); }

  static BatchRow Row(const std::string& id) {
    return {id, "default", std::nullopt, "", "value of " + id};
  }
  static BatchRow EndedRow(const std::string& id, absl::Time end_time) {
    BatchRow row = Row(id);
    row.end_time = end_time;
    return row;
  }
  std::vector<std::string> Live() {
    std::vector<std::string> ids;
    const absl::Status status = view().LoadLiveBatches(
        [&](BatchRow row) { ids.push_back(row.batch_id); });
    EXPECT_TRUE(status.ok()) << status;
    return ids;
  }
  // The first `max` items from `index` on, by index.
  std::vector<ItemRow> Items(const std::string& id, int64_t index,
                             size_t max = 100) {
    std::vector<ItemRow> items;
    const absl::Status status = view().ReadItems(id, index, [&](ItemRow row) {
      items.push_back(std::move(row));
      return items.size() < max ? Visit::kContinue : Visit::kStop;
    });
    EXPECT_TRUE(status.ok()) << status;
    return items;
  }
  // The indexes of the items that ended after number `after`.
  std::vector<int64_t> Ends(const std::string& id, int64_t after) {
    std::vector<int64_t> indexes;
    const absl::Status status =
        view().ReadItemEnds(id, after, [&](ItemRow row) {
          indexes.push_back(row.index);
          return Visit::kContinue;
        });
    EXPECT_TRUE(status.ok()) << status;
    return indexes;
  }

  TempStore temp_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreBatchTest, ReturnsABatchAndItsItemsAfterReopening) {
  BatchRow row = Row("b1");
  row.request_id = "r1";
  row.value = std::string("\0\xff", 2);
  Batch batch;
  batch.batches = {row};
  batch.items = {{"b1", 0, std::nullopt, "waits"}, {"b1", 1, 7, "ended"}};
  Commit(batch);
  Reopen();
  EXPECT_THAT(*view().GetBatch("b1"), Optional(row));
  EXPECT_THAT(*view().FindBatchRequest("default", "r1"), Optional(row));
  EXPECT_EQ(*view().FindBatchRequest("other", "r1"), std::nullopt);
  EXPECT_EQ(*view().FindBatchRequest("default", ""), std::nullopt);
  EXPECT_EQ(*view().GetBatch("b2"), std::nullopt);
  EXPECT_EQ(Items("b1", 0), batch.items);
}

TEST_F(StoreBatchTest, ReplacesWhatIsWrittenAgain) {
  Batch first;
  first.batches = {Row("b1")};
  first.items = {{"b1", 0, std::nullopt, "waits"}};
  Commit(first);
  EXPECT_THAT(Live(), ElementsAre("b1"));
  Batch second;
  second.batches = {EndedRow("b1", TestTime(1))};
  second.items = {{"b1", 0, 1, "ended"}};
  Commit(second);
  EXPECT_THAT(Live(), IsEmpty());
  EXPECT_THAT(*view().GetBatch("b1"), Optional(second.batches[0]));
  EXPECT_EQ(Items("b1", 0), second.items);
}

TEST_F(StoreBatchTest, ReadsItemsByIndexAndByEnd) {
  Batch batch;
  batch.batches = {Row("b1"), Row("b2")};
  batch.items = {{"b1", 0, 3, ""},
                 {"b1", 1, std::nullopt, ""},
                 {"b1", 2, 1, ""},
                 {"b1", 3, 2, ""},
                 {"b2", 0, 1, ""}};
  Commit(batch);
  EXPECT_THAT(Ends("b1", 0), ElementsAre(2, 3, 0));
  EXPECT_THAT(Ends("b1", 2), ElementsAre(0));
  EXPECT_THAT(Ends("b1", 3), IsEmpty());
  EXPECT_THAT(Items("b1", 2), ElementsAre(batch.items[2], batch.items[3]));
  EXPECT_THAT(Items("b1", 1, 1), ElementsAre(batch.items[1]));
}

TEST_F(StoreBatchTest, ListsNewestFirstInPagesOfOneNamespace) {
  Batch batch;
  for (int i = 0; i < 5; ++i) {
    batch.batches.push_back(Row(absl::StrCat("b", i)));
  }
  batch.batches[2].namespace_id = "other";
  Commit(batch);
  StoreView::ListQuery query;
  query.namespace_id = "default";
  query.rows_max = 3;
  std::vector<std::string> ids;
  const auto visit = [&](BatchRow row) {
    ids.push_back(row.batch_id);
    return Visit::kContinue;
  };
  auto next = view().ListBatches(query, visit);
  ASSERT_TRUE(next.ok());
  EXPECT_THAT(ids, ElementsAre("b4", "b3", "b1"));
  ASSERT_THAT(*next, Optional(std::string("b1")));
  query.before_job_id = **next;
  next = view().ListBatches(query, visit);
  EXPECT_THAT(ids, ElementsAre("b4", "b3", "b1", "b0"));
  EXPECT_EQ(*next, std::nullopt);
}

TEST_F(StoreBatchTest, DeletesEndedBatchesInStepsAndKeepsOthers) {
  Batch batch;
  batch.batches = {EndedRow("b1", TestTime(1)), EndedRow("b2", TestTime(3)),
                   Row("b3")};
  for (int i = 0; i < 10; ++i) batch.items.push_back({"b1", i, i + 1, ""});
  batch.items.push_back({"b2", 0, 1, ""});
  batch.items.push_back({"b3", 0, std::nullopt, ""});
  batch.payloads = {{"b1", "program"}, {"b2", "program"}};
  Commit(batch);
  for (int left : {6, 2}) {
    auto deleted = store_->DeleteEnded(TestTime(2), 4);
    ASSERT_TRUE(deleted.ok());
    EXPECT_TRUE(deleted->more);
    EXPECT_EQ(Items("b1", 0).size(), static_cast<size_t>(left));
  }
  auto deleted = store_->DeleteEnded(TestTime(2), 4);
  ASSERT_TRUE(deleted.ok());
  EXPECT_FALSE(deleted->more);
  EXPECT_EQ(*view().GetBatch("b1"), std::nullopt);
  EXPECT_EQ(*view().GetPayload("b1"), std::nullopt);
  EXPECT_THAT(Items("b1", 0), IsEmpty());
  EXPECT_THAT(*view().GetBatch("b2"), Optional(batch.batches[1]));
  EXPECT_EQ(Items("b2", 0).size(), 1u);
  EXPECT_EQ(Items("b3", 0).size(), 1u);
}

}  // namespace
}  // namespace vigil::store
