// Proves that a database of an older layout is opened with everything in it and
// brought up to date. The database is one that a coordinator of that time
// wrote (testdata); power_cut_test.cc cuts the power in the middle.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_file.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class MigrationTest : public testing::Test {
 protected:
  MigrationTest() { WriteStoreOfSchema1(temp_.path()); }

  int64_t SchemaVersion() {
    absl::StatusOr<std::unique_ptr<SqliteDb>> db =
        SqliteDb::Open(temp_.path(), SqliteDb::Access::kRead);
    EXPECT_TRUE(db.ok()) << db.status();
    return (*db)->QueryInt("PRAGMA user_version").value_or(-1);
  }

  // The job that was submitted under this request id.
  static std::string IdOf(StoreView& view, const std::string& request_id) {
    auto job = view.FindRequest("default", request_id);
    EXPECT_TRUE(job.ok() && job->has_value()) << request_id;
    return (*job)->job_id;
  }

  static std::vector<std::string> OutputOf(StoreView& view,
                                           const std::string& request_id) {
    auto page =
        view.ReadOutput(IdOf(view, request_id), 1, std::nullopt, -1, 1 << 20);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> data;
    for (const OutputRow& row : page->rows) data.push_back(row.data);
    return data;
  }

  TempStore temp_;
};

TEST_F(MigrationTest, FindsEverythingInADatabaseOfTheFirstSchema) {
  ASSERT_EQ(SchemaVersion(), 1);
  std::unique_ptr<Store> store = temp_.Open();
  StoreView& view = store->view();

  // Numbers of states are those of the API; see job.proto.
  std::map<std::string, int> states;
  StoreView::ListQuery query;
  query.namespace_id = "default";
  auto end = view.ListJobs(query, [&](JobRow job) {
    states[job.request_id] = job.state;
    // Its own id is the first field of what the codec wrote.
    EXPECT_TRUE(absl::StrContains(job.value, job.job_id));
    EXPECT_EQ(job.end_time.has_value(), job.request_id != "queued");
    return Visit::kContinue;
  });
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_THAT(states,
              UnorderedElementsAre(Pair("succeeded", 4), Pair("failed", 5),
                                   Pair("retried", 5), Pair("typed", 4),
                                   Pair("cancelled", 6), Pair("queued", 1)));
  EXPECT_THAT(LiveJobIds(view), ElementsAre(IdOf(view, "queued")));
  EXPECT_THAT(*view.GetPayload(IdOf(view, "queued")),
              Optional(testing::HasSubstr("asked for by the first release")));
  EXPECT_THAT(OutputOf(view, "succeeded"),
              UnorderedElementsAre("out\n", "err\n"));
  EXPECT_THAT(OutputOf(view, "failed"), ElementsAre("half\n"));
  EXPECT_THAT(OutputOf(view, "typed"), ElementsAre("OF A TYPE"));
  std::map<std::string, std::string> meta;
  ASSERT_TRUE(
      view.LoadMeta([&](absl::string_view key, absl::string_view value) {
            meta[std::string(key)] = std::string(value);
          })
          .ok());
  EXPECT_THAT(
      meta, UnorderedElementsAre(Pair("epoch", "2"), Pair("lease_ms", "30000"),
                                 Pair("time_ms", "1795666585197"),
                                 Pair("task_type/shout", testing::_)));
}

TEST_F(MigrationTest, TakesWhatIsNewAndKeepsWhatIsOld) {
  temp_.Open();
  const std::string old_rows = *DumpTables(temp_.path());
  EXPECT_EQ(SchemaVersion(), kSchemaVersion);
  Batch batch;
  batch.batches = {{"b1", "default", std::nullopt, "r1", "value"}};
  batch.items = {{"b1", 0, std::nullopt, "waits"}};
  ASSERT_TRUE(temp_.Open()->Commit(batch).ok());

  std::unique_ptr<Store> store = temp_.Open();
  EXPECT_THAT(*store->view().GetBatch("b1"), Optional(batch.batches[0]));
  EXPECT_EQ(*DumpTables(temp_.path()),
            "batch 'b1' 'default' null 'r1' 'value'\n"
            "batch_item 'b1' '0' null 'waits'\n" +
                old_rows);
}

}  // namespace
}  // namespace vigil::store
