// Shows what the store does where the environment fails: files that are
// damaged, cut short, foreign, newer or not to be written are refused with
// advice; a full disk loses nothing; a failing disk is no full disk. Files are
// spoilt by hand; a cap on pages and failing writes stand for the disk.
#include <linux/capability.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_file.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreFailureTest : public testing::Test {
 protected:
  // Leaves a closed store with `jobs` live jobs.
  void MakeStore(int jobs) {
    std::unique_ptr<Store> store = temp_.Open();
    Batch batch;
    for (int i = 0; i < jobs; ++i) {
      batch.jobs.push_back(LiveJob(absl::StrCat("j", 10000 + i)));
    }
    ASSERT_TRUE(store->Commit(batch).ok());
  }

  absl::Status OpenStatus() {
    return Store::Open(temp_.path(), Store::Options()).status();
  }

  // Expects that the store is refused and that the message names the file.
  void ExpectRefused(absl::StatusCode code, const std::string& advice) {
    const absl::Status status = OpenStatus();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(status.message(), HasSubstr(temp_.path()));
    EXPECT_THAT(status.message(), HasSubstr(advice));
  }

  void Overwrite(int64_t offset, int64_t size_bytes) {
    std::fstream file(temp_.path(),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << std::string(static_cast<size_t>(size_bytes), '\xa5');
    ASSERT_TRUE(file.good());
  }

  int64_t FileSize() {
    return static_cast<int64_t>(std::filesystem::file_size(temp_.path()));
  }

  TempStore temp_;
};

TEST_F(StoreFailureTest, RefusesADamagedHeader) {
  MakeStore(10);
  Overwrite(0, 100);
  ExpectRefused(absl::StatusCode::kDataLoss, "restore it from a copy");
}

TEST_F(StoreFailureTest, RefusesADamagedSchema) {
  MakeStore(10);
  Overwrite(100, kPageBytes - 100);
  ExpectRefused(absl::StatusCode::kDataLoss, "restore it from a copy");
}

TEST_F(StoreFailureTest, ReportsDamageInsideWhenItIsRead) {
  MakeStore(5000);
  Overwrite(20 * kPageBytes, FileSize() - 20 * kPageBytes);
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open(temp_.path(), Store::Options());
  ASSERT_TRUE(store.ok()) << store.status();

  const absl::Status status = (*store)->view().LoadLiveJobs([](JobRow) {});

  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(status.message(), HasSubstr(temp_.path()));
  EXPECT_THAT(status.message(), HasSubstr("restore it from a copy"));
}

TEST_F(StoreFailureTest, RefusesAFileCutShort) {
  MakeStore(5000);
  std::filesystem::resize_file(temp_.path(), FileSize() - kPageBytes);
  ExpectRefused(absl::StatusCode::kDataLoss, "restore it from a copy");
}

TEST_F(StoreFailureTest, RefusesAnEmptyFile) {
  std::ofstream(temp_.path()).flush();
  ExpectRefused(absl::StatusCode::kDataLoss, "remove it to start empty");
  EXPECT_EQ(FileSize(), 0);
}

TEST_F(StoreFailureTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(temp_.path()) << std::string(10000, 'x');
  ExpectRefused(absl::StatusCode::kDataLoss, "is no database");
}

TEST_F(StoreFailureTest, RefusesALogWithoutItsDatabase) {
  std::ofstream(temp_.wal_path()) << std::string(10000, 'x');
  ExpectRefused(absl::StatusCode::kDataLoss, "move the log away");
  EXPECT_FALSE(std::filesystem::exists(temp_.path()));
}

TEST_F(StoreFailureTest, RefusesADatabaseOfAnotherProgram) {
  temp_.ExecuteForeign("CREATE TABLE job (id INTEGER)");
  const int64_t size_bytes = FileSize();
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "another program");
  EXPECT_EQ(FileSize(), size_bytes);
}

TEST_F(StoreFailureTest, RefusesANewerSchema) {
  MakeStore(1);
  temp_.ExecuteForeign(
      absl::StrCat("PRAGMA user_version = ", kSchemaVersion + 1));
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                absl::StrCat("a newer release wrote the database (schema ",
                             kSchemaVersion + 1));
}

TEST_F(StoreFailureTest, RefusesASchemaWithoutATable) {
  MakeStore(1);
  temp_.ExecuteForeign("DROP TABLE payload");
  ExpectRefused(absl::StatusCode::kDataLoss, "payload");
}

TEST_F(StoreFailureTest, StartsAfterAnInterruptedCreation) {
  std::ofstream(temp_.path() + ".new") << "half";
  std::ofstream(temp_.path() + ".new-journal") << "half";
  EXPECT_TRUE(OpenStatus().ok());
  EXPECT_FALSE(std::filesystem::exists(temp_.path() + ".new"));
}

TEST_F(StoreFailureTest, RefusesToReadWhereThereIsNoStore) {
  EXPECT_EQ(StoreView::Open(temp_.path()).status().code(),
            absl::StatusCode::kNotFound);
}

// Takes from this thread what lets root write to any file.
void DropOverride() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  ASSERT_EQ(syscall(SYS_capget, &header, data), 0);
  data[0].effective &= ~(1u << CAP_DAC_OVERRIDE);
  ASSERT_EQ(syscall(SYS_capset, &header, data), 0);
}

TEST_F(StoreFailureTest, RefusesAFileThatMayNotBeWritten) {
  MakeStore(1);
  ASSERT_EQ(chmod(temp_.path().c_str(), 0400), 0);
  DropOverride();
  ExpectRefused(absl::StatusCode::kPermissionDenied, "make the file writable");
}

