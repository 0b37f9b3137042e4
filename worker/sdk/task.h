// What a warm task in C++ is written with: a program that loads once, and then
// takes one job after another from the worker that started it. Everything here
// blocks and is for one thread, the one that calls Serve. A Job belongs to
// Serve, and is gone when the function that got it returns.
//
//   int main() {
//     const Model model = Load();  // No job comes before Serve is called.
//     return vigil::task::Serve([&](vigil::task::Job& job) {
//       for (const std::string& word : model.Continue(job.input())) {
//         if (job.stopping()) break;
//         job.Token(word);
//       }
//       return "done";
//     });
//   }
#ifndef VIGIL_WORKER_SDK_TASK_H_
#define VIGIL_WORKER_SDK_TASK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "base/reason.h"

namespace vigil::task {

// Why an attempt failed.
struct Error {
  // INVALID_INPUT, RESOURCE_EXHAUSTED, OUT_OF_MEMORY, SERVER_UNAVAILABLE or
  // TASK_ERROR; others are taken as TASK_ERROR. Unspecified: what the task
  // type's reason_patterns find in the message, else TASK_ERROR.
  Reason reason = Reason::kUnspecified;
  // For a person; at most 4 KiB are kept.
  std::string message = {};
  // May be tried again without being named in retry_on.
  bool retryable = false;
  // When to try again, if that is done at all: instead of the job's own
  // backoff. At most 24 h.
  std::optional<absl::Duration> next_retry_delay = {};
};

// How an attempt ends: with its result, any bytes, at most 3 MiB (a larger one
// makes it fail), or with an error.
using Outcome = std::variant<std::string, Error>;

class Session;

// One attempt at a job. When the worker is gone nothing that is reported
// arrives anywhere, and stopping() is true.
class Job {
 public:
  // Made by Serve. `session` outlives it.
  Job(Session& session, std::string job_id, int attempt, std::string input,
      std::optional<std::string> checkpoint)
      : session_(session),
        job_id_(std::move(job_id)),
        attempt_(attempt),
        input_(std::move(input)),
        checkpoint_(std::move(checkpoint)) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const std::string& job_id() const { return job_id_; }
  // Larger than that of any earlier attempt at this job: give it along as a
  // fence with effects outside.
  int attempt() const { return attempt_; }
  // Any bytes; empty if the job has none.
  const std::string& input() const { return input_; }
  // What an earlier attempt gave to Checkpoint last, to go on from there.
  const std::optional<std::string>& checkpoint() const { return checkpoint_; }

  // Writes a piece of output, which the job's watchers see at once. Blocks
  // while they are too far behind.
  void Token(std::string_view bytes);
  // Says how far it is, in any unit; `total` 0 if not known. Neither is
  // negative. At most 256 bytes of `message` are kept.
  void Progress(int64_t done, int64_t total = 0, std::string_view message = "");
  // Says that it works, where there is nothing else to say.
  void Heartbeat();
  // Hands in a state from which a later attempt can go on. False: it is larger
  // than 1 MiB, and was not taken.
  [[nodiscard]] bool Checkpoint(std::string state);

  // Whether the attempt should end: it was cancelled, a clock fired, or the
  // worker leaves. Looks without blocking; ask often. What is returned soon
  // afterwards is kept as partial result; after the shutdown_grace the process
  // is killed.
  bool stopping();

 private:
  Session& session_;
  const std::string job_id_;
  const int attempt_;
  const std::string input_;
  const std::optional<std::string> checkpoint_;
};

struct ServeOptions {
  // Forgets what the last job left behind (TaskType.reset).
  std::function<void()> reset = nullptr;
  // Fills the cache directory, instead of serving, when the worker asks for
  // that (TaskType.warm_up without argv); false if it failed. While serving,
  // the same directory is in the environment as VIGIL_CACHE_DIR.
  std::function<bool(const std::string& cache_dir)> warm_up = nullptr;
};

// Gives each job that comes to `run`, one after the other, until the worker has
// no more. A std::exception out of `run` is an error with its text.
//
// Returns what main returns: 0 when the worker closed the channel or the cache
// was filled, 1 when either failed, and 64 when the process was not started as
// a warm task; stderr then says why. Called once in a process.
int Serve(const std::function<Outcome(Job&)>& run,
          const ServeOptions& options = {});

}  // namespace vigil::task

#endif  // VIGIL_WORKER_SDK_TASK_H_
