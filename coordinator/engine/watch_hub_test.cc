// Proves that what watchers hold of output is bounded over all of them, that
// the oldest goes first whoever has it, and that what nobody holds costs
// nothing.
#include "coordinator/engine/watch_hub.h"

#include <deque>
#include <memory>
#include <string>

#include "coordinator/engine/limits.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

constexpr int64_t kPieceSize = 1000;
// Of a piece that one watcher holds.
constexpr int64_t kPieceCost =
    kPieceSize + kWatchedPieceBytes + kWatchedReferenceBytes;

// Keeps all it is given until it is told to let go.
class Keeper : public Watcher {
 public:
  void OnJob(const std::shared_ptr<const v1::Job>&, int64_t) override {}
  void OnOutput(const std::shared_ptr<const v1::Output>& output) override {
    if (keeps) held.push_back(output);
  }
  void ForgetOutput(const v1::Output& output) override {
    if (held.empty() || held.front().get() != &output) return;
    held.pop_front();
    ++forgotten;
  }
  void OnNotice(const Failure&) override {}
  int64_t HeldBytes(int, int64_t) const override { return 0; }

  bool keeps = true;
  std::deque<std::shared_ptr<const v1::Output>> held;
  int forgotten = 0;
};

v1::Output Piece() {
  v1::Output output;
  output.set_data(std::string(kPieceSize, 'x'));
  return output;
}

TEST(WatchHubTest, LetsGoOfTheOldestOneByteAboveTheMaximumAndNotAtIt) {
  for (const int64_t spare : {0, -1}) {
    WatchHub hub(3 * kPieceCost + spare);
    Keeper keeper;
    hub.Add(JobId("a"), &keeper);
    for (int i = 0; i < 2; ++i) hub.TellOutput(JobId("a"), Piece());
    EXPECT_EQ(keeper.forgotten, 0);
    hub.TellOutput(JobId("a"), Piece());
    EXPECT_EQ(keeper.forgotten, spare == 0 ? 0 : 1);
    EXPECT_EQ(hub.held_output_bytes(),
              kPieceCost * static_cast<int64_t>(keeper.held.size()));
    keeper.held.clear();
    EXPECT_EQ(hub.held_output_bytes(), 0);
  }
}

TEST(WatchHubTest, WhoHoldsOldOutputLosesItNotWhoKeepsUp) {
  WatchHub hub(3 * kPieceCost);
  Keeper stuck;
  Keeper reads;
  hub.Add(JobId("a"), &stuck);
  hub.Add(JobId("b"), &reads);
  hub.TellOutput(JobId("a"), Piece());
  for (int i = 0; i < 10; ++i) {
    hub.TellOutput(JobId("b"), Piece());
    if (i >= 1) reads.held.pop_front();
  }
  EXPECT_EQ(stuck.forgotten, 0);
  hub.TellOutput(JobId("b"), Piece());
  hub.TellOutput(JobId("b"), Piece());
  EXPECT_EQ(stuck.forgotten, 1);
  EXPECT_EQ(reads.forgotten, 0);
  EXPECT_EQ(reads.held.size(), 3);
}

TEST(WatchHubTest, AThousandWatchersOfOneJobShareItsOutput) {
  constexpr int kWatchers = 1000;
  WatchHub hub(kPieceSize * 100);
  std::deque<Keeper> keepers(kWatchers);
  for (Keeper& keeper : keepers) hub.Add(JobId("a"), &keeper);
  hub.TellOutput(JobId("a"), Piece());
  EXPECT_EQ(hub.held_output_bytes(), kPieceSize + kWatchedPieceBytes +
                                         kWatchers * kWatchedReferenceBytes);
  // Forgetting takes it from all of them.
  for (int i = 0; i < 100; ++i) hub.TellOutput(JobId("a"), Piece());
  EXPECT_LE(hub.held_output_bytes(), kPieceSize * 100);
  for (const Keeper& keeper : keepers) {
    EXPECT_EQ(keeper.forgotten + keeper.held.size(), 101);
  }
}

TEST(WatchHubTest, OutputOfAJobWithoutWatchersOrThatNobodyKeepsCostsNothing) {
  WatchHub hub(kPieceCost);
  hub.TellOutput(JobId("a"), Piece());
  Keeper keeper;
  keeper.keeps = false;
  hub.Add(JobId("a"), &keeper);
  for (int i = 0; i < 1000; ++i) hub.TellOutput(JobId("a"), Piece());
  EXPECT_EQ(hub.held_output_bytes(), 0);
  EXPECT_EQ(keeper.forgotten, 0);
}

}  // namespace
}  // namespace vigil::coordinator
