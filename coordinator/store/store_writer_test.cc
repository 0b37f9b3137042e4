// Shows that the store thread answers every batch once and in order: when it is
// durable, after a full disk was freed, after a failure, and at shutdown. Real
// store and threads; each test waits for callbacks, never for time.
#include "coordinator/store/store_writer.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Longer than any test should take; ends a test that hangs.
constexpr absl::Duration kPatience = absl::Seconds(30);

// What the callbacks were told.
class Record {
 public:
  StoreWriter::Callbacks callbacks() {
    return {
        .on_committed =
            [this](uint64_t number, absl::Status status) {
              absl::MutexLock lock(&mutex_);
              committed_.emplace_back(number, status.code());
            },
        .on_stalled =
            [this](absl::Status status) {
              absl::MutexLock lock(&mutex_);
              stalls_.push_back(status.code());
            },
        .on_deleted =
            [this](std::vector<DeletedJob> jobs) {
              absl::MutexLock lock(&mutex_);
              for (DeletedJob& job : jobs) deleted_.push_back(job.job_id);
            },
    };
  }

  void AwaitCommitted(size_t count) {
    Await([this, count] { return committed_.size() >= count; });
  }
  void AwaitStalls(size_t count) {
    Await([this, count] { return stalls_.size() >= count; });
  }
  void AwaitDeleted(size_t count) {
    Await([this, count] { return deleted_.size() >= count; });
  }

  std::vector<std::pair<uint64_t, absl::StatusCode>> committed() {
    absl::MutexLock lock(&mutex_);
    return committed_;
  }
  std::vector<absl::StatusCode> stalls() {
    absl::MutexLock lock(&mutex_);
    return stalls_;
  }
  std::vector<std::string> deleted() {
    absl::MutexLock lock(&mutex_);
    return deleted_;
  }

 private:
  template <typename Condition>
  void Await(Condition condition) {
    absl::MutexLock lock(&mutex_);
    ASSERT_TRUE(
        mutex_.AwaitWithTimeout(absl::Condition(&condition), kPatience));
  }

  absl::Mutex mutex_;
  std::vector<std::pair<uint64_t, absl::StatusCode>> committed_;
  std::vector<absl::StatusCode> stalls_;
  std::vector<std::string> deleted_;
};

class StoreWriterTest : public testing::Test {
 protected:
  std::unique_ptr<StoreWriter> Writer(int64_t page_count_max = 0) {
    Store::Options options;
    options.page_count_max = page_count_max;
    return std::make_unique<StoreWriter>(temp_.Open(options),
                                         record_.callbacks(), writer_options_);
  }

  // More than a store of 40 pages holds twice.
  static Batch LargeBatch(JobRow job) {
    Batch batch;
    batch.payloads = {{job.job_id, std::string(20 * kPageBytes, 'x')}};
    batch.jobs = {std::move(job)};
    return batch;
  }

  std::vector<std::string> StoredLiveJobs() {
    std::unique_ptr<Store> store = temp_.Open();
    return LiveJobIds(store->view());
  }

  TempStore temp_;
  Record record_;
  StoreWriter::Options writer_options_;
};

TEST_F(StoreWriterTest, AnswersBatchesInOrderWhenTheyAreDurable) {
  std::unique_ptr<StoreWriter> writer = Writer();
  writer->Commit(JobBatch({LiveJob("j1")}), 11);
  writer->Commit(JobBatch({LiveJob("j2")}), 12);
  record_.AwaitCommitted(2);

  EXPECT_THAT(record_.committed(),
              ElementsAre(Pair(11, absl::StatusCode::kOk),
                          Pair(12, absl::StatusCode::kOk)));
  // Another connection sees them: they are not only on their way.
  EXPECT_THAT(LiveJobIds(**StoreView::Open(temp_.path())),
              ElementsAre("j1", "j2"));
}

TEST_F(StoreWriterTest, FinishesWhatIsQueuedBeforeItGoes) {
  std::unique_ptr<StoreWriter> writer = Writer();
  for (uint64_t i = 0; i < kQueuedBatchesMax; ++i) {
    writer->Commit(JobBatch({LiveJob(absl::StrCat("j", i))}), i);
  }
  writer.reset();

  EXPECT_EQ(record_.committed().size(), kQueuedBatchesMax);
  EXPECT_EQ(StoredLiveJobs().size(), kQueuedBatchesMax);
}

TEST_F(StoreWriterTest, KeepsABatchThroughAFullDisk) {
  writer_options_.retry_interval = absl::Milliseconds(1);
  std::unique_ptr<StoreWriter> writer = Writer(48);
  writer->Commit(LargeBatch(EndedJob("a", TestTime(0))), 1);
  record_.AwaitCommitted(1);
  writer->Commit(LargeBatch(LiveJob("b")), 2);
  writer->Commit(JobBatch({LiveJob("c")}), 3);
  record_.AwaitStalls(1);
  EXPECT_EQ(record_.committed().size(), 1u);

  // Someone frees space.
  ASSERT_TRUE(temp_.Open()->DeleteEnded(TestTime(1), 10).ok());
  record_.AwaitCommitted(3);

  EXPECT_THAT(record_.stalls(), ElementsAre(absl::StatusCode::kUnavailable,
                                            absl::StatusCode::kOk));
  EXPECT_THAT(record_.committed(), ElementsAre(Pair(1, absl::StatusCode::kOk),
                                               Pair(2, absl::StatusCode::kOk),
                                               Pair(3, absl::StatusCode::kOk)));
  EXPECT_THAT(LiveJobIds(**StoreView::Open(temp_.path())),
              ElementsAre("b", "c"));
}

