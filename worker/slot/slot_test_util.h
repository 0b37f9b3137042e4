// SlotUnderTest: a real slot process and what its tests need to talk to it,
// with a generous bound on every wait. Thread-compatible. Owns the slot; its
// destructor waits until the slot has killed its tree and ended.
#ifndef VIGIL_WORKER_SLOT_SLOT_TEST_UTIL_H_
#define VIGIL_WORKER_SLOT_SLOT_TEST_UTIL_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/slot_process.h"
#include "worker/slot/task_command.h"
#include "worker/slot/task_stdio.h"

namespace vigil::slot {

// How long a test waits for what must come: far more than it takes on a busy
// machine.
constexpr absl::Duration kTestWaitMax = absl::Seconds(60);

// Path of the slot program in a test's runfiles.
std::string SlotBinary();

// A command with a usual PATH and nothing else in its environment, and 1000
// processes beside its own.
TaskCommand Command(std::vector<std::string> argv);

// `sh -c script`.
TaskCommand Shell(const std::string& script);

// Reads until the end of file, or EIO on a terminal.
std::string ReadToEnd(int fd);

// Reads until `text` has appeared, and returns all that came.
std::string ReadUntil(int fd, const std::string& text);

// Whether a poll for reading comes back within kTestWaitMax.
bool WaitReadable(int fd);

class SlotUnderTest {
 public:
  // Starts a slot, with a record if there is one, and takes its Ready.
  explicit SlotUnderTest(int record_fd = -1);
  ~SlotUnderTest();

  SlotProcess& process() { return *process_; }
  // Why tasks cannot be held to their limits here; empty: they can.
  const std::string& filter_problem() const { return filter_problem_; }

  // Starts a task on pipes, and takes its Spawned.
  WorkerEnds Start(const TaskCommand& command);

  // Starts a task that cannot start, and returns why.
  SpawnFailed StartInVain(const TaskCommand& command);

  // Waits for the next event.
  Event Next();

  // Waits for the next event, which must be a T.
  template <typename T>
  T Next() {
    const Event event = Next();
    if (const T* expected = std::get_if<T>(&event)) return *expected;
    ADD_FAILURE() << "another event than expected, of index " << event.index();
    return T();
  }

  // Lets the slot see the end of its worker, without waiting for it.
  void Abandon() { process_.reset(); }

 private:
  std::optional<SlotProcess> process_;
  std::string filter_problem_;
};

}  // namespace vigil::slot

#endif  // VIGIL_WORKER_SLOT_SLOT_TEST_UTIL_H_
