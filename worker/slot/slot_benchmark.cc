// Prints how many tasks per second slots start, see exit and prove dead, with
// one slot and with two, driven from one thread. For comparison: posix_spawn,
// exec and wait alone do 1.3 thousand per second on one thread of a two-core
// machine, vfork with pipes and descriptor passing 2.2 thousand on two.
//
// Run: slot_benchmark PATH_OF_SLOT [SECONDS]
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/clock.h"
#include "worker/slot/slot_event.h"
#include "worker/slot/slot_process.h"
#include "worker/slot/task_command.h"
#include "worker/slot/task_stdio.h"

namespace vigil::slot {
namespace {

struct Lane {
  SlotProcess slot;
  WorkerEnds ends;
};

void StartTask(Lane& lane) {
  absl::StatusOr<TaskStdio> stdio = MakePipes(std::nullopt);
  VIGIL_CHECK(stdio.ok(), stdio.status().ToString());
  const absl::Status sent = lane.slot.Spawn(
      TaskCommand{{"/bin/true"}, {}, "", false}, std::move(stdio->task));
  VIGIL_CHECK(sent.ok(), sent.ToString());
  lane.ends = std::move(stdio->worker);
}

// Takes a lane's events; returns how many tasks ended.
int Drain(Lane& lane) {
  int ended = 0;
  for (;;) {
    absl::StatusOr<std::optional<Event>> event = lane.slot.Receive();
    VIGIL_CHECK(event.ok(), event.status().ToString());
    if (!event->has_value()) return ended;
    VIGIL_CHECK(!std::holds_alternative<SpawnFailed>(**event), "spawn failed");
    if (std::holds_alternative<TreeEmpty>(**event)) ++ended;
    if (std::holds_alternative<TreeEmpty>(**event) ||
        std::holds_alternative<Ready>(**event)) {
      StartTask(lane);
    }
  }
}

void Measure(const std::string& binary, int slots, absl::Duration length) {
  std::vector<Lane> lanes;
  std::vector<pollfd> waited;
  for (int i = 0; i < slots; ++i) {
    absl::StatusOr<SlotProcess> slot = SlotProcess::Start(binary);
    VIGIL_CHECK(slot.ok(), slot.status().ToString());
    waited.push_back({slot->fd(), POLLIN, 0});
    lanes.push_back(Lane{*std::move(slot), {}});
  }
  const absl::Duration start = BoottimeNow();
  absl::Duration now = start;
  int ended = 0;
  while (now - start < length) {
    poll(waited.data(), waited.size(), -1);
    for (Lane& lane : lanes) ended += Drain(lane);
    now = BoottimeNow();
  }
  std::printf("%d slot(s): %.0f tasks per second\n", slots,
              ended / absl::ToDoubleSeconds(now - start));
}

}  // namespace
}  // namespace vigil::slot

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: slot_benchmark PATH_OF_SLOT [SECONDS]\n");
    return 64;
  }
  const absl::Duration length = absl::Seconds(argc > 2 ? atoi(argv[2]) : 3);
  vigil::slot::Measure(argv[1], 1, length);
  vigil::slot::Measure(argv[1], 2, length);
  return 0;
}
