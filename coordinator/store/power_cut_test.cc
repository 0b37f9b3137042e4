// Shows that a power cut at any instant loses nothing that was acknowledged:
// runs of the real store over PowerCutVfs, then a fresh store on what a cut at
// each point of the run may leave of the files. Each must open, be whole, and
// hold the state after the last acknowledged change, or after the one that was
// under way. Where syncs are left out, the same look finds facts lost.
//
// Points: after every event but a write, and of the writes between two of those
// the first kWritesTried and then one in so many, as the run says.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/power_cut_disk.h"
#include "coordinator/store/power_cut_vfs.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_file.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kWritesTried = 8;
// Of so many images one is not only looked at but written to.
constexpr int kImagesPerCommit = 8;

// The index of the log grows by parts of so many pages of the log, or a few
// less.
constexpr int kPagesOfOneIndexPart = 4096;

// Some rows of each kind, different for each `number`.
Batch EveryKind(int number) {
  const std::string id = absl::StrCat("j", 1000 + number);
  const std::string batch_id = absl::StrCat("b", 1000 + number);
  Batch batch = JobBatch({LiveJob(id)});
  batch.jobs[0].request_id = absl::StrCat("r", number);
  batch.payloads = {{id, std::string(300, 'p')}, {batch_id, "program"}};
  batch.results = {{id, std::string(6000, static_cast<char>('a' + number))}};
  batch.output = {{id, 1, 1, 1, 0, "line 1\n"}, {id, 1, 2, 2, 0, "line 2\n"}};
  batch.batches = {{batch_id, "default", std::nullopt, "", "value"}};
  batch.items = {{batch_id, 0, std::nullopt, "waits"}, {batch_id, 1, 1, "end"}};
  batch.meta = {{"epoch", absl::StrCat(number)}};
  return batch;
}

// Ends what EveryKind began.
Batch End(int number, int seconds) {
  const std::string id = absl::StrCat("j", 1000 + number);
  const std::string batch_id = absl::StrCat("b", 1000 + number);
  Batch batch = JobBatch({EndedJob(id, TestTime(seconds))});
  batch.jobs[0].request_id = absl::StrCat("r", number);
  batch.results = {{id, "the end"}};
  batch.trims = {{id, 1, 1, 1}};
  batch.batches = {{batch_id, "default", TestTime(seconds), "", "ended"}};
  batch.items = {{batch_id, 0, 2, "ended, too"}};
  return batch;
}

// More pages than a checkpoint waits for.
Batch Large(const std::string& id, int pages) {
  Batch batch = JobBatch({LiveJob(id)});
  batch.payloads = {
      {id, std::string(static_cast<size_t>(pages) * kPageBytes, 'x')}};
  return batch;
}

// What the looks at all images of a run found.
struct Findings {
  int cuts = 0;
  int images = 0;
  // An earlier state than one that was acknowledged.
  std::vector<std::string> lost;
  // No state of the run at all, or none that opens.
  std::vector<std::string> broken;
};

class PowerCutTest : public testing::Test {
 protected:
  // --- a run
  void Begin() { vfs_.emplace(temp_.directory()); }
  void Open() { store_ = temp_.Open(); }

  // A change that must be found from the moment on at which it returns OK.
  void Durable(absl::FunctionRef<absl::Status()> change) {
    const size_t before = states_.size() - 1;
    vfs_->Mark(before, before + 1);
    const absl::Status status = change();
    ASSERT_TRUE(status.ok()) << status;
    vfs_->Mark(before + 1, before + 1);
    states_.push_back(*DumpTables(temp_.path()));
    ASSERT_NE(states_[before], states_[before + 1]);
  }
  void Commit(const Batch& batch) {
    Durable([&] { return store_->Commit(batch); });
  }
  void Delete(int seconds, int rows_max) {
    Durable([&] {
      return store_->DeleteEnded(TestTime(seconds), rows_max).status();
    });
  }
  // A commit that finds the disk full, to be followed by the same one again.
  // `traces`: how many states later than the one before may be found.
  void FailForWantOfRoom(const Batch& batch, size_t traces) {
    const size_t before = states_.size() - 1;
    vfs_->Mark(before, before + 1);
    const absl::Status status = store_->Commit(batch);
    ASSERT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    vfs_->Mark(before, before + traces);
  }
  // Takes down what happened; nothing is noted any more.
  void Finish() {
    store_.reset();
    events_ = vfs_->events();
    vfs_.reset();
  }

