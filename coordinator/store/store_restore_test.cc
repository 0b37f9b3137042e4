// Proves that a restore brings back what the backup has, marked, and keeps what
// was there; that it checks before it touches; and that, cut short anywhere, it
// leaves either the old store or the restored one, whole, and never one with
// the other's log. A kill between any two steps is played by hand: it leaves
// what the steps before it did.
#include "coordinator/store/store_restore.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/pending_restore.h"
#include "coordinator/store/power_cut_vfs.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_backup.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class StoreRestoreTest : public testing::Test {
 protected:
  StoreRestoreTest() {
    TempStore other;
    std::unique_ptr<Store> store = other.Open();
    EXPECT_TRUE(store->Commit(JobBatch({LiveJob("backed up")})).ok());
    EXPECT_TRUE(BackupStore(other.path(), Backup()).ok());
  }

  std::string Backup() const { return elsewhere_.directory() + "/backup"; }
  std::string Aside() const { return AsidePath(temp_.path()); }

  // Leaves what a killed coordinator leaves: `old` is in the log only.
  void MakeOldStore() {
    TempStore running;
    std::unique_ptr<Store> store = running.Open();
    ASSERT_TRUE(store->Commit(JobBatch({LiveJob("old")})).ok());
    for (const char* suffix : {"", "-wal", "-shm"}) {
      fs::copy_file(running.path() + suffix, temp_.path() + suffix);
    }
    ASSERT_GT(fs::file_size(temp_.wal_path()), 0u);
  }

  // What is there once the restored database is whole and nothing was moved.
  void MakePending() {
    TempStore other;
    ASSERT_TRUE(RestoreStore(Backup(), other.path()).ok());
    fs::copy_file(other.path(), PendingRestorePath(temp_.path()));
  }

  void RemoveFiles() {
    for (const auto& entry : fs::directory_iterator(temp_.directory())) {
      fs::remove(entry.path());
    }
  }

  absl::Status Restore() {
    return RestoreStore(Backup(), temp_.path()).status();
  }

  // Expects that nothing is done, and why.
  void ExpectRefused(absl::StatusCode code, const std::string& says) {
    const std::vector<std::string> before = Files();
    const absl::Status status = Restore();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(status.message(), HasSubstr(says));
    EXPECT_EQ(Files(), before);
  }

  // Names and sizes of the files in the store's directory.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(temp_.directory())) {
      files.push_back(absl::StrCat(entry.path().filename().string(), " ",
                                   entry.file_size()));
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  static std::string Mark(StoreView& view) {
    std::string mark = "none";
    EXPECT_TRUE(
        view.LoadMeta([&](absl::string_view key, absl::string_view value) {
              if (key == kRestoredKey) mark = std::string(value);
            })
            .ok());
    return mark;
  }

  void ExpectRestored() {
    std::unique_ptr<Store> store = temp_.Open();
    EXPECT_THAT(LiveJobIds(store->view()), ElementsAre("backed up"));
    EXPECT_EQ(Mark(store->view()), "1");
  }

  // The old store is aside, with its log.
  void ExpectOldAside() {
    TempStore moved;
    for (const char* suffix : {"", "-wal"}) {
      fs::copy_file(Aside() + suffix, moved.path() + suffix);
    }
    std::unique_ptr<Store> store = moved.Open();
    EXPECT_THAT(LiveJobIds(store->view()), ElementsAre("old"));
    EXPECT_EQ(Mark(store->view()), "none");
  }

  TempStore temp_;
  TempStore elsewhere_;
};

TEST_F(StoreRestoreTest, BringsBackTheBackupAndKeepsWhatWasThere) {
  MakeOldStore();
  absl::StatusOr<RestoreReport> report = RestoreStore(Backup(), temp_.path());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->restored.jobs, 1);
  EXPECT_EQ(report->restored.bytes,
            static_cast<int64_t>(fs::file_size(temp_.path())));
  EXPECT_EQ(report->aside, Aside());
  // One file, without a log of its own or of another.
  EXPECT_THAT(Files(), ElementsAre(HasSubstr("vigil.db "),
                                   HasSubstr("vigil.db.before-restore "),
                                   HasSubstr("vigil.db.before-restore-wal ")));
  struct stat info;
  ASSERT_EQ(stat(temp_.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_THAT(*DumpTables(Backup()), Not(HasSubstr("restored")));
  ExpectOldAside();
  ExpectRestored();
}

TEST_F(StoreRestoreTest, RestoresWhereThereIsNothing) {
  absl::StatusOr<RestoreReport> report = RestoreStore(Backup(), temp_.path());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->aside, "");
  ExpectRestored();
}

TEST_F(StoreRestoreTest, RestoresOverADamagedStore) {
  std::ofstream(temp_.path()) << std::string(10000, 'x');
  std::ofstream(temp_.wal_path()) << std::string(10000, 'y');
  ASSERT_TRUE(Restore().ok());
  EXPECT_EQ(fs::file_size(Aside()), 10000u);
  EXPECT_EQ(fs::file_size(Aside() + "-wal"), 10000u);
  ExpectRestored();
}

