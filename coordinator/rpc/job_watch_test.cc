// Proves what a watch gives its stream: large output in parts, what it was
// asked to forget never out of order, and that a lossless one holds back the
// worker by what its reader has not taken, wherever that lies.
#include "coordinator/rpc/job_watch.h"

#include <memory>
#include <string>

#include "coordinator/engine/engine_fixture.h"
#include "coordinator/engine/limits.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class JobWatchTest : public EngineFixture {
 protected:
  std::unique_ptr<JobWatch> Watch(bool lossless) {
    WatchCursor cursor;
    cursor.set_job_id("job");
    JobWatch::Options options;
    options.lossless = lossless;
    return std::make_unique<JobWatch>(engine_.get(), &signal_, cursor, options);
  }
  static v1::Output Piece(int attempt, int64_t offset,
                          const std::string& data) {
    v1::Output output;
    output.set_attempt(attempt);
    output.set_stream(v1::Output::STREAM_STDOUT);
    output.set_offset(offset);
    output.set_data(data);
    return output;
  }
  void Tell(int64_t offset, const std::string& data) {
    engine_->hub().TellOutput(JobId("job"), Piece(1, offset, data));
  }
  // Fills the memory of all watchers, so that what they hold is forgotten.
  void FillMemory() {
    WatchCursor cursor;
    cursor.set_job_id("other");
    JobWatch::Options options;
    options.lossless = true;
    JobWatch other(engine_.get(), &signal_, cursor, options);
    const std::string piece(1 << 20, 'x');
    for (int64_t told = 0; told <= kWatchersBytesMax;
         told += static_cast<int64_t>(piece.size())) {
      engine_->hub().TellOutput(JobId("other"), Piece(1, told, piece));
    }
    EXPECT_LE(engine_->hub().held_output_bytes(), kWatchersBytesMax);
  }

  ReadyList ready_;
  Signal signal_{&ready_};
};

TEST_F(JobWatchTest, LargeOutputComesInPartsThatMakeTheWhole) {
  const auto watch = Watch(true);
  std::string data(3 * kEventOutputBytesMax + 1, 'x');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i % 251);
  Tell(0, data);
  std::string read;
  v1::WatchEvent event;
  int events = 0;
  while (watch->Next(&event)) {
    ASSERT_TRUE(event.has_output());
    EXPECT_EQ(event.output().offset(), static_cast<int64_t>(read.size()));
    EXPECT_LE(event.output().data().size(), kEventOutputBytesMax);
    read += event.output().data();
    ++events;
  }
  EXPECT_EQ(events, 4);
  EXPECT_TRUE(read == data);
  EXPECT_EQ(engine_->hub().held_output_bytes(), 0);
}

TEST_F(JobWatchTest, ACursorWithinAPieceGoesOnThere) {
  const auto watch = Watch(true);
  v1::WatchEvent event;
  ASSERT_TRUE(watch->Take(Piece(1, 0, "0123"), &event));
  Tell(2, "234567");
  ASSERT_TRUE(watch->Next(&event));
  EXPECT_EQ(event.output().offset(), 4);
  EXPECT_EQ(event.output().data(), "4567");
}

TEST_F(JobWatchTest, WhatIsForgottenPutsItBehindUntilItHasCaughtUp) {
  for (const bool lossless : {true, false}) {
    const auto watch = Watch(lossless);
    Tell(0, "first");
    EXPECT_FALSE(watch->behind());
    FillMemory();
    ASSERT_TRUE(watch->behind());
    // Kept again only from CatchUp on.
    Tell(5, "second");
    v1::WatchEvent event;
    EXPECT_FALSE(watch->Next(&event));
    EXPECT_EQ(watch->CatchUp(), 1);
    EXPECT_FALSE(watch->behind());
    Tell(11, "third");
    // The store has them as one row.
    ASSERT_TRUE(watch->Take(Piece(1, 0, "firstsecond"), &event));
    EXPECT_EQ(event.output().data(), "firstsecond");
    ASSERT_TRUE(watch->Next(&event));
    EXPECT_EQ(event.output().data(), "third");
    EXPECT_EQ(event.output().offset(), 11);
  }
}

TEST_F(JobWatchTest, ALosslessOneHoldsBackWhatItForgotAndALiveOneNothing) {
  const auto lossless = Watch(true);
  const auto live = Watch(false);
  Tell(0, "first");
  EXPECT_EQ(lossless->HeldBytes(1, 5), 5);
  FillMemory();
  ASSERT_TRUE(lossless->behind());
  EXPECT_EQ(lossless->HeldBytes(1, 5), 5);
  v1::WatchEvent event;
  ASSERT_TRUE(lossless->Take(Piece(1, 0, "fir"), &event));
  EXPECT_EQ(lossless->HeldBytes(1, 5), 2);
  // Of the next attempt it has taken nothing; the one before is over.
  EXPECT_EQ(lossless->HeldBytes(2, 7), 7);
  ASSERT_TRUE(lossless->Take(Piece(2, 0, "x"), &event));
  EXPECT_EQ(lossless->HeldBytes(1, 5), 0);
  EXPECT_EQ(live->HeldBytes(1, 5), 0);
}

TEST_F(JobWatchTest, ALiveOneLosesTheOldestAboveItsOwnMaximumAndSaysSo) {
  const auto watch = Watch(false);
  const std::string piece(1 << 10, 'x');
  for (int64_t i = 0; i <= kWatcherQueueBytesMax / 1024; ++i) {
    Tell(i * 1024, piece);
  }
  v1::WatchEvent event;
  ASSERT_TRUE(watch->Next(&event));
  ASSERT_TRUE(event.has_gap());
  EXPECT_EQ(event.gap().offset(), 0);
  EXPECT_EQ(event.gap().size_bytes(), 1024);
}

}  // namespace
}  // namespace vigil::coordinator
