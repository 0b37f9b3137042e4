// Proves what is advised about a call that failed: what the comments of the
// protos say, and the commands and flags that help.
#include "client/cli/command/call_advice.h"

#include "client/cli/command/command_lookup.h"
#include "client/cli/command/lamp_commands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Advice(absl::string_view verb, const absl::Status& status,
                   std::optional<absl::Duration> delay = std::nullopt) {
  const NounSpec& noun = *FindNoun(LampCommands(), "lamp");
  return CallAdvice(noun, *FindVerb(noun, verb), status, delay);
}

TEST(CallAdviceTest, SaysWhatTheMethodSaysOfTheCode) {
  EXPECT_EQ(Advice("set", absl::FailedPreconditionError("hot")),
            "it burns. Wait until it is cold");
  EXPECT_EQ(Advice("set", absl::AbortedError("")), "");
}

TEST(CallAdviceTest, AThingThatIsNotThereIsToBeLookedForInTheList) {
  EXPECT_EQ(Advice("get", absl::NotFoundError("no l1")),
            "no such lamp in this house; `vigil lamp list` shows those there "
            "are");
  EXPECT_EQ(Advice("read", absl::NotFoundError("no book")), "");
}

TEST(CallAdviceTest, FollowsReferencesToOtherMethods) {
  EXPECT_EQ(Advice("set", absl::NotFoundError("no l1")),
            "no such lamp in this house; or its house is gone; `vigil lamp "
            "list` shows those there are");
  EXPECT_EQ(Advice("watch", absl::FailedPreconditionError("hot")),
            "it burns. Wait until it is cold");
}

TEST(CallAdviceTest, WhatTheServiceSaysHoldsForAllItsMethods) {
  EXPECT_EQ(Advice("watch", absl::UnavailableError("dark")),
            "there is no light. Wait for the morning");
}

TEST(CallAdviceTest, NamesTheFlagOfTheFieldThatTheMessageNames) {
  const auto advice = [](absl::string_view message) {
    return Advice("set", absl::InvalidArgumentError(message));
  };
  EXPECT_EQ(advice("shade.reach_timeout is above 24 h"),
            "the flag is --shade.reach; see `vigil lamp set --help`");
  EXPECT_THAT(advice("'inner.cloth': too thin"), HasSubstr("flag is --cloth"));
  EXPECT_THAT(advice("bad watts."), HasSubstr("the flag is --watts"));
  EXPECT_EQ(advice("kilowatts, watts_max and shade.watts.more"),
            "see `vigil lamp set --help`");
  // It is about either.
  EXPECT_EQ(advice("has both a shade and watts"),
            "see `vigil lamp set --help`");
  EXPECT_EQ(advice("needs a cable or a battery"),
            "see `vigil lamp set --help`");
  // Two fields end like this.
  EXPECT_THAT(advice("cloth is thin"), Not(HasSubstr("the flag is")));
}

TEST(CallAdviceTest, SaysWhenToTryAgain) {
  EXPECT_EQ(Advice("read", absl::ResourceExhaustedError("full"),
                   absl::Milliseconds(1500)),
            "try again in 1.5s");
  EXPECT_EQ(Advice("get", absl::UnavailableError("dark"), absl::Seconds(2)),
            "there is no light. Wait for the morning; try again in 2s");
  EXPECT_EQ(Advice("read", absl::ResourceExhaustedError("full"),
                   absl::Milliseconds(-1)),
            "do not try again");
}

TEST(CallAdviceTest, WhatTheServerSaidInMetadataIsToldAndNotWhereItIs) {
  EXPECT_EQ(
      Advice("get", absl::ResourceExhaustedError("full"), absl::Seconds(2)),
      "too many look at it. Look at another one; try again in 2s");
}

TEST(CallAdviceTest, ALateAnswerMayBeWaitedFor) {
  EXPECT_EQ(Advice("read", absl::DeadlineExceededError("")),
            "--timeout=DURATION lets it take longer");
}

TEST(CallAdviceTest, AnUnknownCallIsOfANewerVersion) {
  EXPECT_THAT(Advice("read", absl::UnimplementedError("")),
              HasSubstr("vigil version"));
}

}  // namespace
}  // namespace vigil::cli
