// TaskRun: one attempt as a program really began it, whatever anybody believes.
// A value, thread-compatible; written by the program, read by the judge.
#ifndef VIGIL_TESTS_SIM_TASK_RUN_H_
#define VIGIL_TESTS_SIM_TASK_RUN_H_

#include <cstdint>

#include "absl/time/time.h"
#include "base/ids.h"
#include "tests/sim/task_script.h"

namespace vigil::sim {

struct TaskRun {
  AttemptId attempt;
  TaskScript script;
  // Of a warm program, which may go on to other attempts.
  bool warm = false;
  absl::Time start_time;
  // When it last wrote what its supervision counts as activity.
  absl::Time last_activity;
  // When the chunk that it is at began, if its progress counts chunks, and how
  // many have ended, as far as it said; and whether that was all.
  absl::Time chunk_begin;
  int64_t chunks = 0;
  bool all_chunks = false;
  // Of a command: what it wrote, and whether the ready pattern matched. Of a
  // warm program: its tokens.
  int64_t stdout_bytes = 0;
  int64_t stderr_bytes = 0;
  bool ready = false;
  // The warm program handed in how the attempt ended, and is done with it.
  bool over = false;
  // It ended as its script says, not by a signal from outside.
  bool ended_by_itself = false;
  // Then: with success.
  bool succeeded = false;

  // A chunk ended, of `total` (0: it did not say).
  void EndChunk(int64_t done, int64_t total, absl::Time now) {
    chunk_begin = now;
    chunks = done;
    all_chunks = total > 0 && done >= total;
  }
  bool talked() const { return warm || stdout_bytes > 0; }
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_TASK_RUN_H_
