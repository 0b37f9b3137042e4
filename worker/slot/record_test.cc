// Proves what a slot's record says at each moment of the slot's life, so that a
// successor finds slot and task whenever the worker is killed; and that nothing
// is believed that is not a whole record. How: real slots with real files.
#include "worker/slot/record.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/limits.h"
#include "worker/slot/proc_fs.h"
#include "worker/slot/slot_test_util.h"
#include "worker/slot/stat_line.h"

namespace vigil::slot {
namespace {

const HostIdentity kHost = {"3f0c6e4e-8a0e-4a57-a9d1-000000000000", 4026531836,
                            "0123456789abcdef0123456789abcdef"};

class RecordTest : public testing::Test {
 protected:
  RecordTest()
      : path_(absl::StrCat(
            testing::TempDir(), "/",
            testing::UnitTest::GetInstance()->current_test_info()->name())),
        fd_(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
  }

  std::string Text() const {
    std::ifstream file(path_);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  Record Read() const {
    absl::StatusOr<Record> record = ParseRecord(Text());
    EXPECT_TRUE(record.ok()) << record.status() << Text();
    return record.value_or(Record());
  }
  void WriteHeader(SlotUnderTest& slot) {
    const pid_t pid = slot.process().pid();
    ASSERT_TRUE(
        WriteRecordHeader(fd_.get(), kHost, {pid, ReadStartTicks(pid)}).ok());
  }

  const std::string path_;
  const UniqueFd fd_;
};

TEST_F(RecordTest, ItsHeaderIsReadAsItWasWritten) {
  ASSERT_TRUE(WriteRecordHeader(fd_.get(), kHost, {4194304, 1234567890}).ok());
  EXPECT_EQ(Text().size(), kRecordHeaderBytes);
  const Record record = Read();
  EXPECT_EQ(record.host.boot_id, kHost.boot_id);
  EXPECT_EQ(record.host.pid_namespace, kHost.pid_namespace);
  EXPECT_EQ(record.host.machine_id, kHost.machine_id);
  EXPECT_EQ(record.slot, (ProcessKey{4194304, 1234567890}));
  EXPECT_TRUE(record.task.empty());
}

TEST_F(RecordTest, WhatIsNotKnownOfTheHostStaysUnknown) {
  ASSERT_TRUE(WriteRecordHeader(fd_.get(), {}, {1, 2}).ok());
  EXPECT_EQ(Read().host.boot_id, "");
  EXPECT_EQ(Read().host.machine_id, "");
}

TEST_F(RecordTest, TheLargestNumbersFit) {
  ASSERT_TRUE(WriteRecordHeader(fd_.get(),
                                {kHost.boot_id, 4294967295, kHost.machine_id},
                                {4194304, ~uint64_t{0}})
                  .ok());
  EXPECT_EQ(Read().slot.start_ticks, ~uint64_t{0});
}

TEST_F(RecordTest, AHeaderWithoutAMachineIsARecord) {
  std::string text = "vigil-slot 2 boot 7 8 9";
  text.resize(kRecordHeaderBytes - 1, ' ');
  const absl::StatusOr<Record> record = ParseRecord(text + "\n");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->host.machine_id, "");
  EXPECT_EQ(record->slot, (ProcessKey{8, 9}));
}

TEST_F(RecordTest, WhatWasCutShortOrIsSomethingElseIsDamaged) {
  ASSERT_TRUE(WriteRecordHeader(fd_.get(), kHost, {8, 9}).ok());
  const std::string header = Text();
  for (const std::string& text :
       {std::string(), header.substr(0, kRecordHeaderBytes - 1),
        std::string(kRecordHeaderBytes, ' '), "x" + header.substr(1),
        std::string(kRecordHeaderBytes - 1, 'x') + "\n", header + "17 100 101",
        header + "17 100\n", header + "17 101 100\n", header + "17 100 99999\n",
        header + "17 100 101 102\n", header + "nothing\n"}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseRecord(text).status())) << text;
  }
}

TEST_F(RecordTest, ATaskIsWhoeverStartedInItsRange) {
  ASSERT_TRUE(WriteRecordHeader(fd_.get(), kHost, {8, 9}).ok());
  const std::string header = Text();
  const absl::StatusOr<Record> record =
      ParseRecord(header + "17 100 102\nrest of an older line\n");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_THAT(record->task,
              testing::ElementsAre(ProcessKey{17, 100}, ProcessKey{17, 101},
                                   ProcessKey{17, 102}));
  EXPECT_TRUE(ParseRecord(header + "\nolder\n")->task.empty());
}

TEST_F(RecordTest, TheLargestNumbersOfATaskEnd) {
  ASSERT_TRUE(WriteRecordHeader(fd_.get(), kHost, {8, 9}).ok());
  const std::string most = absl::StrCat(~uint64_t{0});
  const absl::StatusOr<Record> record =
      ParseRecord(absl::StrCat(Text(), "17 ", most, " ", most, "\n"));
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->task.size(), 1u);
}

