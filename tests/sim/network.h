// Network: streams between workers and the coordinator. A stream keeps the
// order of its messages, delays them, may bring one twice, and may break with
// any number of them lost; what one end sent before it closed may still arrive,
// even after a newer stream was opened. Thread-compatible; owns the streams,
// not their ends.
#ifndef VIGIL_TESTS_SIM_NETWORK_H_
#define VIGIL_TESTS_SIM_NETWORK_H_

#include <memory>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/lane.h"
#include "tests/sim/messages.h"
#include "tests/sim/random.h"

namespace vigil::sim {

class Network {
 public:
  class CoordinatorEnd {
   public:
    virtual ~CoordinatorEnd() = default;
    virtual void Receive(StreamId stream, ToCoordinator message) = 0;
  };
  class WorkerEnd {
   public:
    virtual ~WorkerEnd() = default;
    virtual void Receive(StreamId stream, ToWorker message) = 0;
  };
  struct Parts {
    EventQueue* queue;
    Random* random;
    Coverage* coverage;
  };

  Network(const Parts& parts, int workers)
      : parts_(parts),
        up_held_until_(workers, absl::InfinitePast()),
        down_held_until_(workers, absl::InfinitePast()) {}

  void SetCoordinator(CoordinatorEnd* coordinator) {
    coordinator_ = coordinator;
  }

  // --- the worker's side; `worker` is its index
  StreamId Open(int worker, WorkerEnd* end);
  void Send(StreamId stream, ToCoordinator message);
  void CloseByWorker(StreamId stream);
  // The process of the worker ended: nothing is delivered to `end` any more.
  void WorkerDown(const WorkerEnd* end);

  // --- the coordinator's side
  void Send(StreamId stream, ToWorker message);
  void CloseByCoordinator(StreamId stream, absl::Status status);
  // Its process ended; connections are refused until it is up.
  void CoordinatorDown();
  void CoordinatorUp() { down_ = false; }

  // --- faults
  // Long delays and repeated messages happen from now on, or no more.
  void SetRough(bool rough) { rough_ = rough; }
  bool rough() const { return rough_; }
  // Breaks one open stream, if there is any; and those of `worker`.
  void BreakOne();
  void BreakAllOf(int worker);
  // Nothing from `worker` arrives for `time`; nothing to it; neither.
  void HoldUp(int worker, absl::Duration time);
  void HoldDown(int worker, absl::Duration time);
  void Partition(int worker, absl::Duration time);
  void HealAll();

 private:
  struct Stream {
    int worker;
    WorkerEnd* worker_end;
    bool worker_open = true;
    bool coordinator_open = true;
    bool broken = false;
    std::unique_ptr<Lane<ToCoordinator>> up;
    std::unique_ptr<Lane<ToWorker>> down;
  };

  // Sends `message`, and now and then once more behind itself.
  template <typename Message>
  void Put(Lane<Message>* lane, Message message);
  // Notes that it never arrives.
  void Lose(const ToCoordinator& message) const;
  void Lose(const ToWorker& message) const;
  // Loses all that is under way but the first messages.
  void KeepFirstUp(Stream* stream, size_t count) const;
  void KeepFirstDown(Stream* stream, size_t count) const;
  absl::Duration Delay();
  absl::Duration NoticeDelay();
  void Break(Stream* stream);
  // Breaks what is still held in one direction when a keepalive ping fails.
  void AwaitKeepalive(int worker);
  void DeliverUp(StreamId id, ToCoordinator message);
  void DeliverDown(StreamId id, ToWorker message);

  const Parts parts_;
  CoordinatorEnd* coordinator_ = nullptr;
  bool down_ = false;
  bool rough_ = false;
  StreamId last_stream_ = 0;
  absl::btree_map<StreamId, Stream> streams_;
  // By worker.
  std::vector<absl::Time> up_held_until_;
  std::vector<absl::Time> down_held_until_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_NETWORK_H_