TEST_F(StoreFailureTest, RefusesADirectoryThatMayNotBeWritten) {
  ASSERT_EQ(chmod(temp_.directory().c_str(), 0500), 0);
  DropOverride();
  const absl::Status status = OpenStatus();
  ASSERT_EQ(chmod(temp_.directory().c_str(), 0700), 0);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
}

TEST_F(StoreFailureTest, LosesNothingOnAFullDiskAndGoesOnWhenThereIsRoom) {
  Store::Options options;
  options.page_count_max = 48;
  std::unique_ptr<Store> store = temp_.Open(options);
  Batch old = JobBatch({EndedJob("a", TestTime(0))});
  old.payloads = {{"a", std::string(20 * kPageBytes, 'x')}};
  ASSERT_TRUE(store->Commit(old).ok());

  Batch batch = JobBatch({LiveJob("b")});
  batch.payloads = {{"b", std::string(20 * kPageBytes, 'y')}};
  for (int i = 0; i < 3; ++i) {
    const absl::Status status = store->Commit(batch);
    ASSERT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_THAT(status.message(), HasSubstr("the disk is full"));
  }
  // The log's pages were moved, so that it can start again in its own room.
  EXPECT_GT(FileSize(), 20 * kPageBytes);
  // Nothing of it is there, and reading goes on.
  EXPECT_THAT(LiveJobIds(store->view()), ElementsAre());
  EXPECT_TRUE(store->view().GetPayload("a")->has_value());

  ASSERT_TRUE(store->DeleteEnded(TestTime(1), 10).ok());
  EXPECT_TRUE(store->Commit(batch).ok());
  EXPECT_THAT(LiveJobIds(store->view()), ElementsAre("b"));
}

TEST_F(StoreFailureTest, WaitsForAnotherProgramThatHoldsTheDatabase) {
  std::unique_ptr<Store> store = temp_.Open();
  absl::StatusOr<std::unique_ptr<SqliteDb>> other =
      SqliteDb::Open(temp_.path(), SqliteDb::Access::kWrite);
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*other)->Execute("BEGIN IMMEDIATE").ok());

  const absl::Status status = store->Commit(JobBatch({LiveJob("j1")}));

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(status.message(), HasSubstr("another program"));
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  EXPECT_TRUE(store->Commit(JobBatch({LiveJob("j1")})).ok());
}

// Lets SQLite's writes to files fail while it lives: all of them, or those of
// one size.
class WriteFault {
 public:
  explicit WriteFault(int error, size_t only_size_bytes = 0) {
    error_ = error;
    only_size_bytes_ = only_size_bytes;
    Set(reinterpret_cast<sqlite3_syscall_ptr>(&Write),
        reinterpret_cast<sqlite3_syscall_ptr>(&PWrite));
  }
  ~WriteFault() { Set(nullptr, nullptr); }

 private:
  static ssize_t Write(int fd, const void* data, size_t size) {
    if (Fails(size)) return -1;
    return write(fd, data, size);
  }
  static ssize_t PWrite(int fd, const void* data, size_t size, off_t offset) {
    if (Fails(size)) return -1;
    return pwrite(fd, data, size, offset);
  }
  static bool Fails(size_t size) {
    if (only_size_bytes_ != 0 && size != only_size_bytes_) return false;
    errno = error_;
    return true;
  }
  // SQLite uses one of these, depending on how it was built.
  static void Set(sqlite3_syscall_ptr write, sqlite3_syscall_ptr pwrite) {
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    ASSERT_EQ(vfs->xSetSystemCall(vfs, "write", write), SQLITE_OK);
    vfs->xSetSystemCall(vfs, "pwrite", pwrite);
    vfs->xSetSystemCall(vfs, "pwrite64", pwrite);
  }

  static inline int error_ = 0;
  static inline size_t only_size_bytes_ = 0;
};

TEST_F(StoreFailureTest, TakesEveryLackOfRoomForAFullDisk) {
  std::unique_ptr<Store> store = temp_.Open();
  for (const int error : {ENOSPC, EDQUOT}) {
    const Batch batch = JobBatch({LiveJob(absl::StrCat("j", error))});
    {
      WriteFault fault(error);
      const absl::Status status = store->Commit(batch);
      EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
      EXPECT_THAT(status.message(), HasSubstr("the disk is full"));
    }
    EXPECT_TRUE(store->Commit(batch).ok());
  }
  EXPECT_EQ(LiveJobIds(store->view()).size(), 2u);
}

// The index of the log, in its own file, grows by a byte written at the end of
// each part once the log has some 4000 pages.
TEST_F(StoreFailureTest, TakesAnIndexThatCannotGrowForAFullDisk) {
  std::unique_ptr<Store> store = temp_.Open();
  Batch batch = JobBatch({LiveJob("j1")});
  batch.payloads = {{"j1", std::string(5000 * kPageBytes, 'x')}};
  {
    WriteFault fault(ENOSPC, 1);
    const absl::Status status = store->Commit(batch);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  }
  EXPECT_THAT(LiveJobIds(store->view()), ElementsAre());
  EXPECT_TRUE(store->Commit(batch).ok());
  store.reset();
  store = temp_.Open();
  EXPECT_THAT(LiveJobIds(store->view()), ElementsAre("j1"));
}

TEST_F(StoreFailureTest, ReportsAFailingDiskAsFatal) {
  std::unique_ptr<Store> store = temp_.Open();
  WriteFault fault(EIO);
  const absl::Status status = store->Commit(JobBatch({LiveJob("j1")}));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_THAT(status.message(), HasSubstr("the disk failed"));
}

}  // namespace
}  // namespace vigil::store
