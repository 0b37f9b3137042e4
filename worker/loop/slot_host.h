// SlotHost: the slots' processes: starts, asks and ends them, and proves what
// they leave behind dead. Loop thread only, which must be the first thread of a
// process that is a subreaper: orphans of a slot arrive there. Owns the
// processes; when it goes away they see the end of their sockets, kill their
// trees and exit.
#ifndef VIGIL_WORKER_LOOP_SLOT_HOST_H_
#define VIGIL_WORKER_LOOP_SLOT_HOST_H_

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "worker/loop/poller.h"
#include "worker/slot/record.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/slot_process.h"
#include "worker/slot/task_command.h"

namespace vigil::worker {

class SlotHost {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void SlotSaid(int slot, const slot::Event& event) = 0;
    // That was all that it said at once.
    virtual void SlotHasSpoken(int slot) = 0;
    // The slot's process ended, and nothing of its tree is left.
    virtual void SlotGone(int slot) = 0;
  };

  struct Options {
    std::string slot_binary;
    // Where the slots' records are written, each under its slot's number; made
    // if it is missing.
    std::string record_directory;
    // What they say of where the slots run.
    slot::HostIdentity host;
  };

  // `poller` reports the slots' sockets as Kind::kSlot.
  SlotHost(Options options, Poller* poller, Handler* handler);

  // Starts the process of `slot`. When that fails, SlotGone is called at the
  // next Sweep.
  void Start(int slot);
  // Ends it in good order: it kills its tree and exits.
  void Retire(int slot);
  // SIGKILLs it.
  void Kill(int slot);

  // Requests, as those of SlotProcess. A slot that cannot take one is killed.
  // Slots without a process are ignored.
  void Ping(int slot);
  void SendSignal(int slot, int signum, slot::SignalScope scope);
  void KillTree(int slot);
  // `boottime` is CLOCK_BOOTTIME since boot.
  void Lease(int slot, absl::Duration boottime);
  void LeaseAll(absl::Duration boottime);
  // INVALID_ARGUMENT: the command can never be started. Otherwise an event
  // follows, or SlotGone.
  absl::Status Spawn(int slot, const slot::TaskCommand& command,
                     slot::TaskEnds ends);

  // The slot's own process; 0 if it has none.
  pid_t pid(int slot) const;

  // The socket of `slot` is readable: hands on what it said at once. False: it
  // said nothing.
  bool HandleSocket(int slot);
  // Reaps what has ended and kills what slots left behind. Call it at SIGCHLD,
  // and while sweeping() every kSweepInterval.
  void Sweep();
  // A slot ended, and not all it left behind is reaped.
  bool sweeping() const { return !ended_.empty(); }

  // Ends all slots, waits until their trees and they are gone, at most
  // kSlotsExitMax. Calls no handler.
  void EndAll();

 private:
  // The file that the slot's record is written to.
  absl::StatusOr<UniqueFd> OpenRecord(int slot) const;
  // Starts the process and puts it on record.
  absl::Status StartProcess(int slot);
  void Check(int slot, const absl::Status& status);
  void Forget(int slot);
  // Reaps every zombie; notes which slots ended.
  void ReapZombies();
  // Kills children that are no slot; returns whether there were any.
  bool KillStrays();

  const Options options_;
  Poller* const poller_;
  Handler* const handler_;
  absl::btree_map<int, slot::SlotProcess> processes_;
  // Every slot's process that was not reaped, also of those retired.
  absl::btree_map<pid_t, int> pids_;
  // Slots that ended and are not reported yet.
  std::set<int> ended_;
  uint64_t last_ping_ = 0;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_SLOT_HOST_H_
