// Proves how fast a coordinator is said to work, from statuses of a made up
// one, at made up times.
#include "client/cli/top_rates.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

v1::GetStatusResponse Status(int64_t epoch, int64_t ended) {
  v1::GetStatusResponse status;
  status.set_epoch(epoch);
  auto* failed = status.add_states();
  failed->set_state(v1::Job::STATE_FAILED);
  failed->set_jobs(ended);
  auto* running = status.add_states();
  running->set_state(v1::Job::STATE_RUNNING);
  running->set_jobs(100);
  return status;
}

v1::Slot* AddSlot(v1::GetStatusResponse* status, const std::string& job_id,
                  int attempt, int64_t tokens) {
  if (status->workers().empty()) status->add_workers();
  v1::Slot* slot = status->mutable_workers(0)->add_slots();
  slot->set_state(v1::Slot::STATE_BUSY);
  slot->set_job_id(job_id);
  slot->mutable_attempt()->set_number(attempt);
  slot->mutable_attempt()->set_tokens(tokens);
  return slot;
}

TEST(TopRates, AreKnownFromTheSecondStatusOn) {
  TopRates rates;
  EXPECT_FALSE(rates.known());
  rates.Record(Status(1, 50), kStart);
  EXPECT_FALSE(rates.known());
  EXPECT_EQ(rates.jobs_per_second(), 0);
  rates.Record(Status(1, 70), kStart + absl::Seconds(2));
  EXPECT_TRUE(rates.known());
  EXPECT_EQ(rates.jobs_per_second(), 10);
}

TEST(TopRates, CountTokensThatCameWhileItLooked) {
  TopRates rates;
  v1::GetStatusResponse first = Status(1, 0);
  AddSlot(&first, "a", 1, 1000);
  AddSlot(&first, "b", 1, 500);
  rates.Record(first, kStart);
  v1::GetStatusResponse second = Status(1, 0);
  const v1::Slot* grown = AddSlot(&second, "a", 1, 1020);
  // One that ended and one that began meanwhile.
  const v1::Slot* fresh = AddSlot(&second, "c", 1, 10);
  rates.Record(second, kStart + absl::Seconds(2));
  EXPECT_EQ(rates.tokens_per_second(), 15);
  EXPECT_EQ(rates.TokensPerSecond(*grown), 10);
  EXPECT_EQ(rates.TokensPerSecond(*fresh), 0);
}

TEST(TopRates, TellAttemptsOfOneJobApart) {
  TopRates rates;
  v1::GetStatusResponse first = Status(1, 0);
  AddSlot(&first, "a", 1, 1000);
  rates.Record(first, kStart);
  v1::GetStatusResponse second = Status(1, 0);
  AddSlot(&second, "a", 2, 10);
  rates.Record(second, kStart + absl::Seconds(1));
  EXPECT_EQ(rates.tokens_per_second(), 10);
}

TEST(TopRates, BeginAnewWithAnotherLifeOfTheCoordinator) {
  TopRates rates;
  rates.Record(Status(1, 1000), kStart);
  rates.Record(Status(1, 1010), kStart + absl::Seconds(1));
  rates.Record(Status(2, 3), kStart + absl::Seconds(2));
  EXPECT_FALSE(rates.known());
  EXPECT_EQ(rates.jobs_per_second(), 0);
  rates.Record(Status(2, 5), kStart + absl::Seconds(4));
  EXPECT_EQ(rates.jobs_per_second(), 1);
}

}  // namespace
}  // namespace vigil::cli
