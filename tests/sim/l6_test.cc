// Proves requirement L6 at full scale in simulated time, through coordinator,
// network, worker and slot, with the default clocks: a slow load succeeds, a
// long run that talks succeeds, and a task that falls silent is stopped 45 s
// after its last token and not before.
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "base/reason.h"
#include "gtest/gtest.h"
#include "tests/sim/clients.h"
#include "tests/sim/cluster.h"
#include "tests/sim/job_spec.h"

namespace vigil::sim {
namespace {

using coordinator::JobState;

// How long messages, loops and commits may take together.
constexpr absl::Duration kSlack = absl::Milliseconds(50);

class L6Test : public testing::Test {
 protected:
  L6Test() : cluster_(OneWorker()), clients_(&cluster_) { cluster_.Start(); }

  static Cluster::Options OneWorker() {
    Cluster::Options options;
    options.workers.emplace_back();
    return options;
  }

  // Submits a job with default clocks and waits until its program runs.
  void Run(TaskScript script) {
    JobSpec job;
    job.id = id_;
    coordinator::JobPolicy policy;
    policy.retry.maximum_attempts = 1;
    job.policy = std::make_shared<const coordinator::JobPolicy>(policy);
    job.script = script;
    clients_.Submit(std::move(job));
    while (cluster_.coverage().count("attempt started") == 0) {
      ASSERT_TRUE(cluster_.queue().Step());
    }
    start_ = cluster_.queue().now();
  }

  // Lets time pass until `time` after the start of the program.
  void PassUntil(absl::Duration time) {
    while (cluster_.queue().now() < start_ + time) {
      ASSERT_TRUE(cluster_.queue().Step());
    }
  }

  // The program's time when it ended.
  absl::Duration PassUntilEnd() {
    while (!IsFinal(row().state)) {
      if (!cluster_.queue().Step()) break;
    }
    return row().end_time - start_;
  }

  const coordinator::Job& row() const { return *cluster_.store().Find(id_); }

  const JobId id_{"job"};
  Cluster cluster_;
  Clients clients_;
  absl::Time start_;
};

TEST_F(L6Test, SlowLoadFirstTokenAt35sThenTokensSucceeds_L6) {
  TaskScript script;
  script.first_token = absl::Seconds(35);
  script.tokens = 20;
  Run(script);
  PassUntil(absl::Seconds(34));
  EXPECT_EQ(row().state, JobState::kRunning);
  EXPECT_EQ(cluster_.coordinator().core()->FindJob(id_)->current().phase,
            Phase::kStarting);
  EXPECT_NEAR(absl::ToDoubleSeconds(PassUntilEnd()), 35 + 19,
              absl::ToDoubleSeconds(kSlack));
  EXPECT_EQ(row().state, JobState::kSucceeded);
  EXPECT_EQ(row().current().last.tokens, 20);
}

TEST_F(L6Test, TokensFor180sSucceeds_L6) {
  TaskScript script;
  script.tokens = 181;
  Run(script);
  PassUntil(absl::Seconds(179));
  EXPECT_EQ(row().state, JobState::kRunning);
  EXPECT_NEAR(absl::ToDoubleSeconds(PassUntilEnd()), 180,
              absl::ToDoubleSeconds(kSlack));
  EXPECT_EQ(row().state, JobState::kSucceeded);
  EXPECT_EQ(row().current().last.tokens, 181);
}

TEST_F(L6Test, TokensThenSilenceKilled45sAfterTheLastTokenNotBefore_L6) {
  TaskScript script;
  script.tokens = 11;  // the last one at 10 s
  script.end = TaskScript::End::kHang;
  Run(script);
  PassUntil(absl::Seconds(10 + 45) - absl::Milliseconds(1));
  EXPECT_EQ(cluster_.coverage().count("soft stop: INACTIVITY_TIMEOUT"), 0);
  EXPECT_EQ(row().state, JobState::kRunning);
  EXPECT_NEAR(absl::ToDoubleSeconds(PassUntilEnd()), 10 + 45,
              absl::ToDoubleSeconds(kSlack));
  EXPECT_EQ(row().state, JobState::kFailed);
  EXPECT_EQ(row().failure->reason, Reason::kInactivityTimeout);
  const std::optional<Evidence>& evidence = row().current().evidence;
  ASSERT_TRUE(evidence.has_value());
  EXPECT_GE(evidence->silence, absl::Seconds(45));
  EXPECT_LT(evidence->silence, absl::Seconds(45) + kSlack);
  EXPECT_EQ(row().current().last.tokens, 11);
}

}  // namespace
}  // namespace vigil::sim
