// Engine: one turn of the coordinator after another. It owns the core, hands
// what changed to the store thread as one batch while the next gathers, and
// performs effects when they may be: at once, or when the batch that they
// depend on is durable. Knows no gRPC: workers are links, watchers are
// observers. Loop thread only; owns the store's two threads.
#ifndef VIGIL_COORDINATOR_ENGINE_ENGINE_H_
#define VIGIL_COORDINATOR_ENGINE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "coordinator/codec/policy_pool.h"
#include "coordinator/core/core.h"
#include "coordinator/engine/batch_hub.h"
#include "coordinator/engine/job_id_generator.h"
#include "coordinator/engine/limits.h"
#include "coordinator/engine/output_log.h"
#include "coordinator/engine/payload_cache.h"
#include "coordinator/engine/refusals.h"
#include "coordinator/engine/watch_hub.h"
#include "coordinator/engine/worker_calls.h"
#include "coordinator/engine/worker_outbox.h"
#include "coordinator/store/store_reader.h"
#include "coordinator/store/store_writer.h"
#include "coordinator/telemetry/recorder.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/catalog.pb.h"
#include "vigil/v1/dispatch_service.pb.h"

namespace vigil::coordinator {

// The stream of one worker, as the engine sees it.
class WorkerLink {
 public:
  virtual ~WorkerLink() = default;
  virtual void Deliver(v1::AttachResponse message) = 0;
  // Ends the stream; nothing is delivered afterwards.
  virtual void Close(absl::Status status) = 0;
  // Bytes that were delivered and are not written yet.
  virtual int64_t backlog_bytes() const = 0;
};

struct EngineOptions {
  std::string database_path;
  absl::Duration lease = kLease;
  absl::Duration lease_margin = kLeaseMargin;
  absl::Duration heartbeat_interval = kHeartbeatInterval;
  int64_t live_jobs_max = kLiveJobsMax;
  absl::Duration retention = kRetention;
  int64_t ended_jobs_max = kEndedJobsMax;
  uint64_t seed = 1;
  TelemetryOptions telemetry;
};

// A submission after SpecResolver.
struct Submission {
  std::string namespace_;
  std::string request_id;
  uint64_t request_hash = 0;
  v1::JobSpec spec;
  bool cancel_on_disconnect = false;
};

// A batch after ResolveBatch.
struct BatchSubmission {
  std::string namespace_;
  std::string request_id;
  uint64_t request_hash = 0;
  v1::BatchSpec spec;
  // Its items come by TakeItem, not by AddItems.
  bool streamed = false;
};

class Engine {
 public:
  // Runs a closure on the loop thread, soon; thread-safe.
  using Post = std::function<void(std::function<void()>)>;
  using CacheClears = WorkerCalls<absl::Status>;
  using Sweeps = WorkerCalls<absl::StatusOr<v1::SweepResult>>;

  // Opens the store and takes back what it holds. Errors as store::Store::Open:
  // show the message and do not start.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(
      const EngineOptions& options, Post post);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  // Commits what is left.
  ~Engine();

  // --- turns
  // Reads the clock for the turn, and grants what the loop itself missed.
  // `expected` is when the turn was due at the latest.
  void BeginTurn(absl::Time expected);
  // Applies due deadlines and hands over what changed.
  void EndTurn();
  absl::Time now() const { return now_; }
  const Clock& clock() const { return clock_; }
  // When the next turn is due without any event.
  absl::Time NextDeadline() const;

