// Simulation: one run from one seed: a safety phase, in which everything goes
// wrong and nothing forbidden may happen, then a liveness phase, in which
// nothing goes wrong any more and every job must end within bounded time. A run
// that fails ends the process, after printing the seed, the last events and the
// command that replays it. Thread-compatible.
#ifndef VIGIL_TESTS_SIM_SIMULATION_H_
#define VIGIL_TESTS_SIM_SIMULATION_H_

#include <cstdint>

#include "absl/time/time.h"
#include "tests/sim/coverage.h"
#include "tests/sim/mutant.h"
#include "tests/sim/trace.h"

namespace vigil::sim {

// Events of the safety phase of a run.
inline constexpr int64_t kEventsDefault = 10'000;

struct SimulationOptions {
  enum class Weather {
    kRough,  // faults, slow networks and slow slots
    kCalm,   // nothing goes wrong but the tasks themselves
  };
  uint64_t seed = 1;
  Weather weather = Weather::kRough;
  int64_t events = kEventsDefault;
  Mutant mutant = Mutant::kNone;
  Trace::Mode trace = Trace::Mode::kQuiet;
};

struct SimulationReport {
  int64_t events = 0;
  int64_t jobs = 0;
  absl::Duration simulated;
  // The same for every replay.
  uint64_t digest = 0;
  Coverage coverage;
};

// Runs one seed. Ends the process if it fails.
SimulationReport RunSimulation(const SimulationOptions& options);

// Runs one seed in a process of its own. Whether it failed there.
bool FailsInChild(const SimulationOptions& options);

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_SIMULATION_H_