TEST_F(StoreWriterTest, GivesUpOnAFullDiskWhenItGoes) {
  writer_options_.retry_interval = absl::InfiniteDuration();
  std::unique_ptr<StoreWriter> writer = Writer(48);
  writer->Commit(LargeBatch(LiveJob("a")), 1);
  writer->Commit(LargeBatch(LiveJob("b")), 2);
  // Small enough to fit, but later than one that does not.
  writer->Commit(JobBatch({LiveJob("c")}), 3);
  record_.AwaitStalls(1);
  writer.reset();

  EXPECT_THAT(record_.committed(),
              ElementsAre(Pair(1, absl::StatusCode::kOk),
                          Pair(2, absl::StatusCode::kUnavailable),
                          Pair(3, absl::StatusCode::kUnavailable)));
  EXPECT_THAT(StoredLiveJobs(), ElementsAre("a"));
}

TEST_F(StoreWriterTest, WritesNothingAfterAFailure) {
  std::unique_ptr<StoreWriter> writer = Writer();
  JobRow first = LiveJob("j1");
  first.request_id = "r";
  JobRow twin = LiveJob("j2");
  twin.request_id = "r";
  writer->Commit(JobBatch({first}), 1);
  writer->Commit(JobBatch({twin}), 2);
  writer->Commit(JobBatch({LiveJob("j3")}), 3);
  writer.reset();

  EXPECT_THAT(record_.committed(),
              ElementsAre(Pair(1, absl::StatusCode::kOk),
                          Pair(2, absl::StatusCode::kInternal),
                          Pair(3, absl::StatusCode::kInternal)));
  EXPECT_THAT(record_.stalls(), IsEmpty());
  EXPECT_THAT(StoredLiveJobs(), ElementsAre("j1"));
}

TEST_F(StoreWriterTest, RetainsByAgeInSteps) {
  writer_options_.retention_rows_max = 1;
  std::unique_ptr<StoreWriter> writer = Writer();
  writer->Commit(
      JobBatch({EndedJob("j1", TestTime(1)), EndedJob("j2", TestTime(2)),
                EndedJob("j3", TestTime(3))}),
      1);
  writer->Retain({.end_before = TestTime(3), .ended_jobs_max = 100});
  record_.AwaitDeleted(2);
  writer.reset();

  EXPECT_THAT(record_.deleted(), ElementsAre("j1", "j2"));
}

// A batch that is handed over while a step of retention is under way is
// committed before the next step, however many are left.
TEST_F(StoreWriterTest, ACommitWaitsForOneStepOfRetentionAtMost) {
  constexpr int kJobs = 10;
  constexpr size_t kStepsBefore = 3;
  writer_options_.retention_rows_max = 1;
  std::unique_ptr<StoreWriter> writer;
  // Of the store thread, until the writer is gone.
  std::vector<std::string> events;
  writer = std::make_unique<StoreWriter>(
      temp_.Open(),
      StoreWriter::Callbacks{
          .on_committed =
              [&](uint64_t number, absl::Status status) {
                EXPECT_TRUE(status.ok()) << status;
                events.push_back(absl::StrCat("committed ", number));
              },
          .on_stalled = [](absl::Status) {},
          .on_deleted =
              [&](std::vector<DeletedJob> jobs) {
                events.push_back(absl::StrCat("deleted ", jobs.size()));
                if (events.size() == kStepsBefore + 1) {
                  writer->Commit(JobBatch({LiveJob("late")}), 2);
                }
                record_.callbacks().on_deleted(std::move(jobs));
              },
      },
      writer_options_);
  Batch batch;
  for (int i = 0; i < kJobs; ++i) {
    batch.jobs.push_back(EndedJob(absl::StrCat("j", i), TestTime(i)));
  }
  writer->Commit(batch, 1);
  writer->Retain({.end_before = TestTime(kJobs), .ended_jobs_max = 100});
  record_.AwaitDeleted(kJobs);
  writer.reset();

  std::vector<std::string> expected(kJobs, "deleted 1");
  expected.insert(expected.begin() + kStepsBefore, "committed 2");
  expected.insert(expected.begin(), "committed 1");
  EXPECT_EQ(events, expected);
}

TEST_F(StoreWriterTest, RetainsByCount) {
  std::unique_ptr<StoreWriter> writer = Writer();
  writer->Commit(
      JobBatch({EndedJob("j1", TestTime(1)), EndedJob("j2", TestTime(2)),
                EndedJob("j3", TestTime(3)), LiveJob("j4")}),
      1);
  writer->Retain({.end_before = absl::InfinitePast(), .ended_jobs_max = 1});
  record_.AwaitDeleted(2);
  writer.reset();

  EXPECT_THAT(record_.deleted(), ElementsAre("j1", "j2"));
  EXPECT_THAT(StoredLiveJobs(), ElementsAre("j4"));
}

}  // namespace
}  // namespace vigil::store