  // --- durability
  // Nothing waits for the store.
  bool settled() const { return !in_flight_.has_value() && gathering_.empty(); }
  // Calls `done` when everything that happened so far is durable; at once if it
  // already is.
  void WhenDurable(std::function<void()> done);
  // OK, or UNAVAILABLE while the disk is full and nothing can be promised.
  const absl::Status& store_status() const { return store_status_; }
  // As WhenDurable; but calls `done` with false, at once or when that begins,
  // while nothing can be stored.
  void WhenDurableOrStalled(std::function<void(bool durable)> done);
  // Takes nothing new, and gives nothing to workers, from now on.
  void StopAccepting();
  bool accepts() const { return accepts_; }
  // Counts a refusal, and returns `status`, with which the call is to end.
  absl::Status Refuse(Limit limit, absl::string_view name_space,
                      absl::Status status);
  const Refusals& refusals() const { return refusals_; }
  // Runs `read` on the reader's thread, then `done` on the loop. False: too
  // many reads wait; answer RESOURCE_EXHAUSTED.
  [[nodiscard]] bool Read(std::function<void(store::StoreView&)> read,
                          std::function<void()> done);

  // --- jobs
  absl::StatusOr<const Job*> Submit(Submission submission);
  // Whether a submission with this request id was ever accepted, as far as a
  // hash can tell: if so, the store says whether it is true.
  bool MayKnowRequest(const std::string& namespace_,
                      const std::string& request_id) const;
  // The program of a job if it is still in memory: a serialized JobSpec with
  // command, arguments, input and the value of a fallback. Null: read it from
  // the store.
  std::shared_ptr<const std::string> CachedPayload(const JobId& id) const {
    return payloads_.Find(id);
  }
  // What the store has as the result of an ended job, as SetResult takes it.
  static absl::StatusOr<std::optional<std::string>> ReadResult(
      store::StoreView* view, const std::string& job_id, bool degraded);
  // Null when no worker ever announced it.
  const v1::TaskType* FindTaskType(const std::string& name) const;

  // --- batches
  // UNAVAILABLE, RESOURCE_EXHAUSTED: as Submit.
  absl::StatusOr<const Batch*> CreateBatch(BatchSubmission submission);
  // Stores items behind those accepted; they start when there is room.
  // Precondition: the batch is open and not streamed. RESOURCE_EXHAUSTED: too
  // many have not started. UNAVAILABLE: nothing can be stored.
  absl::Status AddItems(
      const BatchId& id,
      google::protobuf::RepeatedPtrField<v1::BatchItem> items);
  // Accepts one item of a streamed batch and starts it. Precondition: the batch
  // is open and has room. RESOURCE_EXHAUSTED, UNAVAILABLE: it was not accepted;
  // try again after kAdmissionRetryDelay.
  absl::Status TakeItem(const BatchId& id, v1::BatchItem item);
  // About how many bytes each job of a live batch has beside its item's own.
  int64_t ProgramBytes(const BatchId& id) const {
    return feeds_.at(id).program_bytes;
  }
  // What became of an item, from its row. Runs on the reader's thread.
  static absl::StatusOr<v1::BatchResult> ReadItemEnd(store::StoreView* view,
                                                     const store::ItemRow& row);

  // --- workers
  // Numbers a new stream. Links are not owned; remove them before they go.
  StreamId AddLink(WorkerLink* link);
  void RemoveLink(StreamId stream);
  // Remembers what a worker offers.
  void Announce(v1::TaskType type);
  void TakeOutput(StreamId stream, const v1::AttemptOutput& output);
  // Acknowledgements may have been lost with an earlier stream of the worker
  // that runs these: says again how much of their output is safe.
  void Reattached(const std::vector<AttemptId>& running);
  // Has the worker of `stream` clear the cache of a task type. OK: `done` is
  // called later, once, with the worker's answer; FAILED_PRECONDITION: the
  // stream was lost first; DEADLINE_EXCEEDED: no answer in kWorkerCallTimeout.
  // RESOURCE_EXHAUSTED: too many wait, `done` is not called; try again.
  absl::Status ClearCache(StreamId stream, const std::string& task_type,
                          CacheClears::Done done);
  void TakeClearCacheDone(StreamId stream, const v1::ClearCacheDone& done);
  // Has the worker of `stream` look for what its earlier lives left, and kill
  // it unless `mode` is kLookOnly. Errors as ClearCache.
  enum class SweepMode { kKill, kLookOnly };
  absl::Status Sweep(StreamId stream, SweepMode mode, Sweeps::Done done);
  void TakeSweepDone(StreamId stream, const v1::SweepDone& done);
  // A watcher of this job passed output on: more may be acknowledged, at the
  // end of the turn, once for all of its watchers.
  void OutputTaken(const JobId& id) { taken_.insert(id); }
  // Called with the session of a local worker that must be killed.
  void set_kill_local_worker(std::function<void(const SessionId&)> kill) {
    kill_local_worker_ = std::move(kill);
  }

