// LocalWorker: the worker that this coordinator starts itself (--local_slots),
// and everything under it. A thread of its own starts it, waits for its death,
// makes sure that the whole tree is dead, says so, and starts the next one.
// Thread-safe.
#ifndef VIGIL_COORDINATOR_LOCAL_LOCAL_WORKER_H_
#define VIGIL_COORDINATOR_LOCAL_LOCAL_WORKER_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/sleeper.h"
#include "base/unique_fd.h"

namespace vigil::coordinator {

class LocalWorker {
 public:
  struct Options {
    std::string binary;
    // Arguments beside the program's name and the two inherited descriptors.
    std::vector<std::string> arguments;
    // Handed to the worker through a pipe, never by argv or environment.
    std::string token;
    // Called on the thread after the worker and its whole tree were reaped, if
    // there was one; `restarts` says whether another one follows. Without
    // `restarts` it is the last call.
    std::function<void(bool restarts)> on_dead;
  };

  // Starts the thread, and with it the worker. This process must be a
  // subreaper and have no other children.
  explicit LocalWorker(Options options);
  LocalWorker(const LocalWorker&) = delete;
  LocalWorker& operator=(const LocalWorker&) = delete;
  // As Stop.
  ~LocalWorker();

  // Has the worker read its catalog again (SIGHUP). One that is just being
  // started reads it anyway.
  void Reload();
  // SIGKILLs the worker; another one is started once its tree is dead.
  void Kill();
  // Has the worker drain (SIGTERM) and starts no other; on_dead says when it is
  // gone. Does not block.
  void Drain();
  // SIGKILLs the worker and starts no other. Returns when the tree is dead.
  void Stop();

 private:
  void Run();
  // -1: it could not be started; logged.
  pid_t Start(UniqueFd* parent_end);

  const Options options_;
  absl::Mutex mutex_;
  // 0 while there is none. A pid here is not reaped yet, so it is the worker's.
  pid_t pid_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Before the next start; woken when there is to be none.
  Sleeper sleeper_;
  // Last: it uses all of the above.
  std::thread thread_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_LOCAL_LOCAL_WORKER_H_