TEST_F(StoreRestoreTest, RestoresABackupOfTheFirstSchema) {
  fs::remove(Backup());
  TempStore old;
  WriteStoreOfSchema1(old.path());
  ASSERT_TRUE(BackupStore(old.path(), Backup()).ok());
  absl::StatusOr<RestoreReport> report = RestoreStore(Backup(), temp_.path());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->restored.jobs, 6);
  EXPECT_EQ(Mark(temp_.Open()->view()), "1");
}

TEST_F(StoreRestoreTest, ReplacesNoOlderDatabaseThatIsAside) {
  MakeOldStore();
  for (const char* suffix : {"", "-wal"}) {
    std::ofstream(Aside() + suffix) << "older";
    ExpectRefused(absl::StatusCode::kAlreadyExists, "move it away");
    fs::remove(Aside() + suffix);
  }
  EXPECT_TRUE(Restore().ok());
}

TEST_F(StoreRestoreTest, RefusesADatabaseWithItsLog) {
  MakeOldStore();
  std::ofstream(Backup() + "-wal") << "log";
  ExpectRefused(absl::StatusCode::kInvalidArgument, "--backup");
}

TEST_F(StoreRestoreTest, ChecksTheBackupBeforeItTouchesAnything) {
  MakeOldStore();
  {
    TempStore large;
    Batch batch;
    for (int i = 0; i < 5000; ++i) {
      batch.jobs.push_back(LiveJob(absl::StrCat("j", 10000 + i)));
    }
    ASSERT_TRUE(large.Open()->Commit(batch).ok());
    fs::remove(Backup());
    ASSERT_TRUE(BackupStore(large.path(), Backup()).ok());
  }
  std::fstream file(Backup(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40 * kPageBytes);
  file << std::string(8 * kPageBytes, '\xa5');
  file.close();
  ExpectRefused(absl::StatusCode::kDataLoss, Backup());

  fs::resize_file(Backup(), 10 * kPageBytes);
  ExpectRefused(absl::StatusCode::kDataLoss, Backup());
  std::ofstream(Backup()) << std::string(10000, 'x');
  ExpectRefused(absl::StatusCode::kDataLoss, Backup());
  std::ofstream(Backup()).flush();
  ExpectRefused(absl::StatusCode::kFailedPrecondition, Backup());
  fs::remove(Backup());
  ExpectRefused(absl::StatusCode::kNotFound, Backup());
  std::unique_ptr<Store> store = temp_.Open();
  EXPECT_THAT(LiveJobIds(store->view()), ElementsAre("old"));
}

TEST_F(StoreRestoreTest, LeavesTheOldStoreOnAFullDisk) {
  MakeOldStore();
  {
    PowerCutVfs disk(temp_.directory());
    disk.SetWritesLeft(3);
    ExpectRefused(absl::StatusCode::kUnavailable, "the disk is full");
  }
  std::unique_ptr<Store> store = temp_.Open();
  EXPECT_THAT(LiveJobIds(store->view()), ElementsAre("old"));
}

// Killed before the restored database was whole: the old store is there, and
// the next restore starts anew.
TEST_F(StoreRestoreTest, KeepsTheOldStoreUntilTheNewOneIsWhole) {
  MakeOldStore();
  std::ofstream(PendingRestorePath(temp_.path()) + ".new") << "half a copy";
  std::ofstream(PendingRestorePath(temp_.path()) + ".new-wal") << "half a log";
  {
    std::unique_ptr<Store> store = temp_.Open();
    EXPECT_THAT(LiveJobIds(store->view()), ElementsAre("old"));
  }
  ASSERT_TRUE(Restore().ok());
  ExpectRestored();
}

// Killed behind that, after any number of the files of before were moved: who
// opens the store next, or restores or reads it, ends the restore first.
TEST_F(StoreRestoreTest, GoesOnWhereItWasCutShort) {
  const std::vector<std::string> moves = {"-wal", ""};
  for (size_t moved = 0; moved <= moves.size(); ++moved) {
    SCOPED_TRACE(moved);
    RemoveFiles();
    MakeOldStore();
    MakePending();
    for (size_t i = 0; i < moved; ++i) {
      fs::rename(temp_.path() + moves[i], Aside() + moves[i]);
    }
    const absl::Status backup =
        BackupStore(temp_.path(), elsewhere_.directory() + "/b").status();
    EXPECT_EQ(backup.code(), absl::StatusCode::kFailedPrecondition) << backup;

    ExpectRestored();

    ExpectOldAside();
    EXPECT_FALSE(fs::exists(PendingRestorePath(temp_.path())));
  }
}

// What the aside name holds by now is not replaced, and the coordinator says so
// rather than start on half of it.
TEST_F(StoreRestoreTest, DoesNotGoOnOverAFileThatIsAside) {
  MakeOldStore();
  MakePending();
  std::ofstream(Aside()) << "came later";
  const absl::Status status =
      Store::Open(temp_.path(), Store::Options()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(status.message(), HasSubstr(Aside()));
  fs::remove(Aside());
  ExpectRestored();
}

}  // namespace
}  // namespace vigil::store
