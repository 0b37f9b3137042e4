// Proves that every reason of the API has a name, an advice and the documented
// rule of retry, and that an unknown number is kept and never retried.
#include "base/reason.h"

#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace vigil {
namespace {

constexpr int kLast = static_cast<int>(Reason::kInternal);

TEST(ReasonTest, A12_EveryReasonHasItsOwnNameAndAdvice) {
  std::set<std::string> names;
  for (int number = 1; number <= kLast; ++number) {
    const Reason reason = static_cast<Reason>(number);
    const std::string name = ReasonName(reason);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_NE(name.rfind("REASON_", 0), 0u) << name;
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"),
              std::string::npos);
    EXPECT_FALSE(AdviceFor(reason).empty()) << name;
    EXPECT_EQ(AdviceFor(reason).find('\n'), std::string_view::npos) << name;
  }
}

TEST(ReasonTest, NumbersAreThoseOfTheApi) {
  EXPECT_EQ(ReasonName(static_cast<Reason>(1)), "STARTUP_TIMEOUT");
  EXPECT_EQ(ReasonName(static_cast<Reason>(2)), "INACTIVITY_TIMEOUT");
  EXPECT_EQ(ReasonName(static_cast<Reason>(8)), "CANCELLED");
  EXPECT_EQ(ReasonName(static_cast<Reason>(10)), "WORKER_LOST");
  EXPECT_EQ(ReasonName(static_cast<Reason>(17)), "TASK_ERROR");
  EXPECT_EQ(ReasonName(static_cast<Reason>(24)), "INTERNAL");
}

TEST(ReasonTest, OnlyWhatMayPassByItselfIsRetriedByDefault) {
  for (int number = 0; number <= kLast + 1; ++number) {
    const Reason reason = static_cast<Reason>(number);
    EXPECT_EQ(RetriedByDefault(reason),
              reason == Reason::kWorkerLost || reason == Reason::kDrained ||
                  reason == Reason::kResourceExhausted ||
                  reason == Reason::kServerUnavailable)
        << ReasonName(reason);
  }
}

TEST(ReasonTest, AnUnknownNumberIsKeptAndHasNoAdvice) {
  for (const int number : {0, kLast + 1, 77, -1}) {
    const Reason reason = static_cast<Reason>(number);
    EXPECT_EQ(ReasonName(reason), "REASON_" + std::to_string(number));
    EXPECT_TRUE(AdviceFor(reason).empty());
  }
}

}  // namespace
}  // namespace vigil