TEST_F(RecordTest, ARecordOfAnEarlierBuildIsRead) {
  std::string text = "vigil-slot 1 boot 7 8 9";
  text.resize(kRecordHeaderBytes - 1, ' ');
  text += '\n';
  EXPECT_TRUE(ParseRecord(text)->task.empty());
  const absl::StatusOr<Record> record = ParseRecord(
      text + "12 (sh) S 8 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 567 0\n");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_THAT(record->task, testing::ElementsAre(ProcessKey{12, 567}));
  EXPECT_TRUE(absl::IsDataLoss(ParseRecord(text + "12 (sh) S").status()));
}

TEST_F(RecordTest, ATaskIsOnRecordBeforeItRunsAndUntilItsTreeIsEmpty) {
  SlotUnderTest slot(fd_.get());
  WriteHeader(slot);
  EXPECT_TRUE(Read().task.empty());
  // The program itself reads what is on record of it.
  const WorkerEnds ends = slot.Start(
      Shell(absl::StrCat("sed -n 2p ", path_, "; cat /proc/$$/stat")));
  const std::string out = ReadToEnd(ends.stdout_fd.get());
  slot.Next<Exited>();
  slot.Next<TreeEmpty>();
  const size_t line = out.find('\n') + 1;
  const absl::StatusOr<Record> noted =
      ParseRecord(Text().substr(0, kRecordHeaderBytes) + out.substr(0, line));
  ASSERT_TRUE(noted.ok()) << noted.status() << out;
  const auto itself = ParseStatLine(out.substr(line));
  ASSERT_TRUE(itself.has_value()) << out;
  EXPECT_THAT(noted->task,
              testing::Contains(ProcessKey{itself->pid, itself->start_ticks}));
  EXPECT_EQ(itself->parent, slot.process().pid());
  EXPECT_TRUE(Read().task.empty());
  EXPECT_EQ(Read().slot.pid, slot.process().pid());
}

TEST_F(RecordTest, AKilledSlotLeavesItsTaskOnRecord) {
  pid_t task = 0;
  {
    SlotUnderTest slot(fd_.get());
    WriteHeader(slot);
    const WorkerEnds ends = slot.Start(Shell("echo $$; exec sleep 1000"));
    task = std::stoi(ReadUntil(ends.stdout_fd.get(), "\n"));
    ASSERT_TRUE(slot.process().KillSelf().ok());
    ReadToEnd(ends.stdout_fd.get());
  }
  ASSERT_FALSE(Read().task.empty());
  EXPECT_EQ(Read().task[0].pid, task);
}

TEST_F(RecordTest, AShorterLineTakesThePlaceOfALongerOneAsAWhole) {
  SlotUnderTest slot(fd_.get());
  WriteHeader(slot);
  const std::string junk(600, 'x');
  ASSERT_EQ(pwrite(fd_.get(), junk.data(), junk.size(), kRecordHeaderBytes),
            static_cast<ssize_t>(junk.size()));
  const WorkerEnds ends = slot.Start(Shell("echo $$; read line"));
  const pid_t task = std::stoi(ReadUntil(ends.stdout_fd.get(), "\n"));
  slot.Next<Exited>();
  slot.Next<TreeEmpty>();
  EXPECT_TRUE(Read().task.empty());
  const WorkerEnds more = slot.Start(Shell("echo up; exec sleep 1000"));
  ReadUntil(more.stdout_fd.get(), "up\n");
  ASSERT_FALSE(Read().task.empty());
  EXPECT_NE(Read().task[0].pid, task);
}

TEST_F(RecordTest, AProgramThatCannotBeStartedIsNotOnRecord) {
  SlotUnderTest slot(fd_.get());
  WriteHeader(slot);
  EXPECT_EQ(slot.StartInVain(Command({"/no/such/program"})).error, ENOENT);
  EXPECT_TRUE(Read().task.empty());
}

TEST_F(RecordTest, ATaskThatCannotBeRecordedIsNotStarted) {
  const UniqueFd read_only(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  SlotUnderTest slot(read_only.get());
  const SpawnFailed failed = slot.StartInVain(Shell("exit 0"));
  EXPECT_EQ(failed.stage, SpawnStage::kSetup);
  EXPECT_NE(failed.error, 0);
}

TEST_F(RecordTest, TasksDoNotSeeTheRecord) {
  SlotUnderTest slot(fd_.get());
  WriteHeader(slot);
  const WorkerEnds ends = slot.Start(Shell("ls /proc/self/fd"));
  // The fourth is the directory that ls itself reads.
  EXPECT_EQ(ReadToEnd(ends.stdout_fd.get()), "0\n1\n2\n3\n");
}

TEST(StatLineTest, NamesMayHoldAnything) {
  const auto line = ParseStatLine(
      "12 (a) (b\n) S 34 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 3 0 567 0\n");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->pid, 12);
  EXPECT_EQ(line->name, "a) (b\n");
  EXPECT_EQ(line->parent, 34);
  EXPECT_EQ(line->threads, 3);
  EXPECT_EQ(line->start_ticks, 567u);
  EXPECT_FALSE(line->kernel);
  EXPECT_FALSE(line->dead());
}

TEST(StatLineTest, OnlyTheFirstThreadOfALivingProcessIsAZombie) {
  StatLine line;
  line.state = 'Z';
  line.threads = 1;
  EXPECT_TRUE(line.dead());
  line.threads = 2;
  EXPECT_FALSE(line.dead());
}

}  // namespace
}  // namespace vigil::slot