  // Creation, every kind of row, retention, a restart, commits with a passive
  // checkpoint and behind it, a full disk.
  void RunEverything() {
    states_ = {StateOfNewStore()};
    Begin();
    vfs_->Mark(0, 0);
    Open();
    for (int i = 0; i < 6; ++i) Commit(EveryKind(i));
    for (int i = 0; i < 4; ++i) Commit(End(i, i));
    Delete(2, 2);
    Delete(2, 256);
    store_.reset();
    Open();
    Commit(EveryKind(6));
    // No room for all of the log, nor for the checkpoint that is tried then.
    vfs_->SetWritesLeft(5);
    FailForWantOfRoom(EveryKind(7), 0);
    vfs_->SetWritesLeft(std::nullopt);
    Commit(EveryKind(7));
    // No room for all of the log, but for what is in it.
    FailTheLogOnly(EveryKind(8));
    Commit(EveryKind(8));
    Commit(Large("large1", kCheckpointPages + 10));
    for (int i = 9; i < 11; ++i) Commit(EveryKind(i));
    // The passive checkpoint behind the commit finds no room.
    vfs_->SetWritesLeft(2 * (kCheckpointPages + 40) + 100);
    Commit(Large("large2", kCheckpointPages + 10));
    vfs_->SetWritesLeft(std::nullopt);
    Commit(EveryKind(11));
    Delete(3, 256);
    Finish();
  }

  void FailTheLogOnly(const Batch& batch) {
    vfs_->SetLogWritesLeft(5);
    FailForWantOfRoom(batch, 0);
    vfs_->SetLogWritesLeft(std::nullopt);
  }

  static std::string StateOfNewStore() {
    TempStore other;
    other.Open();
    return *DumpTables(other.path());
  }

  // --- the cuts
  // Looks at what cuts at the points of the run may leave, until something is
  // found lost. `reaches_disk` says which syncs do.
  Findings TryCuts(absl::FunctionRef<bool(const DiskEvent&)> reaches_disk) {
    Findings findings;
    PowerCutDisk disk;
    const DiskEvent* mark = nullptr;
    int writes = 0;
    for (size_t i = 0; i < events_.size(); ++i) {
      const DiskEvent& event = events_[i];
      if (reaches_disk(event)) disk.Apply(event);
      writes = event.kind == DiskEvent::Kind::kWrite ? writes + 1 : 0;
      if (event.kind == DiskEvent::Kind::kMark) mark = &event;
      // What was there when the run began.
      if (mark == nullptr) continue;
      if (writes > kWritesTried && writes % write_stride_ != 0) continue;
      ++findings.cuts;
      for (const PowerCutDisk::Image& image : Images(disk, i, writes > 0)) {
        Look(image, *mark, absl::StrCat("after event ", i), findings);
        if (!findings.lost.empty()) return findings;
      }
    }
    return findings;
  }

  // The different images to look at after event `i`. Behind a write that which
  // has nothing unsynced is the one from before it.
  static std::vector<PowerCutDisk::Image> Images(const PowerCutDisk& disk,
                                                 size_t i, bool is_write) {
    std::vector<PowerCutDisk::Image> images = {
        disk.All(), disk.Torn(i, i % 2 == 0 ? 512 : kPageBytes)};
    if (!is_write) {
      images.push_back(disk.Nothing());
      images.push_back(disk.Torn(i + 1, i % 2 == 1 ? 512 : kPageBytes));
    }
    std::sort(images.begin(), images.end());
    images.erase(std::unique(images.begin(), images.end()), images.end());
    return images;
  }

  void Look(const PowerCutDisk::Image& image, const DiskEvent& mark,
            const std::string& where, Findings& findings) {
    ++findings.images;
    TempStore left;
    for (const auto& [name, content] : image) {
      std::ofstream(absl::StrCat(left.directory(), "/", name), std::ios::binary)
          << content;
    }
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open(left.path(), Store::Options());
    if (!store.ok()) {
      findings.broken.push_back(
          absl::StrCat(where, ": ", store.status().ToString()));
      return;
    }
    const absl::StatusOr<std::string> state = DumpTables(left.path());
    if (!state.ok()) {
      findings.broken.push_back(
          absl::StrCat(where, ": ", state.status().ToString()));
      return;
    }
    const size_t found = static_cast<size_t>(
        std::find(states_.begin(), states_.end(), *state) - states_.begin());
    if (found > mark.state_max) {
      findings.broken.push_back(absl::StrCat(
          where, ": no state of the run until then, but\n", *state));
    } else if (found < mark.state_min) {
      findings.lost.push_back(
          absl::StrCat(where, ": state ", found, ", not ", mark.state_min));
    }
    CheckWhole(left, *std::move(store), where, findings);
  }

