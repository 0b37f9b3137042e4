// BatchWatch: what one RunBatch or WatchBatch stream has still to write.
// Results come from memory while the stream keeps up, and from the store when
// it does not: a slow reader holds nothing back and loses nothing. Loop thread
// only; leaves the hub when it goes away.
#ifndef VIGIL_COORDINATOR_RPC_BATCH_WATCH_H_
#define VIGIL_COORDINATOR_RPC_BATCH_WATCH_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids.h"
#include "coordinator/engine/batch_hub.h"
#include "coordinator/rpc/call_context.h"
#include "coordinator/rpc/signal.h"
#include "coordinator/rpc/task.h"
#include "vigil/v1/batch.pb.h"

namespace vigil::coordinator {

absl::Status TooManyBatchWatchers(Engine* engine,
                                  const std::string& name_space);

// INVALID_ARGUMENT: more items than one request may have.
absl::Status CheckItems(int items);

class BatchWatch : public BatchWatcher {
 public:
  // Watches from now on. `position` is BatchCursor.position, `signal` is
  // notified when there is something to write.
  BatchWatch(Services* services, Signal* signal, const std::string& batch_id,
             v1::ResultOrder order, int64_t position);
  ~BatchWatch() override;

  void OnNews(const BatchNews& news) override;
  void OnOwner() override { signal_->Notify(); }

  // The batch as it is durably, when the watching began; to be called once.
  void Begin(v1::Batch batch);

  // Fills `event` with what there is to write now, possibly nothing.
  Task<absl::Status> Next(v1::BatchEvent* event);

  // The last event was given out.
  bool done() const { return done_; }
  // Results given out so far, by this stream and those that it goes on from.
  int64_t results() const { return position_; }

 private:
  // Results there will be when the batch has ended.
  int64_t ResultsInAll() const;
  // Keeps results that came from the next one on. False: they are in the store
  // only.
  bool KeepRecent(const BatchNews& news);
  void DropRecent();
  void TakeRecent(v1::BatchEvent* event);
  Task<absl::Status> ReadPage(v1::BatchEvent* event);

  Services* const services_;
  Signal* const signal_;
  const BatchId id_;
  const v1::ResultOrder order_;
  int64_t position_;
  // As last heard of.
  std::shared_ptr<const v1::Batch> batch_;
  // As last written, and when; null before.
  std::shared_ptr<const v1::Batch> told_batch_;
  absl::Time told_batch_time_ = absl::InfinitePast();
  // Items accepted, as last said.
  int64_t told_accepted_ = 0;
  // The store may have the next result.
  bool read_ = true;
  // ...and is being asked for it.
  bool reading_ = false;
  // Results in order of ends, and the number of the first. Unless the store is
  // being read that is position_ + 1.
  std::deque<std::shared_ptr<const v1::BatchResult>> recent_;
  int64_t recent_first_ = 0;
  int64_t recent_bytes_ = 0;
  bool done_ = false;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_BATCH_WATCH_H_
