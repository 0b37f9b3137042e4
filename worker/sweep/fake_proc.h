// FakeProc: a /proc of made-up processes, and a system in which they die when
// they are killed and time passes only by waiting. Test only;
// thread-compatible; owns its directory.
#ifndef VIGIL_WORKER_SWEEP_FAKE_PROC_H_
#define VIGIL_WORKER_SWEEP_FAKE_PROC_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "worker/sweep/sweeper.h"

namespace vigil::sweep {

class FakeProc : public System {
 public:
  struct Made {
    pid_t parent = 1;
    uint64_t start_ticks = 100;
    // Each entry ended by a zero, as "A=1" Z "B=2" Z.
    std::string environment = {};
    std::string command = "/bin/program";
    char state = 'S';
    int threads = 1;
    uint64_t flags = 0;
    bool readable = true;
    uid_t uid = 0;
    // Not killed by SIGKILL: it sits in the kernel; or it is not allowed.
    bool immortal = false;
    bool refused = false;
  };

  FakeProc();
  ~FakeProc() override;

  const std::string& directory() const { return directory_; }
  void Add(pid_t pid, const Made& made);
  // It is gone, and its children are those of process 1.
  void Remove(pid_t pid);
  // The environment of one with the mark of `worker_id`.
  static std::string Mark(const std::string& worker_id);
  // Whether an unreadable file can be had here.
  static bool HasUnreadable();

  absl::Status Kill(pid_t pid, absl::FunctionRef<bool()> is_it) override;
  absl::Duration Now() override { return now_; }
  void Wait(absl::Duration time) override;

  // Called between taking hold of a process and asking whether it is the one.
  std::function<void(pid_t)> on_hold;
  // Called at each wait.
  std::function<void()> on_wait;
  // Those that got SIGKILL, in order.
  std::vector<pid_t> killed;

 private:
  void Write(pid_t pid);

  std::string directory_;
  std::map<pid_t, Made> processes_;
  absl::Duration now_ = absl::Hours(1);
};

}  // namespace vigil::sweep

#endif  // VIGIL_WORKER_SWEEP_FAKE_PROC_H_