  Core& core() { return *core_; }
  Effects* fx() { return &turn_; }
  Recorder& recorder() { return recorder_; }
  WatchHub& hub() { return hub_; }
  BatchHub& batch_hub() { return batch_hub_; }
  int64_t epoch() const { return epoch_; }
  // Names what the store remembers; another one after a restore.
  const std::string& history() const { return history_; }
  absl::Time start_time() const { return start_time_; }
  const EngineOptions& options() const { return options_; }

 private:
  // Called, and empty then, by what comes first: a commit, or a full disk.
  using StallWaiter = std::shared_ptr<std::function<void(bool durable)>>;
  using Blob = std::shared_ptr<const std::string>;
  // What watchers are told of a job once it is durable.
  struct Shown {
    JobId id;
    std::shared_ptr<v1::Job> job;
    // Its result is only in the store and is still to be added.
    bool result_in_store = false;
  };
  // What waits for one batch.
  struct Gathering {
    uint64_t number = 1;
    absl::flat_hash_set<JobId> dirty;
    // Checkpoints and results, of jobs that are dirty.
    absl::flat_hash_map<JobId, Blob> results;
    store::Batch batch;
    std::vector<Effect> effects;
    std::vector<std::function<void()>> waiters;
    absl::btree_set<BatchId> dirty_batches;
    std::vector<ItemEnd> item_ends;
    // Filled when it is handed over.
    std::vector<Shown> shown;
    std::vector<JobId> ended;
    // Of every batch that is dirty.
    absl::btree_map<BatchId, BatchNews> news;

    bool empty() const {
      return dirty.empty() && dirty_batches.empty() && batch.empty() &&
             effects.empty() && waiters.empty();
    }
  };
  // What the engine knows of a live batch beside the core.
  struct Feed {
    std::shared_ptr<const JobPolicy> policy;
    std::string task_type;
    int priority = 0;
    // What its jobs run, where items say nothing else.
    v1::JobSpec program;
    int64_t program_bytes = 0;
    // The program's input is the fallback, so that there must be one.
    bool needs_input = false;
    // A page of its items is being read.
    bool reading = false;
    // It found no room for jobs, or could not read: not again before.
    absl::Time not_before = absl::InfinitePast();
    // Items that can be read; and those that have started, durably: the next
    // ones are read when all are, so that memory is bounded.
    int64_t durable_items = 0;
    int64_t durable_started = 0;
  };

