// Proves how the progress of a batch looks, for widths and states of knowledge.
#include "client/cli/progress_bar.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Style kPlain(Style::Colour::kNone);

BatchProgress Half() {
  BatchProgress progress;
  progress.done = 50;
  progress.failed = 3;
  progress.running = 2;
  progress.read = 80;
  progress.total = 100;
  progress.per_second = 10;
  return progress;
}

TEST(TimeLeft, IsTheRestAtThePresentRate) {
  EXPECT_EQ(TimeLeft(Half()), absl::Seconds(5));
}

TEST(TimeLeft, IsNotGuessed) {
  BatchProgress progress = Half();
  progress.per_second = 0;
  EXPECT_EQ(TimeLeft(progress), std::nullopt);
  progress = Half();
  progress.total.reset();
  EXPECT_EQ(TimeLeft(progress), std::nullopt);
}

TEST(RenderBar, ShowsEverythingWhereThereIsRoom) {
  EXPECT_EQ(RenderBar(Half(), 70, kPlain),
            "[=========>        ]  50% 50/100  2 running  3 failed  "
            "10.0/s  5s left");
}

TEST(RenderBar, IsNeverWiderThanItsTerminal) {
  for (int columns = 0; columns < 200; ++columns) {
    EXPECT_LE(RenderBar(Half(), columns, kPlain).size(),
              static_cast<size_t>(columns));
  }
}

TEST(RenderBar, GivesUpTheBarFirst) {
  const std::string bar = RenderBar(Half(), 52, kPlain);
  EXPECT_THAT(bar, Not(HasSubstr("[")));
  EXPECT_THAT(bar, HasSubstr("5s left"));
}

TEST(RenderBar, IsFullOnlyWhenAllIsDone) {
  BatchProgress progress = Half();
  progress.done = 99;
  EXPECT_THAT(RenderBar(progress, 80, kPlain), HasSubstr(">] "));
  progress.done = 100;
  EXPECT_THAT(RenderBar(progress, 80, kPlain), HasSubstr("=] 100%"));
}

TEST(RenderBar, SaysThatTheTotalIsNotKnownYet) {
  BatchProgress progress = Half();
  progress.total.reset();
  const std::string bar = RenderBar(progress, 80, kPlain);
  EXPECT_THAT(bar, HasSubstr("50/80+"));
  EXPECT_THAT(bar, Not(HasSubstr("%")));
  EXPECT_THAT(bar, Not(HasSubstr("left")));
}

TEST(RenderBar, SaysWhatIsWaitedFor) {
  BatchProgress progress = Half();
  progress.waits = "a worker";
  EXPECT_THAT(RenderBar(progress, 200, kPlain), HasSubstr("waits: a worker"));
  EXPECT_THAT(RenderLine(progress), HasSubstr("waits: a worker"));
}

TEST(RenderBar, ColoursFailuresWithoutCountingTheColourAsWidth) {
  const Style ansi(Style::Colour::kAnsi);
  EXPECT_THAT(RenderBar(Half(), 70, ansi), HasSubstr("\033[31m  3 failed"));
  BatchProgress progress = Half();
  progress.failed = 0;
  EXPECT_THAT(RenderBar(progress, 70, ansi), Not(HasSubstr("\033")));
}

TEST(RenderLine, IsPlainText) {
  EXPECT_EQ(RenderLine(Half()),
            "50 of 100 done, 2 running, 3 failed, 10.0/s, 5s left");
}

}  // namespace
}  // namespace vigil::cli
