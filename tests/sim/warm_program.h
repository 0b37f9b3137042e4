// WarmProgram: a program that takes one attempt after another over a channel,
// as it really is: it loads, says hello, and does with each attempt what that
// one's script says. What the worker sends arrives in order and a little later;
// what it says itself can be read until the end. Thread-compatible.
#ifndef VIGIL_TESTS_SIM_WARM_PROGRAM_H_
#define VIGIL_TESTS_SIM_WARM_PROGRAM_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "base/ids.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/lane.h"
#include "tests/sim/random.h"
#include "tests/sim/task_run.h"
#include "tests/sim/task_script.h"
#include "tests/sim/task_tree.h"
#include "tests/sim/task_type.h"
#include "worker/core/frame_kind.h"
#include "worker/core/slot_record.h"

namespace vigil::sim {

// What one warm program does, whatever it runs.
struct ProgramScript {
  enum class Load {
    kLoads,
    kExits,       // with status 3
    kExitsZero,   // with status 0
    kHangs,       // never says hello
    kSpeaksEarly  // begins before it said hello, and hangs
  };
  enum class Reset { kAnswers, kExits, kHangs };

  Load load = Load::kLoads;
  absl::Duration load_time;
  Reset reset = Reset::kAnswers;
  absl::Duration reset_time;
  // Exits, with status 4, when it has no attempt.
  bool exits_when_idle = false;
  // Does not exit when it is told that no attempt will come.
  bool ignores_end = false;
  absl::Duration end_time;
  // What each attempt adds to its memory.
  int64_t rss_bytes_per_job = 0;
};

// A program of `type`: mostly well-behaved, sometimes not.
ProgramScript RandomProgram(const TaskType& type, Random* random);

class WarmProgram : public TaskTree {
 public:
  using ScriptFor = std::function<TaskScript(const AttemptId&)>;

  struct Frame {
    worker::FrameKind kind = worker::FrameKind::kHello;
    std::optional<AttemptId> attempt = std::nullopt;
    int64_t bytes = 0;
    int64_t done = 0;
    int64_t total = 0;
    // Of a result or an error.
    worker::Outcome outcome = {};
  };

  // `process` says how its processes begin and die.
  WarmProgram(EventQueue* queue, Random* random, TaskScript process,
              ProgramScript program, ScriptFor script_for);

  void Start() override;

  // --- from the worker
  void SendStart(const AttemptId& attempt);
  void SendStop(const AttemptId& attempt);
  void SendReset();
  void EndChannel();

  // Takes the next frame that was said. False: there is none for now.
  bool NextFrame(Frame* frame);
  // Nothing more will be said than what can be read now.
  bool channel_closed() const { return channel_closed_; }
  int64_t rss_bytes() const { return rss_bytes_; }

 private:
  void Ended() override;
  void Loaded();
  void Take(const AttemptId& attempt);
  void Stop(const AttemptId& attempt);
  void Reset();
  void Next();
  void BeginNext();
  void Work();
  void EndAttempt();
  void Finish(bool success);
  void Say(Frame frame);
  void SayOfRun(worker::FrameKind kind, int64_t bytes = 0, int64_t done = 0,
                int64_t total = 0);
  void CloseChannel();
  // Does `what` after `delay`, if it is at the same attempt then.
  void LaterInRun(absl::Duration delay, void (WarmProgram::*what)());
  absl::Duration Crossing();

  const ProgramScript program_;
  const ScriptFor script_for_;
  // From the worker.
  std::unique_ptr<Lane<std::function<void()>>> channel_;
  std::deque<Frame> said_;
  std::deque<AttemptId> waiting_;
  // The attempt it is at.
  std::shared_ptr<TaskRun> run_;
  int frames_ = 0;
  bool loaded_ = false;
  bool turning_ = false;
  // No attempt will come.
  bool ending_ = false;
  bool channel_closed_ = false;
  int64_t rss_bytes_ = 0;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_WARM_PROGRAM_H_
