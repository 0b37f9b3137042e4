// Looks for the processes of a task of the doctor's in /proc of this host:
// those that it named, and those that carry its mark in their environment.
// Functions that read the system and change nothing; thread-safe.
#ifndef VIGIL_CLIENT_CLI_TASK_PROCESSES_H_
#define VIGIL_CLIENT_CLI_TASK_PROCESSES_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vigil::cli {

// A process, told from a later one with the same pid by its start.
struct ProcessIdentity {
  pid_t pid = 0;
  // In clock ticks since boot.
  int64_t start_ticks = 0;
};

// Those of `pids` that can be seen from here: they are there, and `mark` stands
// in their environment, so they are no others' of another host or pid
// namespace.
std::vector<ProcessIdentity> FindMarked(const std::vector<pid_t>& pids,
                                        absl::string_view mark);

// What is left of them: "pid 17 (S)", with the system's letter for its state,
// for each of `processes` that is still there, zombies included, and each other
// one that carries the mark. Empty: nothing.
std::vector<std::string> FindLeft(const std::vector<ProcessIdentity>& processes,
                                  absl::string_view mark);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_TASK_PROCESSES_H_
