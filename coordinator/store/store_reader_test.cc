// Shows that reads run in order on a thread of their own, see what was
// committed, are refused above the cap, and that readers who never pause cannot
// let the write-ahead log grow without end. Real store and threads.
#include "coordinator/store/store_reader.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::ElementsAre;

class StoreReaderTest : public testing::Test {
 protected:
  StoreReaderTest()
      : store_(temp_.Open()),
        reader_(std::make_unique<StoreReader>(*StoreView::Open(temp_.path()))) {
  }

  TempStore temp_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
};

TEST_F(StoreReaderTest, SeesWhatWasCommittedBeforeTheRead) {
  std::vector<std::string> before;
  std::vector<std::string> after;
  absl::Notification first_done;
  ASSERT_TRUE(reader_->Run([&](StoreView& view) {
    before = LiveJobIds(view);
    first_done.Notify();
  }));
  first_done.WaitForNotification();
  ASSERT_TRUE(store_->Commit(JobBatch({LiveJob("j1")})).ok());
  ASSERT_TRUE(reader_->Run([&](StoreView& view) { after = LiveJobIds(view); }));
  reader_.reset();

  EXPECT_THAT(before, ElementsAre());
  EXPECT_THAT(after, ElementsAre("j1"));
}

TEST_F(StoreReaderTest, RunsInOrderAndRefusesAboveTheCap) {
  absl::Notification started;
  absl::Notification release;
  std::vector<size_t> order;
  ASSERT_TRUE(reader_->Run([&](StoreView&) {
    started.Notify();
    release.WaitForNotification();
  }));
  started.WaitForNotification();
  for (size_t i = 0; i < kQueuedReadsMax; ++i) {
    ASSERT_TRUE(reader_->Run([&order, i](StoreView&) { order.push_back(i); }));
  }
  EXPECT_FALSE(reader_->Run([](StoreView&) {}));
  release.Notify();
  reader_.reset();

  ASSERT_EQ(order.size(), kQueuedReadsMax);
  for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
}

// Two readers of which at any moment at least one is inside a transaction: each
// ends one only after the other has begun one.
class RelayReaders {
 public:
  RelayReaders(StoreReader& first, StoreReader& second)
      : readers_{&first, &second} {
    for (const int self : {0, 1}) ReadAgain(self);
  }
  void Stop() {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  // Transactions begun by both.
  int64_t begun() {
    absl::MutexLock lock(&mutex_);
    return begun_[0] + begun_[1];
  }

 private:
  void ReadAgain(int self) {
    const bool queued = readers_[self]->Run([this, self](StoreView& view) {
      const absl::Status status = view.LoadMeta(
          [&](absl::string_view, absl::string_view) { Hold(self); });
      EXPECT_TRUE(status.ok()) << status;
      absl::ReleasableMutexLock lock(&mutex_);
      if (stop_) return;
      lock.Release();
      ReadAgain(self);
    });
    EXPECT_TRUE(queued);
  }

  // Keeps the transaction of `self` open until the other begins one.
  void Hold(int self) {
    absl::MutexLock lock(&mutex_);
    ++begun_[self];
    const int64_t seen = begun_[1 - self];
    const auto other_has_begun = [&]() {
      return stop_ || begun_[1 - self] > seen;
    };
    mutex_.Await(absl::Condition(&other_has_begun));
  }

  StoreReader* const readers_[2];
  absl::Mutex mutex_;
  int64_t begun_[2] ABSL_GUARDED_BY(mutex_) = {0, 0};
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
};

// Writes several times what the log may hold.
TEST_F(StoreReaderTest, LogStaysBoundedWhileSomeReaderIsAlwaysReading) {
  Batch meta;
  meta.meta = {{"epoch", "1"}};
  ASSERT_TRUE(store_->Commit(meta).ok());
  auto second = std::make_unique<StoreReader>(*StoreView::Open(temp_.path()));
  RelayReaders readers(*reader_, *second);

  constexpr uintmax_t kCap = uintmax_t{kWalPagesMax} * kPageBytes;
  constexpr size_t kBatchBytes = 2 << 20;
  uintmax_t largest = 0;
  for (size_t i = 0; i * kBatchBytes < 3 * kCap; ++i) {
    const std::string job_id = absl::StrCat("j", 10000 + i);
    Batch batch = JobBatch({LiveJob(job_id)});
    batch.payloads = {{job_id, std::string(kBatchBytes, 'x')}};
    ASSERT_TRUE(store_->Commit(batch).ok());
    largest = std::max(largest, std::filesystem::file_size(temp_.wal_path()));
  }
  readers.Stop();
  // Before what their reads use.
  reader_.reset();
  second.reset();

  EXPECT_GT(readers.begun(), 100);
  EXPECT_LT(largest, kCap + 4 * kBatchBytes + kCheckpointPages * kPageBytes);
}

}  // namespace
}  // namespace vigil::store