  Engine(const EngineOptions& options, Post post, absl::Time not_before);
  // What request_hashes_ holds of a submission.
  static uint64_t RequestKey(const std::string& namespace_,
                             const std::string& request_id);
  absl::Status Load(store::StoreView* view, const CoreOptions& options);
  // UNAVAILABLE: the coordinator is about to end, or nothing can be stored at
  // the moment.
  absl::Status CanAccept(absl::string_view name_space);
  // Stores what a job that was just accepted runs.
  void KeepProgram(const JobId& id, const v1::JobSpec& program);
  // engine_batches.cc
  static Feed FeedOf(const v1::JobSpec& job, v1::JobSpec program,
                     std::shared_ptr<const JobPolicy> policy);
  absl::Status LoadBatches(store::StoreView* view);
  // Makes a job of the next item, or refuses it. Errors as TakeItem.
  absl::Status StartItem(const BatchId& id, v1::BatchItem item);
  // Has items that may start read from the store.
  void FeedBatches();
  struct ItemPage;
  void ReadItems(const BatchId& id, int64_t index, int64_t items);
  void TakePage(const BatchId& id, const ItemPage& page);
  // The next item is not in the store as it was put there: it is lost, not the
  // batch.
  void LoseItem(const BatchId& id);
  // Adds the rows of batches and items, and what their watchers are told.
  void FillBatches(Gathering* batch) const;
  void SettleBatches(const Gathering& batch);
  // Moves what the core wants stored into gathering_.
  void Gather(Effects* turn);
  // Adds the rows of what is dirty.
  void FillRows(Gathering* batch) const;
  // Tells the recorder what ended in this turn, and of the workers.
  void Record(const Effects& turn);
  void HandOver();
  Shown Show(const Job& job, const Gathering& batch) const;
  void Tell(Shown shown);
  void OnCommitted(uint64_t number, absl::Status status);
  void Settle(Gathering gathered);
  void OnStalled(const absl::Status& status);
  static void Call(const StallWaiter& waiter, bool durable);
  void Perform(const Effect& effect);
  void SendAssignmentOn(const SendAssignment& effect);
  // Fills the message of an assignment that was put off.
  void FillPutOff(const SendAssignment& effect,
                  const std::shared_ptr<WorkerOutbox::Pending>& held);
  void ReadAssignment(const SendAssignment& effect,
                      const std::shared_ptr<WorkerOutbox::Pending>& held);
  // `checkpoint` may be null.
  void FillAssignment(const SendAssignment& effect, const std::string& payload,
                      const std::string* checkpoint,
                      v1::AttachResponse* message);
  v1::AttachResponse* Outgoing(StreamId stream, int64_t size_bytes);
  void AcknowledgeOutput(const AttemptId& attempt);
  void AcknowledgeTaken();
  void FlushLinks();
  void Housekeeping();
  // The time, stored with each commit: after a restart it does not go back,
  // however the wall clock was set meanwhile.
  store::MetaRow TimeFact() const;

  struct Link {
    WorkerLink* link = nullptr;
    WorkerOutbox outbox;
    int64_t last_clear_cache = 0;
    int64_t last_sweep = 0;
  };

  const EngineOptions options_;
  const Post post_;
  const Clock clock_;
  absl::Time now_;
  absl::Time start_time_;
  int64_t epoch_ = 0;
  std::string history_;
  std::unique_ptr<Core> core_;
  PolicyPool policies_;
  JobIdGenerator ids_;
  PayloadCache payloads_{kPayloadCacheBytesMax};
  PayloadCache checkpoints_{kCheckpointCacheBytesMax};
  std::map<std::string, v1::TaskType> task_types_;
  absl::flat_hash_set<uint64_t> request_hashes_;

  Effects turn_;
  Gathering gathering_;
  std::optional<Gathering> in_flight_;
  absl::Status store_status_;
  std::vector<StallWaiter> stall_waiters_;
  bool accepts_ = true;
  Refusals refusals_;

  StreamId last_stream_ = 0;
  absl::btree_map<StreamId, Link> links_;
  absl::flat_hash_map<AttemptId, OutputLog> outputs_;
  // Jobs of which output was passed on in this turn.
  absl::flat_hash_set<JobId> taken_;
  CacheClears clears_;
  Sweeps sweeps_;
  WatchHub hub_;
  BatchHub batch_hub_;
  absl::btree_map<BatchId, Feed> feeds_;
  // When a feed that has to wait is next looked at.
  absl::Time feed_time_ = absl::InfiniteFuture();
  Recorder recorder_;
  std::function<void(const SessionId&)> kill_local_worker_;
  absl::Time housekeeping_time_;
  // When no worker can hold a lease of an earlier epoch any more.
  absl::Time earlier_leases_end_ = absl::InfiniteFuture();

  // Last: their threads use the above by way of `post_`.
  std::unique_ptr<store::StoreReader> reader_;
  std::unique_ptr<store::StoreWriter> writer_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_ENGINE_H_
