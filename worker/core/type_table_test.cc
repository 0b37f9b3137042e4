// Proves what a worker remembers of its task types: what survives a catalog
// that is read again, the state of each cache, and how the run time of jobs
// decides how many of them one process may hold.
#include "worker/core/type_table.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "worker/core/limits.h"

namespace vigil::worker {
namespace {

TaskTypeRulesPtr Rules(const std::string& name, int max_in_flight = 1) {
  auto rules = std::make_shared<TaskTypeRules>();
  rules->name = name;
  rules->warm = true;
  rules->max_in_flight = max_in_flight;
  return rules;
}

TaskTypeRulesPtr WithWarmUp(const std::string& name) {
  auto rules = std::make_shared<TaskTypeRules>(*Rules(name));
  rules->warm_up.emplace();
  return rules;
}

TEST(TypeTableTest, OffersExactlyTheDefinitionsThatWereSetLast) {
  TypeTable table;
  const TaskTypeRulesPtr old = Rules("t");
  EXPECT_FALSE(table.Offers(old));
  table.Set({{old}});
  EXPECT_TRUE(table.Offers(old));
  EXPECT_EQ(table.Find("t"), old);
  const TaskTypeRulesPtr same_words = Rules("t");
  EXPECT_FALSE(table.Offers(same_words));
  table.Set({{same_words}, {Rules("a")}});
  EXPECT_FALSE(table.Offers(old));
  EXPECT_TRUE(table.Offers(same_words));
  EXPECT_EQ(table.names(), (std::vector<std::string>{"a", "t"}));
  table.Set({});
  EXPECT_EQ(table.Find("t"), nullptr);
  EXPECT_TRUE(table.names().empty());
}

TEST(TypeTableTest, ACommandIsAlwaysOffered) {
  EXPECT_TRUE(TypeTable().Offers(nullptr));
  EXPECT_EQ(TypeTable().cache(nullptr), CacheState::kNone);
  EXPECT_EQ(TypeTable().Depth(nullptr), 1);
}

TEST(TypeTableTest, ACacheIsMissingUnlessItWasFound_A4) {
  TypeTable table;
  const TaskTypeRulesPtr none = Rules("none");
  const TaskTypeRulesPtr missing = WithWarmUp("missing");
  const TaskTypeRulesPtr found = WithWarmUp("found");
  table.Set({{none, true}, {missing, false}, {found, true}});
  EXPECT_EQ(table.cache(none), CacheState::kNone);
  EXPECT_EQ(table.cache(missing), CacheState::kMissing);
  EXPECT_EQ(table.cache(found), CacheState::kReady);
}

TEST(TypeTableTest, WhatWasLearntOfATypeIsKeptWhileItStaysAsItWas_A4) {
  TypeTable table;
  const TaskTypeRulesPtr kept = WithWarmUp("kept");
  const TaskTypeRulesPtr changed = WithWarmUp("changed");
  table.Set({{kept}, {changed}});
  table.SetCache(kept, CacheState::kDegraded, "why");
  table.SetCache(changed, CacheState::kDegraded, "why");
  const TaskTypeRulesPtr anew = WithWarmUp("changed");
  table.Set({{kept}, {anew}});
  EXPECT_EQ(table.cache(kept), CacheState::kDegraded);
  EXPECT_EQ(table.degraded("kept"), "why");
  EXPECT_EQ(table.cache(anew), CacheState::kMissing);
  EXPECT_EQ(table.degraded("changed"), "");
}

TEST(TypeTableTest, WhatIsSaidOfAnOldDefinitionIsIgnored) {
  TypeTable table;
  const TaskTypeRulesPtr old = WithWarmUp("t");
  const TaskTypeRulesPtr anew = WithWarmUp("t");
  table.Set({{old}});
  table.Set({{anew}});
  const int64_t revision = table.revision();
  table.SetCache(old, CacheState::kReady);
  table.Ran(old, absl::Milliseconds(1));
  EXPECT_EQ(table.cache(anew), CacheState::kMissing);
  EXPECT_EQ(table.revision(), revision);
}

TEST(TypeTableTest, ASuccessEndsADegradedState_A4) {
  TypeTable table;
  const TaskTypeRulesPtr type = WithWarmUp("t");
  table.Set({{type}});
  table.SetCache(type, CacheState::kDegraded, "why");
  table.SetCache(type, CacheState::kReady);
  EXPECT_EQ(table.degraded("t"), "");
  EXPECT_EQ(table.degraded("unknown"), "");
}

// How many jobs a process may hold after one that ran for `time`.
int DepthAfter(absl::Duration time, int max_in_flight = 64) {
  TypeTable table;
  const TaskTypeRulesPtr type = Rules("t", max_in_flight);
  table.Set({{type}});
  table.Ran(type, time);
  return table.Depth(type);
}

TEST(TypeTableTest, NothingIsHandedAheadBeforeAJobWasMeasured) {
  TypeTable table;
  const TaskTypeRulesPtr type = Rules("t", 64);
  table.Set({{type}});
  EXPECT_EQ(table.Depth(type), 1);
}

TEST(TypeTableTest, DepthIsThePowerOfTwoThatHoldsTheWorkWanted) {
  EXPECT_EQ(DepthAfter(kWorkAhead), 1);
  EXPECT_EQ(DepthAfter(kWorkAhead - absl::Nanoseconds(1)), 2);
  EXPECT_EQ(DepthAfter(kWorkAhead / 2), 2);
  EXPECT_EQ(DepthAfter(kWorkAhead / 2 - absl::Nanoseconds(1)), 4);
  EXPECT_EQ(DepthAfter(kWorkAhead / 8), 8);
  EXPECT_EQ(DepthAfter(absl::ZeroDuration()), 64);
}

TEST(TypeTableTest, DepthStaysWithinMaxInFlight) {
  EXPECT_EQ(DepthAfter(absl::ZeroDuration(), 1), 1);
  EXPECT_EQ(DepthAfter(absl::ZeroDuration(), 8), 8);
  EXPECT_EQ(DepthAfter(absl::ZeroDuration(), 7), 4);
}

TEST(TypeTableTest, AMeanFollowsNewRunTimesByTheirWeight) {
  TypeTable table;
  const TaskTypeRulesPtr type = Rules("t", 64);
  table.Set({{type}});
  table.Ran(type, absl::ZeroDuration());
  // The mean is now an eighth of it: just below what allows two.
  table.Ran(type, kWorkAhead / kRunTimeWeight - absl::Nanoseconds(16));
  EXPECT_EQ(table.Depth(type), 2);
  table.Ran(type, kWorkAhead * 2);
  EXPECT_EQ(table.Depth(type), 1);
}

TEST(TypeTableTest, TheRevisionGrowsWithWhatAStatusShows) {
  TypeTable table;
  const TaskTypeRulesPtr type = WithWarmUp("t");
  const TaskTypeRulesPtr quick = Rules("quick", 4);
  int64_t last = table.revision();
  const auto grew = [&] {
    return table.revision() > std::exchange(last, table.revision());
  };
  table.Set({{type}, {quick}});
  EXPECT_TRUE(grew());
  table.SetCache(type, CacheState::kDegraded, "why");
  EXPECT_TRUE(grew());
  table.Ran(quick, absl::Milliseconds(1));
  EXPECT_TRUE(grew());
  table.Ran(quick, absl::Milliseconds(1));
  EXPECT_FALSE(grew());
  table.Changed();
  EXPECT_TRUE(grew());
}

}  // namespace
}  // namespace vigil::worker
