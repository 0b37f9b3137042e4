// Proves, in a size fit for every change, what sim_main.cc says of the whole
// protocol: seeds with all faults pass the judge, a replay is exact, nothing is
// lost when nothing goes wrong, and every fault, state and reason that the
// simulation claims to exercise really occurs. A seed that fails ends this test
// and prints the command that replays it.
#include <cstdint>

#include "gtest/gtest.h"
#include "tests/sim/coverage.h"
#include "tests/sim/simulation.h"

namespace vigil::sim {
namespace {

constexpr uint64_t kSeeds = 200;

// All of these occur within kSeeds.
constexpr const char* kMustOccur[] = {
    "fault: stream broken",
    "fault: partition",
    "fault: coordinator crash",
    "fault: coordinator stopped",
    "fault: slow store",
    "fault: worker crash",
    "fault: worker stopped",
    "fault: slot crash",
    "fault: slot stopped",
    "fault: slot stopped at the lease",
    "fault: slot starts slowly",
    "fault: long delay",
    "fault: late answers",
    "fault: output not taken",
    "fault: message repeated",
    "fault: assignment sent again",
    "lost with its stream: attach",
    "lost with its stream: assignment",
    "lost with its stream: stop",
    "lost with its stream: end",
    "lost with its stream: acknowledgement of an end",
    "lost with the coordinator: assignment",
    "lost with the coordinator: acknowledgement of an end",
    "end sent again",
    "end listed as running",
    "end of an attempt that is over already",
    "clocks: coordinator's runs faster",
    "clocks: worker's runs faster",
    "clocks: as far apart as may be",
    "clocks: margin as short as may be",
    "operator: pause",
    "operator: drain with grace",
    "operator: drain with the worker's grace",
    "operator: drain at once",
    "operator: drain refused",
    "fault: worker terminated",
    "fault: coordinator terminated",
    "operator: set slots",
    "operator: change type",
    "operator: clear cache",
    "client: cancel",
    "client: stream lost",
    "client: refused",
    "crash: commit durable, effects lost",
    "network: connection refused",
    "session fenced",
    "attempt fenced",
    "worker starts a new session",
    "local worker killed",
    "slot killed at its lease",
    "slot killed for its silence",
    "slot retired",
    "tree unconfirmed",
    "clock observed",
    "started beside a lost tree",
    "job: QUEUED",
    "job: BACKOFF",
    "job: SUCCEEDED",
    "job: SUCCEEDED by its fallback",
    "job: SUCCEEDED truncated",
    "truncated without a result",
    "soft stop: SLOW_CHUNKS",
    "reason: SLOW_CHUNKS",
    "job: FAILED",
    "job: FAILED, death unconfirmed",
    "job: CANCELLED",
    "warm-up",
    "cache published",
    "type degraded",
    "type takes jobs ahead",
    "attempt started by a warm program",
    "attempt handed ahead",
    "attempt handed back",
    "attempt handed back after it waited",
    "work taken ahead",
    "attempt lost with its task",
    "process failed",
    "worker drains",
    "worker drains, nothing runs",
    "worker is to leave sooner",
    "worker left",
    "assignment crossed left",
    "attempt drained",
    "drained, and may start only once",
    "drain told again on a new stream",
    "attaches while it drains",
    "killed while it drains",
    "worker left, nobody to tell",
    "worker left with ends unacknowledged",
    "worker ended by a second signal",
    "lost with its stream: drain",
    "lost with its stream: left",
    "soft stop: DRAINED",
    "attempt drained before it began",
    "reason: DRAINED",
    "usable slots halved",
    "all slots usable again",
    "job: FAILED, its processes never took it",
    "warm program used again",
    "warm program reset",
    "warm program ended",
    "job left a process",
    "soft stop by frame",
    "frame comes before hello",
    "frame is for an attempt that this task does not run",
    "phase: WARMING",
    "phase: STARTING",
    "phase: ACTIVE",
    "phase: STOPPING",
    "slot: STARTING",
    "slot: IDLE",
    "slot: SPAWNING",
    "slot: RUNNING",
    "slot: SOFT_STOP",
    "slot: RESETTING",
    "slot: WARM",
    "slot: ENDING",
    "slot: KILLING",
    "slot: LEAVING",
    "slot: GONE",
    "slot: STUCK",
    "reason: STARTUP_TIMEOUT",
    "reason: INACTIVITY_TIMEOUT",
    "reason: PROGRESS_TIMEOUT",
    "reason: START_TO_CLOSE_TIMEOUT",
    "reason: SCHEDULE_TO_START_TIMEOUT",
    "reason: SCHEDULE_TO_CLOSE_TIMEOUT",
    "reason: WORKER_LOST",
    "reason: PROTOCOL_ERROR",
    "reason: INVALID_INPUT",
    "reason: TASK_ERROR",
    "reason: NONZERO_EXIT",
    "reason: SIGNALLED",
    "reason: SPAWN_FAILED",
    "reason: RESOURCE_EXHAUSTED",
    "reason: OUT_OF_MEMORY",
    "reason: NESTED_POOL",
    "slot: DUMPING",
    "stack dumped",
    "nested call",
    "attempt runs in sequence",
    "client: streams a batch",
    "client: stores a batch",
    "client: stream of a batch lost",
    "client: batch taken up",
    "client: cancel of a batch",
    "client: cancel of an item",
    "batch: restored",
    "batch: restored STOPPING",
    "batch: no room among the live jobs",
    "batch: next item of a sequential one begins",
    "batch: item refused",
    "batch: item retried",
    "batch: item degraded",
    "batch: item cancelled",
    "batch: items not run",
    "batch: stopped by its deadline",
    "batch: stopped by its stop rule",
    "batch: stopped by a client",
    "batch: stopped for its lost stream",
    "batch: ENDED early",
    "batch: ENDED with all its items",
};

TEST(SimTest, EverySeedKeepsThePromisesAndEverythingOccurs) {
  Coverage coverage;
  int64_t events = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SimulationOptions options;
    options.seed = seed;
    const SimulationReport report = RunSimulation(options);
    coverage.Add(report.coverage);
    events += report.events;
  }
  EXPECT_GE(events, 500'000);
  for (const char* what : kMustOccur) {
    EXPECT_GT(coverage.count(what), 0) << what;
  }
}

TEST(SimTest, ReplayOfASeedIsExact) {
  SimulationOptions options;
  options.seed = 7;
  const SimulationReport first = RunSimulation(options);
  const SimulationReport second = RunSimulation(options);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.events, second.events);
  options.seed = 8;
  EXPECT_NE(RunSimulation(options).digest, first.digest);
}

TEST(SimTest, NoAttemptIsLostWhenNothingGoesWrong) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SimulationOptions options;
    options.seed = seed;
    options.weather = SimulationOptions::Weather::kCalm;
    const SimulationReport report = RunSimulation(options);
    EXPECT_GT(report.jobs, 20);
    EXPECT_EQ(report.coverage.count("attempt lost"), 0) << "seed " << seed;
    EXPECT_EQ(report.coverage.count("session fenced"), 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace vigil::sim
