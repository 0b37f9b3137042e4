// Proves that events and commands arrive as they were sent, whatever bytes they
// hold, and that damaged ones are refused. How: each is encoded and decoded
// again in one process.
#include "worker/slot/slot_codec.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/slot/limits.h"

namespace vigil::slot {
namespace {

using ::testing::ElementsAre;

template <typename T>
T RoundTrip(const T& event) {
  SlotPacket packet;
  *packet.add_events() = EncodeEvent(event);
  const absl::StatusOr<std::vector<Event>> decoded =
      DecodePacket(packet.SerializeAsString());
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->size(), 1u);
  return std::get<T>(decoded->front());
}

absl::StatusOr<TaskCommand> ReadBack(const UniqueFd& memfd) {
  const absl::StatusOr<SpawnCommand> read = ReadCommand(memfd.get());
  if (!read.ok()) return read.status();
  return DecodeCommand(*read);
}

TEST(SlotCodecTest, EventsArriveAsTheyWereSent) {
  const Ready ready = RoundTrip(Ready{5, "no filter"});
  EXPECT_EQ(ready.pid, 5);
  EXPECT_EQ(ready.filter_problem, "no filter");
  const NestedCallSeen seen =
      RoundTrip(NestedCallSeen{"python3", "clone", true, 7, 2});
  EXPECT_EQ(seen.program, "python3");
  EXPECT_EQ(seen.call, "clone");
  EXPECT_TRUE(seen.refused);
  EXPECT_EQ(seen.count, 7);
  EXPECT_EQ(seen.live, 2);
  EXPECT_EQ(RoundTrip(Spawned{6}).pid, 6);
  EXPECT_EQ(RoundTrip(Pong{9}).number, 9u);
  EXPECT_EQ(RoundTrip(Exited{.status = 0, .signum = {}}).status, 0);
  EXPECT_FALSE(RoundTrip(Exited{.status = 0, .signum = {}}).signum);
  EXPECT_EQ(RoundTrip(Exited{.status = {}, .signum = 9}).signum, 9);
  EXPECT_FALSE(RoundTrip(Exited{.status = {}, .signum = 9}).status);

  const TreeEmpty empty =
      RoundTrip(TreeEmpty{.leftovers_killed = 1,
                          .user_time = absl::Microseconds(2),
                          .system_time = absl::Microseconds(3),
                          .max_rss_bytes = 4,
                          .killed = true,
                          .lease_expired = true,
                          .unconfirmed = true,
                          .leftovers = {{17, "sleep"}}});
  EXPECT_EQ(empty.leftovers_killed, 1);
  EXPECT_EQ(empty.user_time, absl::Microseconds(2));
  EXPECT_EQ(empty.system_time, absl::Microseconds(3));
  EXPECT_EQ(empty.max_rss_bytes, 4);
  EXPECT_TRUE(empty.killed);
  EXPECT_TRUE(empty.lease_expired);
  EXPECT_TRUE(empty.unconfirmed);
  ASSERT_EQ(empty.leftovers.size(), 1u);
  EXPECT_EQ(empty.leftovers[0].pid, 17);
  EXPECT_EQ(empty.leftovers[0].program, "sleep");
}

TEST(SlotCodecTest, EveryStageOfAFailedStartArrives) {
  for (const SpawnStage stage :
       {SpawnStage::kRequest, SpawnStage::kLease, SpawnStage::kLookup,
        SpawnStage::kWorkingDirectory, SpawnStage::kFork, SpawnStage::kSetup,
        SpawnStage::kExec, SpawnStage::kInterpreter}) {
    const SpawnFailed failed = RoundTrip(SpawnFailed{ENOENT, stage, "\xff"});
    EXPECT_EQ(failed.error, ENOENT);
    EXPECT_EQ(failed.stage, stage);
    EXPECT_EQ(failed.what, "\xff");
  }
}

TEST(SlotCodecTest, EventsOfOnePacketArriveInTheirOrder) {
  SlotPacket packet;
  *packet.add_events() = EncodeEvent(Spawned{6});
  *packet.add_events() = EncodeEvent(Exited{.status = 3, .signum = {}});
  *packet.add_events() = EncodeEvent(TreeEmpty());
  const absl::StatusOr<std::vector<Event>> events =
      DecodePacket(packet.SerializeAsString());
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 3u);
  EXPECT_EQ(std::get<Spawned>((*events)[0]).pid, 6);
  EXPECT_EQ(std::get<Exited>((*events)[1]).status, 3);
  EXPECT_TRUE(std::holds_alternative<TreeEmpty>((*events)[2]));
}

TEST(SlotCodecTest, RefusesWhatIsNoEvent) {
  EXPECT_TRUE(absl::IsInternal(DecodePacket("\xff\xff").status()));
  EXPECT_TRUE(absl::IsInternal(DecodePacket("").status()));
  SlotPacket packet;
  packet.add_events();
  EXPECT_TRUE(
      absl::IsInternal(DecodePacket(packet.SerializeAsString()).status()));
}

TEST(SlotCodecTest, CommandsOfAnyBytesArriveAsTheyWereSent) {
  const TaskCommand sent{{"prog", "", "\xff\xfe", "a b"},
                         {"A=1", "B=\x80", "A=2"},
                         "/tmp/\xc3",
                         true};
  const absl::StatusOr<SpawnCommand> encoded = EncodeCommand(sent);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  absl::StatusOr<UniqueFd> memfd = WriteCommand(*encoded);
  ASSERT_TRUE(memfd.ok()) << memfd.status();
  absl::StatusOr<TaskCommand> read = ReadBack(*memfd);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->argv, sent.argv);
  EXPECT_EQ(read->env, sent.env);
  EXPECT_EQ(read->working_directory, sent.working_directory);
  EXPECT_TRUE(read->pty);
}

TEST(SlotCodecTest, ACommandInFlightCannotBeChanged) {
  SpawnCommand command;
  command.add_argv("prog");
  absl::StatusOr<UniqueFd> memfd = WriteCommand(command);
  ASSERT_TRUE(memfd.ok()) << memfd.status();
  EXPECT_LT(pwrite(memfd->get(), "x", 1, 0), 0);
  EXPECT_LT(ftruncate(memfd->get(), 0), 0);
}

TEST(SlotCodecTest, RefusesCommandsThatCanNeverBeStarted) {
  for (const TaskCommand& command :
       {TaskCommand{}, TaskCommand{{""}, {}, "", false},
        TaskCommand{{std::string("a\0b", 3)}, {}, "", false},
        TaskCommand{{"a"}, {std::string("A=\0", 3)}, "", false},
        TaskCommand{{"a"}, {}, std::string("/\0", 2), false},
        TaskCommand{
            {"a", std::string(kCommandMaxBytes, 'x')}, {}, "", false}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(EncodeCommand(command).status()));
  }
}

TEST(SlotCodecTest, RefusesDescriptorsThatHoldNoCommand) {
  const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(absl::IsInternal(ReadBack(null).status()));
}

}  // namespace
}  // namespace vigil::slot
