// Proves that a backup is one whole state of the store, with everything that
// was acknowledged before it began, while another connection commits; that it
// is one private file; and that it replaces nothing and leaves nothing behind.
#include "coordinator/store/store_backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/power_cut_vfs.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_file.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreBackupTest : public testing::Test {
 protected:
  // A name that means something else in a URI.
  std::string Target() const {
    return "/" + backups_.directory() + "/a backup?#%";
  }

  // The names of the files in the directory of backups.
  std::vector<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(backups_.directory())) {
      names.insert(entry.path().filename());
    }
    return {names.begin(), names.end()};
  }

  absl::Status Backup() { return BackupStore(temp_.path(), Target()).status(); }

  void ExpectRefused(absl::StatusCode code, const std::string& says) {
    const std::vector<std::string> before = Files();
    const absl::Status status = Backup();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(status.message(), HasSubstr(says));
    EXPECT_EQ(Files(), before);
  }

  TempStore temp_;
  TempStore backups_;
};

TEST_F(StoreBackupTest, CopiesAStoreInUseToOnePrivateFile) {
  std::unique_ptr<Store> store = temp_.Open();
  Batch batch = JobBatch({LiveJob("j1"), EndedJob("j2", TestTime(1))});
  batch.payloads = {{"j1", std::string(20 * kPageBytes, 'x')}};
  ASSERT_TRUE(store->Commit(batch).ok());

  absl::StatusOr<CopyReport> report = BackupStore(temp_.path(), Target());

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->jobs, 2);
  EXPECT_EQ(report->bytes,
            static_cast<int64_t>(std::filesystem::file_size(Target())));
  EXPECT_THAT(Files(), ElementsAre("a backup?#%"));
  struct stat info;
  ASSERT_EQ(stat(Target().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(*DumpTables(Target()), *DumpTables(temp_.path()));
  // Reading it makes no log beside it: its header asks for none.
  EXPECT_THAT(Files(), ElementsAre("a backup?#%"));
  EXPECT_EQ(*CheckStoreFile(Target()), 2);
}

// What a coordinator that was killed leaves: all of it in the log.
TEST_F(StoreBackupTest, CopiesWhatIsOnlyInTheLogOfADeadCoordinator) {
  std::unique_ptr<Store> store = temp_.Open();
  ASSERT_TRUE(store->Commit(JobBatch({LiveJob("j1")})).ok());
  TempStore dead;
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file(temp_.path() + suffix, dead.path() + suffix);
  }
  ASSERT_GT(std::filesystem::file_size(dead.wal_path()), 0u);

  ASSERT_TRUE(BackupStore(dead.path(), Target()).ok());

  EXPECT_EQ(*DumpTables(Target()), *DumpTables(temp_.path()));
}

// Each commit writes its number to two tables and acknowledges it; a backup has
// all that was acknowledged before it began, and both rows of the last one.
TEST_F(StoreBackupTest, IsOneWholeStateUnderContinuousCommits) {
  std::unique_ptr<Store> store = temp_.Open();
  Batch large = JobBatch({LiveJob("large")});
  large.payloads = {{"large", std::string(2000 * kPageBytes, 'x')}};
  ASSERT_TRUE(store->Commit(large).ok());
  std::atomic<int> acknowledged = 0;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 1; !stop; ++i) {
      const std::string number = absl::StrCat(1'000'000 + i);
      Batch batch = JobBatch({LiveJob(number)});
      batch.meta = {{"last", number}};
      ASSERT_TRUE(store->Commit(batch).ok());
      acknowledged = i;
    }
  });
  int seen_before = 0;
  for (int i = 0; i < 10; ++i) {
    const std::string target = absl::StrCat(Target(), i);
    while (acknowledged == seen_before) std::this_thread::yield();
    const int before = seen_before = acknowledged;
    absl::StatusOr<CopyReport> report = BackupStore(temp_.path(), target);
    const int after = acknowledged;
    ASSERT_TRUE(report.ok()) << report.status();

    absl::StatusOr<std::unique_ptr<StoreView>> view = StoreView::Open(target);
    ASSERT_TRUE(view.ok()) << view.status();
    int last = 0;
    ASSERT_TRUE((*view)
                    ->LoadMeta([&](absl::string_view, absl::string_view value) {
                      ASSERT_TRUE(absl::SimpleAtoi(value, &last));
                      last -= 1'000'000;
                    })
                    .ok());
    EXPECT_GE(last, before);
    EXPECT_LE(last, after + 1);
    EXPECT_EQ(LiveJobIds(**view).size(), static_cast<size_t>(last) + 1);
    EXPECT_EQ(report->jobs, last + 1);
  }
  stop = true;
  writer.join();
}

TEST_F(StoreBackupTest, ReplacesNothing) {
  temp_.Open();
  std::ofstream(Target()) << "precious";
  ExpectRefused(absl::StatusCode::kAlreadyExists, "give another name");
  EXPECT_EQ(std::filesystem::file_size(Target()), 8u);
}

TEST_F(StoreBackupTest, LeavesAnotherBackupToTheSameFileAlone) {
  temp_.Open();
  std::ofstream(Target() + ".new") << "half";
  const int other = open((Target() + ".new").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "another backup");
  EXPECT_EQ(std::filesystem::file_size(Target() + ".new"), 4u);
  close(other);
  // Its end, however it came, leaves the name to the next one.
  EXPECT_TRUE(Backup().ok());
  EXPECT_THAT(Files(), ElementsAre("a backup?#%"));
}

TEST_F(StoreBackupTest, SaysWhereThereIsNoStoreAndMakesNone) {
  ExpectRefused(absl::StatusCode::kNotFound, temp_.path());
  EXPECT_FALSE(std::filesystem::exists(temp_.path()));
}

TEST_F(StoreBackupTest, RefusesADamagedStoreAndSaysSo) {
  {
    std::unique_ptr<Store> store = temp_.Open();
    Batch batch;
    for (int i = 0; i < 5000; ++i) {
      batch.jobs.push_back(LiveJob(absl::StrCat("j", 10000 + i)));
    }
    ASSERT_TRUE(store->Commit(batch).ok());
  }
  std::fstream file(temp_.path(),
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40 * kPageBytes);
  file << std::string(8 * kPageBytes, '\xa5');
  file.close();
  ExpectRefused(absl::StatusCode::kDataLoss,
                temp_.path() + ": the store is damaged");
}

TEST_F(StoreBackupTest, LeavesNothingBehindOnAFullDisk) {
  std::unique_ptr<Store> store = temp_.Open();
  Batch batch = JobBatch({LiveJob("j1")});
  batch.payloads = {{"j1", std::string(100 * kPageBytes, 'x')}};
  ASSERT_TRUE(store->Commit(batch).ok());
  PowerCutVfs disk(backups_.directory());
  for (const int writes : {0, 1, 50}) {
    disk.SetWritesLeft(writes);
    ExpectRefused(absl::StatusCode::kUnavailable, "the disk is full");
  }
  disk.SetWritesLeft(std::nullopt);
  EXPECT_TRUE(Backup().ok());
}

TEST_F(StoreBackupTest, SaysThatTheDirectoryIsNotThere) {
  temp_.Open();
  const absl::Status status =
      BackupStore(temp_.path(), backups_.directory() + "/none/b").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_THAT(status.message(), HasSubstr("/none/b"));
}

}  // namespace
}  // namespace vigil::store
