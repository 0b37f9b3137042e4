// CoordinatorNode: the coordinator's process: the real core in a loop that
// applies the events of a turn, ticks, and commits what changed, one batch
// being flushed while the next gathers. It can be killed, restarted and stopped
// at any time. Thread-compatible; owns the core, not the store.
#ifndef VIGIL_TESTS_SIM_COORDINATOR_NODE_H_
#define VIGIL_TESTS_SIM_COORDINATOR_NODE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids.h"
#include "coordinator/core/core.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/job_spec.h"
#include "tests/sim/judge.h"
#include "tests/sim/messages.h"
#include "tests/sim/mutant.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/store.h"
#include "tests/sim/timer.h"
#include "tests/sim/trace.h"

namespace vigil::sim {

class CoordinatorNode : public Network::CoordinatorEnd {
 public:
  struct Parts {
    EventQueue* queue;
    const HostClock* clock;
    Random* random;
    Trace* trace;
    Coverage* coverage;
    Judge* judge;
    Network* network;
    Store* store;
    Mutant mutant;
    // SIGKILLs a worker that this coordinator started.
    std::function<void(const SessionId&)> kill_local_worker;
    int64_t live_jobs_max = coordinator::kLiveJobsMax;
    absl::Duration lease_margin = coordinator::kLeaseMargin;
  };
  explicit CoordinatorNode(Parts parts);

  // --- its process
  void Start();
  void Crash();
  void Stop();
  void Continue();
  bool up() const { return core_ != nullptr; }
  bool stopped() const { return stopped_; }
  // It is to end soon, and starts nothing more.
  void StopDispatch();
  bool dispatches() const { return dispatches_; }
  // Since when it is up and was not stopped, in true time.
  absl::Time quiet_since() const { return quiet_since_; }
  // Commits take `time` longer from now on.
  void SlowStore(absl::Duration time) { commit_delay_ = time; }
  // Null while it is down.
  const coordinator::Core* core() const { return core_.get(); }

  // --- calls of clients; nothing happens while it is down
  void Submit(const JobId& job);
  void Cancel(const JobId& job);
  void OwnerGone(const JobId& job);
  void OwnerBack(const JobId& job);
  // Makes the batch, unless it was made before.
  void CreateBatch(const BatchId& batch);
  // The client of a stored batch adds items until there are `items`.
  void AddItems(const BatchId& batch, int64_t items);
  // The stream of a batch brings items until there are `items`, which are taken
  // when there is room; then maybe its end.
  enum class Stream { kGoesOn, kCloses };
  void OfferItems(const BatchId& batch, int64_t items, Stream stream);
  void CloseBatch(const BatchId& batch);
  void CancelBatch(const BatchId& batch);
  void BatchOwnerGone(const BatchId& batch);
  void BatchOwnerBack(const BatchId& batch);
  void Pause(const WorkerId& worker);
  void Resume(const WorkerId& worker);
  // Tells it to leave and to stop in `grace` what it still runs, in `own_grace`
  // if nothing is said.
  void Drain(const WorkerId& worker, std::optional<absl::Duration> grace,
             absl::Duration own_grace);
  void SetSlots(const WorkerId& worker, int slots);
  // A worker that it started, and everything below that, is reaped.
  void WorkerDead(const SessionId& session);

  void Receive(StreamId stream, ToCoordinator message) override;

 private:
  using Input = std::function<void(coordinator::Effects*)>;
  struct Gathering {
    std::vector<JobId> save;
    std::vector<BatchId> save_batches;
    std::vector<coordinator::ItemEnd> item_ends;
    std::vector<coordinator::Effect> after_commit;
    // What clients are told once it is durable.
    std::vector<std::function<void()>> replies;
    // The rows of what is saved, once they are being flushed.
    std::vector<coordinator::Job> rows;
    std::vector<coordinator::Batch> batch_rows;

    bool has_rows() const { return !rows.empty() || !batch_rows.empty(); }
  };
  // What is known of a live batch beside the core, as Engine::Feed.
  struct Feed {
    // A page of its items is being read from the store.
    bool reading = false;
    int64_t durable_items = 0;
    // No item starts before, since there were too many live jobs.
    absl::Time not_before = absl::InfinitePast();
    // Items that its stream has brought, and whether no more follow.
    int64_t offered = 0;
    bool closes = false;
  };

  void Enqueue(Input input);
  void Wake();
  void Turn();
  void Arm();
  void Take(coordinator::Effects effects);
  void Commit();
  void Flush(const Gathering& gathered);
  void Durable(uint64_t life);
  void Committed();
  void CountLost(const Gathering& gathered) const;

  // coordinator_streams.cc
  void ApplyMessage(StreamId stream, ToCoordinator* message,
                    coordinator::Effects* fx);
  void Attach(StreamId stream, coordinator::WorkerHello hello,
              coordinator::Effects* fx);
  void TakeEnd(StreamId stream, AttemptEnd end, coordinator::Effects* fx);
  void LoseStream(StreamId stream, coordinator::Effects* fx);
  // Of the session that has the stream; null if none has.
  const coordinator::WorkerRecord* RecordOf(StreamId stream) const;
  void HearDraining(StreamId stream);
  void HearLeft(StreamId stream, coordinator::Effects* fx);
  bool IsCurrent(const AttemptId& attempt) const;
  void Perform(const coordinator::Effect& effect);
  void Assign(const coordinator::SendAssignment& send);
  void MayAssignAgain(const coordinator::SendAssignment& send);
  // Of mutants: takes an end for that of the job's current attempt.
  void TakeStaleEnd(AttemptEnd* end) const;
  void TakeForCurrent(AttemptEnd end, coordinator::Effects* fx);

  // coordinator_batches.cc
  void RestoreBatches();
  void ForgetStart(coordinator::Batch* batch) const;
  // What of `batch` may start now.
  int64_t RoomOf(const coordinator::Batch& batch) const;
  // Starts items wherever there is room.
  void FeedBatches(coordinator::Effects* fx);
  void ReadItems(const coordinator::Batch& batch, Feed* feed);
  void TakePage(const BatchId& id, int64_t index, int64_t items,
                coordinator::Effects* fx);
  void TakeOffered(const BatchId& id, Feed* feed, coordinator::Effects* fx);
  // Makes the next item a job, or refuses it.
  absl::Status StartItem(const BatchId& id, coordinator::Effects* fx);
  void FillBatches(Gathering* gathered);
  void SettleBatches(const Gathering& gathered);

  const Parts parts_;
  std::unique_ptr<coordinator::Core> core_;
  // Counts the lives of the process.
  uint64_t life_ = 0;
  std::deque<Input> inbox_;
  Timer timer_;
  bool turn_due_ = false;
  bool stopped_ = false;
  bool dispatches_ = true;
  absl::Time stopped_since_;
  absl::Time quiet_since_;
  absl::Duration commit_delay_;
  int64_t turns_ = 0;
  Gathering gathering_;
  std::optional<Gathering> flushing_;
  // Of a mutant: attempts that are believed to be current.
  absl::btree_set<AttemptId> kept_;
  absl::btree_map<BatchId, Feed> feeds_;
  // When a batch is to be fed that could not be.
  absl::Time feed_time_ = absl::InfiniteFuture();
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_COORDINATOR_NODE_H_
