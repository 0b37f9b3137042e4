#include "tests/sim/simulation.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/check.h"
#include "coordinator/core/limits.h"
#include "tests/sim/batch_client.h"
#include "tests/sim/clients.h"
#include "tests/sim/cluster.h"
#include "tests/sim/faults.h"
#include "tests/sim/host_clock.h"

namespace vigil::sim {
namespace {

// Simulated time within which all must have ended once nothing goes wrong: the
// longest job (four attempts of 90 s) for each of 40, and for the 12 items of
// each of three batches, on two slots.
constexpr absl::Duration kLivenessMax = absl::Hours(4);

// Of all runs, those without batches: what few jobs lead to is rare enough.
constexpr double kPlainRuns = 0.4;

// Events between two looks at everything.
constexpr int64_t kEventsPerCheck = 50;

// Real time after which a run is taken for an endless loop; a run takes far
// less than a second.
constexpr unsigned kRunSecondsMax = 300;

// The run that a signal ends.
const SimulationOptions* current_options = nullptr;
const Trace* current_trace = nullptr;

// The process is lost: what is not safe in a signal handler may be tried.
void ReportAndDie(int signum) {
  if (current_options != nullptr && current_trace != nullptr) {
    std::fprintf(stderr, "the last events:\n");
    current_trace->Print();
    std::fprintf(stderr,
                 "seed %llu %s\nreplay: bazel run //tests/sim:sim -- "
                 "--seed=%llu --events=%lld --mutant=%s\n",
                 static_cast<unsigned long long>(current_options->seed),
                 signum == SIGALRM ? "does not come to an end" : "failed",
                 static_cast<unsigned long long>(current_options->seed),
                 static_cast<long long>(current_options->events),
                 MutantName(current_options->mutant).data());
  }
  _exit(1);
}

// The shortest that the coordinator's main file lets a margin be.
const absl::Duration kLeaseMarginMin = coordinator::kLease / 100;

HostClock::Options RandomClock(Random* random) {
  HostClock::Options clock;
  clock.offset = random->Between(absl::ZeroDuration(), absl::Hours(24));
  // Half of them at a bound, since that is where it may go wrong.
  const int64_t max = HostClock::kErrorPpmMax;
  clock.error_ppm = random->Chance(0.5)   ? random->Int(-max, max)
                    : random->Chance(0.5) ? max
                                          : -max;
  return clock;
}

Cluster::Options ClusterFor(const SimulationOptions& options) {
  // Apart from the run's own chance, so that neither disturbs the other.
  Random random(options.seed * 7919 + 1);
  Random leaving(options.seed * 7919 + 4);
  Cluster::Options cluster;
  cluster.seed = options.seed;
  cluster.mutant = options.mutant;
  cluster.trace = options.trace;
  if (random.Chance(0.2)) cluster.live_jobs_max = 8;
  cluster.clock = RandomClock(&random);
  if (random.Chance(0.3)) cluster.lease_margin = kLeaseMarginMin;
  cluster.types = RandomTypes(&random);
  const int64_t workers = random.Int(2, 4);
  const bool rough = options.weather == SimulationOptions::Weather::kRough &&
                     random.Chance(0.7);
  const bool local = random.Chance(0.4);
  for (int i = 0; i < workers; ++i) {
    WorkerNode::Options worker;
    worker.index = i;
    worker.slots = static_cast<int>(random.Int(1, 3));
    worker.local = local && i == 0;
    worker.clock = worker.local ? cluster.clock : RandomClock(&random);
    worker.rough = rough;
    if (random.Chance(0.3)) {
      worker.ahead_min = static_cast<int>(random.Int(1, 6));
    }
    worker.drain_grace = leaving.Chance(0.2)
                             ? absl::ZeroDuration()
                             : leaving.Between(absl::Milliseconds(500),
                                               coordinator::kDrainGrace);
    if (i != 1) worker.commands.insert("inline");
    for (const auto& type : cluster.types) {
      if (i == 0 || random.Chance(0.7)) worker.types.push_back(type);
    }
    cluster.workers.push_back(worker);
  }
  return cluster;
}

void RunPhases(const SimulationOptions& options, Cluster* cluster) {
  Clients clients(cluster);
  BatchClient batches(cluster, &clients);
  Faults faults(cluster);
  cluster->Start();
  clients.Start();
  // Apart from the run's own chance: those without batches are as they were.
  if (!Random(options.seed * 7919 + 2).Chance(kPlainRuns)) batches.Start();
  if (options.weather == SimulationOptions::Weather::kRough) faults.Start();
  EventQueue& queue = cluster->queue();
  while (queue.happened() < options.events && queue.Step()) {
    if (queue.happened() % kEventsPerCheck != 0) continue;
    cluster->CheckEverything();
    cluster->CountStates();
  }
  cluster->trace().Add(queue.now(), "--- liveness: all faults end");
  clients.Stop();
  batches.Stop();
  faults.Stop();
  cluster->Heal();
  const absl::Time limit = queue.now() + kLivenessMax;
  while (!cluster->Settled()) {
    for (int i = 0; i < kEventsPerCheck; ++i) queue.Step();
    cluster->CheckEverything();
    if (queue.now() < limit) continue;
    cluster->judge().CheckAllOver();
    cluster->judge().Violation("a worker does not come to rest");
  }
  cluster->judge().CheckAllOver();
}

}  // namespace

SimulationReport RunSimulation(const SimulationOptions& options) {
  auto cluster = std::make_unique<Cluster>(ClusterFor(options));
  current_options = &options;
  current_trace = &cluster->trace();
  signal(SIGABRT, ReportAndDie);
  signal(SIGALRM, ReportAndDie);
  alarm(kRunSecondsMax);
  RunPhases(options, cluster.get());
  alarm(0);
  signal(SIGABRT, SIG_DFL);
  signal(SIGALRM, SIG_DFL);
  current_options = nullptr;
  current_trace = nullptr;
  SimulationReport report;
  report.events = cluster->queue().happened();
  report.jobs = static_cast<int64_t>(cluster->store().rows().size());
  report.simulated = cluster->queue().now() - kStart;
  report.digest = cluster->trace().digest();
  report.coverage = cluster->coverage();
  return report;
}

bool FailsInChild(const SimulationOptions& options) {
  std::fflush(nullptr);
  const pid_t child = fork();
  VIGIL_CHECK(child >= 0, "fork");
  if (child == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    RunSimulation(options);
    _exit(0);
  }
  int status = 0;
  VIGIL_CHECK(waitpid(child, &status, 0) == child, "waitpid");
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace vigil::sim
