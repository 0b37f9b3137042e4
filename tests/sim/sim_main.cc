// sim: the deterministic simulation of the whole protocol, for long runs.
//
// What it proves: with the real cores of coordinator, worker and slot, whatever
// the network delays, drops, cuts and repeats, whichever process is killed or
// stopped, whichever clock is wrong, no acknowledged job is lost, no job runs
// twice at once, no end is reported before its tree is gone, no clock fires
// early or late, no retry begins before its backoff is over, no item of a batch
// has two outcomes, no job is charged or waits for a worker that was told to
// leave; and when the faults end, every job ends, and every batch with an
// outcome for each of its items (see judge.h, batch_judge.h and drain_judge.h
// for the full list, faults.h for the faults and for what is assumed).
//
// How: everything runs in this process in simulated time, in which each host's
// clock runs a little wrong, driven by one random generator. A seed therefore
// names a run:
//   sim --seeds=1..1000 --events=12000 20 million events, the liveness phases
//                                      included
//   sim --seeds=1..10000               many seeds, 10,000 events each
//   sim --seeds=1..10 --events=1000000 fewer and longer ones
//   sim --seed=42 --verbose            replays one, every event printed
//   sim --seeds=1..100 --mutant=NAME   must fail: see mutant.h
// Prints what occurred, and ends with status 1 at the first seed that fails,
// after printing the last events and the command that replays it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "tests/sim/simulation.h"

namespace {

using vigil::sim::Coverage;
using vigil::sim::MutantByName;
using vigil::sim::SimulationOptions;
using vigil::sim::SimulationReport;

struct Arguments {
  uint64_t first = 1;
  uint64_t last = 100;
  SimulationOptions options;
};

bool ParseSeeds(absl::string_view value, Arguments* arguments) {
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(value, absl::MaxSplits("..", 1));
  if (!absl::SimpleAtoi(ends.first, &arguments->first)) return false;
  if (ends.second.empty()) {
    arguments->last = arguments->first;
    return true;
  }
  return absl::SimpleAtoi(ends.second, &arguments->last);
}

bool Parse(absl::string_view argument, Arguments* arguments) {
  SimulationOptions& options = arguments->options;
  if (absl::ConsumePrefix(&argument, "--seeds=") ||
      absl::ConsumePrefix(&argument, "--seed=")) {
    return ParseSeeds(argument, arguments);
  }
  if (absl::ConsumePrefix(&argument, "--events=")) {
    return absl::SimpleAtoi(argument, &options.events) && options.events > 0;
  }
  if (absl::ConsumePrefix(&argument, "--mutant=")) {
    const auto mutant = MutantByName(argument);
    if (mutant.has_value()) options.mutant = *mutant;
    return mutant.has_value();
  }
  if (argument == "--calm") {
    options.weather = SimulationOptions::Weather::kCalm;
    return true;
  }
  if (argument == "--verbose") {
    options.trace = vigil::sim::Trace::Mode::kVerbose;
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    if (Parse(argv[i], &arguments)) continue;
    std::fprintf(
        stderr,
        "sim: %s: not understood; usage: sim [--seed=N | "
        "--seeds=A..B] [--events=N] [--mutant=NAME] [--calm] [--verbose]\n",
        argv[i]);
    return 2;
  }
  const absl::Duration begin = vigil::BoottimeNow();
  Coverage coverage;
  int64_t events = 0;
  int64_t jobs = 0;
  absl::Duration simulated;
  for (uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    arguments.options.seed = seed;
    const SimulationReport report = RunSimulation(arguments.options);
    coverage.Add(report.coverage);
    events += report.events;
    jobs += report.jobs;
    simulated += report.simulated;
  }
  const double seconds = absl::ToDoubleSeconds(vigil::BoottimeNow() - begin);
  for (const auto& [what, count] : coverage.counts()) {
    std::printf("%12lld  %s\n", static_cast<long long>(count), what.c_str());
  }
  std::printf(
      "seeds %llu to %llu passed: %lld events, %lld jobs, %.0f simulated "
      "hours in %.1f s, %.0f events/s\n",
      static_cast<unsigned long long>(arguments.first),
      static_cast<unsigned long long>(arguments.last),
      static_cast<long long>(events), static_cast<long long>(jobs),
      absl::ToDoubleHours(simulated), seconds,
      static_cast<double>(events) / seconds);
  return 0;
}
