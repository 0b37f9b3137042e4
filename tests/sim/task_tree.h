// TaskTree: the processes in a slot as they really are, whatever anybody
// believes: the program, which follows its script, and its descendants. Each
// descendant is the child of the one before, so it falls to the subreaper when
// that one is dead, and only then can be killed by it. Thread-compatible;
// shared by the slot, the worker that reads its output, and the judge.
#ifndef VIGIL_TESTS_SIM_TASK_TREE_H_
#define VIGIL_TESTS_SIM_TASK_TREE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "base/ids.h"
#include "base/policy.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/random.h"
#include "tests/sim/task_run.h"
#include "tests/sim/task_script.h"
#include "worker/slot/tree_report.h"

namespace vigil::sim {

// Something the program wrote, or said of its progress.
struct TaskOutput {
  enum class Kind { kStdout, kStderr, kReady, kProgress };
  Kind kind = Kind::kStdout;
  int64_t bytes = 0;
  int64_t done = 0;
  int64_t total = 0;
};

class TaskTree : public std::enable_shared_from_this<TaskTree> {
 public:
  // A command's program, which runs `attempt`; or the warm-up it waits for.
  TaskTree(EventQueue* queue, Random* random, AttemptId attempt,
           TaskScript script, Supervision supervision);
  virtual ~TaskTree() = default;

  // The program runs from now on.
  virtual void Start();
  // Called when the program begins an attempt; never for a warm-up.
  void OnBegin(std::function<void(std::shared_ptr<const TaskRun>)> call) {
    began_ = std::move(call);
  }
  // Called when a child of the subreaper died, and when output can be read.
  void OnChildrenChanged(std::function<void()> call) {
    children_changed_ = std::move(call);
  }
  void OnOutput(std::function<void()> call) {
    output_written_ = std::move(call);
  }

  // SIGTERM to the program.
  void Terminate();
  // SIGKILL to the program alone, as PR_SET_PDEATHSIG does.
  void KillProgram() { Kill(0); }
  // SIGKILL to the children of the subreaper.
  void KillChildren();
  slot::TreeReport Reap();
  // Kills and reaps until nothing is left, then calls `gone`; at once if
  // nothing is.
  void Sweep(std::function<void()> gone);

  // What was written and not read yet.
  std::deque<TaskOutput> Read();

  const TaskScript& script() const { return script_; }
  // Whether any process of it is alive.
  bool exists() const;
  // Whether any process of it still executes instructions: is alive and was
  // not sent SIGKILL.
  bool runnable() const;
  // Processes beside the program that are alive.
  int others() const;
  // The program ended as its script says, not by a signal from outside.
  bool ended_by_itself() const { return ended_by_itself_; }
  // The program itself still executes.
  bool program_runs() const { return Executing(); }
  // Whether a process above its limit is refused, not only counted.
  bool refuses_processes() const {
    return supervision_.nesting.action != OnNestedPool::kAudit;
  }

 protected:
  struct Process {
    bool killed = false;
    bool dead = false;
    bool reaped = false;
  };

  // Calls `what` after `delay`, if the program still executes then.
  void Later(absl::Duration delay, std::function<void()> what);
  bool Executing() const {
    return !processes_[0].killed && !processes_[0].dead;
  }
  void Begin(std::shared_ptr<TaskRun> run);
  void Write(TaskOutput output);
  // Something can be read.
  void Written();
  void AddDescendant() { processes_.emplace_back(); }
  // The program ends by itself.
  void Exit(int status);
  void EndBySignal(int signum);
  // The program is dead.
  virtual void Ended() {}

  EventQueue* const queue_;
  Random* const random_;
  const TaskScript script_;

 private:
  void WriteStderr();
  void WriteToken();
  void EndByScript();
  void EndByTerm();
  void Kill(size_t index);
  void Die(size_t index);

  const Supervision supervision_;
  // What it runs, if nobody else says so.
  std::shared_ptr<TaskRun> run_;
  std::function<void(std::shared_ptr<const TaskRun>)> began_;
  std::function<void()> children_changed_;
  std::function<void()> output_written_;
  std::vector<Process> processes_;
  slot::Exited exited_;
  int leftovers_killed_ = 0;
  std::deque<TaskOutput> unread_;
  int stderr_lines_ = 0;
  int tokens_ = 0;
  bool terminating_ = false;
  bool ended_by_itself_ = false;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_TASK_TREE_H_
