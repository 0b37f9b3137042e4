// Shows that a directory is made privately, refused when others could write to
// it, and used by one holder at a time, whose process the refusal names. Real
// directories; a child process stands for the second holder.
#include "base/dir_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil {
namespace {

using ::testing::HasSubstr;

class DirLockTest : public testing::Test {
 protected:
  DirLockTest() : root_(testing::TempDir() + "/lock-XXXXXX") {
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
  }
  ~DirLockTest() override { std::filesystem::remove_all(root_); }

  static mode_t Mode(const std::string& path) {
    struct stat info;
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  std::string root_;
};

TEST_F(DirLockTest, MakesTheDirectoryAndItsParentsPrivate) {
  const std::string directory = root_ + "/a/b/c/";
  absl::StatusOr<DirLock> lock = DirLock::Acquire(directory);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(lock->directory(), directory);
  EXPECT_EQ(Mode(root_ + "/a"), 0700u);
  EXPECT_EQ(Mode(root_ + "/a/b/c"), 0700u);
  EXPECT_EQ(Mode(root_ + "/a/b/c/lock"), 0600u);
}

TEST_F(DirLockTest, LeavesAnExistingDirectoryAsItIs) {
  ASSERT_EQ(chmod(root_.c_str(), 0755), 0);
  EXPECT_TRUE(DirLock::Acquire(root_).ok());
  EXPECT_EQ(Mode(root_), 0755u);
}

TEST_F(DirLockTest, RefusesASecondHolderAndNamesTheFirst) {
  absl::StatusOr<DirLock> first = DirLock::Acquire(root_);
  ASSERT_TRUE(first.ok()) << first.status();
  absl::StatusOr<DirLock> second = DirLock::Acquire(root_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().message(),
              HasSubstr(absl::StrCat("process ", getpid(), " uses")));
  EXPECT_THAT(second.status().message(), HasSubstr(root_));
}

TEST_F(DirLockTest, NamesAHolderThatHasNotWrittenItsPidYet) {
  absl::StatusOr<DirLock> first = DirLock::Acquire(root_);
  ASSERT_TRUE(first.ok()) << first.status();
  std::filesystem::resize_file(root_ + "/lock", 0);
  EXPECT_THAT(DirLock::Acquire(root_).status().message(),
              HasSubstr(absl::StrCat("process ", getpid(), " uses")));
}

TEST_F(DirLockTest, IsFreeAgainWhenItsHolderGoes) {
  std::optional<DirLock> moved;
  {
    absl::StatusOr<DirLock> lock = DirLock::Acquire(root_);
    ASSERT_TRUE(lock.ok());
    moved = *std::move(lock);
  }
  EXPECT_FALSE(DirLock::Acquire(root_).ok());
  moved.reset();
  EXPECT_TRUE(DirLock::Acquire(root_).ok());
}

TEST_F(DirLockTest, IsFreeAgainWhenItsHolderIsKilled) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    absl::StatusOr<DirLock> lock = DirLock::Acquire(root_);
    if (!lock.ok() || write(ready[1], "x", 1) != 1) _exit(1);
    pause();
  }
  close(ready[1]);
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  const absl::Status refused = DirLock::Acquire(root_).status();
  EXPECT_THAT(refused.message(), HasSubstr(absl::StrCat("process ", child)));

  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(DirLock::Acquire(root_).ok());
}

TEST_F(DirLockTest, ProgramsStartedByTheHolderDoNotInheritIt) {
  absl::StatusOr<DirLock> lock = DirLock::Acquire(root_);
  ASSERT_TRUE(lock.ok());
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry, error) != root_ + "/lock") {
      continue;
    }
    const int fd = std::stoi(entry.path().filename().string());
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_F(DirLockTest, RefusesADirectoryThatOthersCanWriteTo) {
  for (const mode_t mode : {0720, 0702, 01777}) {
    ASSERT_EQ(chmod(root_.c_str(), mode), 0);
    const absl::Status status = DirLock::Acquire(root_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
    EXPECT_THAT(status.message(), HasSubstr("chmod go-w"));
    EXPECT_FALSE(std::filesystem::exists(root_ + "/lock"));
  }
}

TEST_F(DirLockTest, RefusesADirectoryOfAnotherUser) {
  // Root gives the directory away; others find one that is not theirs.
  std::string directory = root_;
  if (chown(root_.c_str(), 12345, static_cast<gid_t>(-1)) != 0) {
    directory = "/usr";
    if (geteuid() == 0) GTEST_SKIP() << "no other user in this namespace";
  }
  const absl::Status status = DirLock::Acquire(directory).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(status.message(), HasSubstr("belongs to user"));
}

TEST_F(DirLockTest, RefusesWhatIsNoDirectory) {
  std::ofstream(root_ + "/file") << "x";
  EXPECT_FALSE(DirLock::Acquire(root_ + "/file").ok());
  EXPECT_FALSE(DirLock::Acquire(root_ + "/file/below").ok());
  EXPECT_EQ(DirLock::Acquire("").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(DirLockTest, DoesNotFollowALinkInPlaceOfTheLock) {
  std::ofstream(root_ + "/precious") << "keep";
  ASSERT_EQ(symlink("precious", (root_ + "/lock").c_str()), 0);
  EXPECT_FALSE(DirLock::Acquire(root_).ok());
  EXPECT_EQ(std::filesystem::file_size(root_ + "/precious"), 4u);
}

}  // namespace
}  // namespace vigil