  // Whether indexes and tables agree, and the store goes on.
  void CheckWhole(const TempStore& left, std::unique_ptr<Store> store,
                  const std::string& where, Findings& findings) {
    absl::StatusOr<std::unique_ptr<SqliteDb>> db =
        OpenStoreFileForReading(left.path());
    const absl::StatusOr<std::string> check =
        db.ok() ? (*db)->QueryText("PRAGMA integrity_check")
                : absl::StatusOr<std::string>(db.status());
    if (!check.ok() || *check != "ok") {
      findings.broken.push_back(absl::StrCat(
          where, ": ",
          check.ok() ? *check : std::string(check.status().message())));
      return;
    }
    if (findings.images % kImagesPerCommit != 0) return;
    Batch more;
    more.meta = {{"after the cut", "1"}};
    ASSERT_TRUE(store->Commit(more).ok()) << where;
    db->reset();
    store.reset();
    store = left.Open();
    EXPECT_THAT(*DumpTables(left.path()), HasSubstr("after the cut")) << where;
  }

  void ExpectNothingLost(const Findings& findings, int cuts_min) {
    EXPECT_THAT(findings.lost, IsEmpty());
    EXPECT_THAT(findings.broken, IsEmpty());
    EXPECT_GT(findings.cuts, cuts_min);
    EXPECT_GT(findings.images, cuts_min * 3 / 2);
    std::printf("%d cuts, %d images, %zu states\n", findings.cuts,
                findings.images, states_.size());
  }

  TempStore temp_;
  std::optional<PowerCutVfs> vfs_;
  std::unique_ptr<Store> store_;
  // What a dump showed at first and after each change.
  std::vector<std::string> states_;
  std::vector<DiskEvent> events_;
  // Of many writes one in so many is a point to cut at.
  int write_stride_ = 101;
};

bool AllSyncs(const DiskEvent&) { return true; }

bool IsSync(const DiskEvent& event) {
  return event.kind == DiskEvent::Kind::kSync ||
         event.kind == DiskEvent::Kind::kSyncDirectory;
}

TEST_F(PowerCutTest, LosesNothingThatWasAcknowledged) {
  RunEverything();
  ExpectNothingLost(TryCuts(AllSyncs), 350);
}

// A disk that lies about syncs.
TEST_F(PowerCutTest, TheCutIsSeenWhereNobodySyncs) {
  RunEverything();
  const Findings findings =
      TryCuts([](const DiskEvent& event) { return !IsSync(event); });
  EXPECT_THAT(findings.lost, Not(IsEmpty()));
}

// What PRAGMA synchronous=NORMAL does: the log is synced by checkpoints only.
TEST_F(PowerCutTest, TheCutIsSeenWhereCommitsDoNotSyncTheLog) {
  RunEverything();
  const Findings findings = TryCuts([](const DiskEvent& event) {
    return !(IsSync(event) && absl::EndsWith(event.file, "-wal"));
  });
  EXPECT_THAT(findings.lost, Not(IsEmpty()));
  EXPECT_THAT(findings.broken, IsEmpty());
}

// The cut in the middle of bringing a database of the first schema up to date.
TEST_F(PowerCutTest, LeavesAnOldDatabaseWholeOrBringsItUpToDate) {
  WriteStoreOfSchema1(temp_.path());
  TempStore other;
  WriteStoreOfSchema1(other.path());
  other.Open();
  states_ = {*DumpTables(other.path())};
  ASSERT_THAT(states_[0], HasSubstr("job "));
  Begin();
  vfs_->Mark(0, 0);
  Open();
  Commit(EveryKind(0));
  store_.reset();
  Open();
  Commit(EveryKind(1));
  Finish();
  ExpectNothingLost(TryCuts(AllSyncs), 60);
}

// The exception that Store::Commit makes: a commit that failed because the
// index of the log could not grow may come back, whole, until it is there.
TEST_F(PowerCutTest, BringsBackACommitOnlyIfTheIndexOfTheLogCouldNotGrow) {
  // So many pages make large images.
  write_stride_ = 1511;
  states_ = {StateOfNewStore()};
  Begin();
  vfs_->Mark(0, 0);
  Open();
  Commit(EveryKind(0));
  vfs_->SetIndexFull(true);
  FailForWantOfRoom(Large("large", kPagesOfOneIndexPart), 1);
  vfs_->SetIndexFull(false);
  Commit(Large("large", kPagesOfOneIndexPart));
  Finish();
  ExpectNothingLost(TryCuts(AllSyncs), 80);
}

}  // namespace
}  // namespace vigil::store
