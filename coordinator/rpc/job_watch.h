// JobWatch: what one RunJob or WatchJob stream has still to write. It takes
// what the hub tells it, in order; a LIVE one forgets the oldest output above
// kWatcherQueueBytesMax and says so, a lossless one holds back the worker
// instead. Loop thread only; leaves the hub when it goes away.
#ifndef VIGIL_COORDINATOR_RPC_JOB_WATCH_H_
#define VIGIL_COORDINATOR_RPC_JOB_WATCH_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/reason.h"
#include "coordinator/codec/stored_job.pb.h"
#include "coordinator/engine/engine.h"
#include "coordinator/engine/watch_hub.h"
#include "coordinator/rpc/signal.h"
#include "vigil/v1/output.pb.h"

namespace vigil::coordinator {

class JobWatch : public Watcher {
 public:
  struct Options {
    bool lossless = false;
    bool skip_output = false;
  };

  // Watches from now on. `cursor` is where the stream goes on; `signal` is
  // notified when there is something to write.
  JobWatch(Engine* engine, Signal* signal, WatchCursor cursor,
           const Options& options);
  ~JobWatch() override;

  void OnJob(const std::shared_ptr<const v1::Job>& job) override;
  void OnOutput(const std::shared_ptr<const v1::Output>& output) override;
  void OnNotice(const Failure& notice) override;
  int64_t HeldBytes(int attempt) const override;

  // Moves the next event to `event`. False: nothing to write now. A job in a
  // final state comes last.
  bool Next(v1::WatchEvent* event);

  // Turns output that is behind the cursor into the next event, also when it
  // comes from the store. False: all of it was received before.
  bool Take(v1::Output output, v1::WatchEvent* event);

  // The gap between the cursor and `offset`, if there is one, as an event.
  bool TakeGap(int attempt, v1::Output::Stream stream, int64_t offset,
               v1::WatchEvent* event);

  const WatchCursor& cursor() const { return cursor_; }

 private:
  // Where the cursor is in a stream of `attempt`, moving on to that attempt.
  int64_t Position(int attempt, v1::Output::Stream stream);
  void Advance(v1::Output::Stream stream, int64_t offset);

  Engine* const engine_;
  Signal* const signal_;
  const JobId id_;
  const Options options_;
  WatchCursor cursor_;
  std::deque<std::shared_ptr<const v1::Output>> outputs_;
  int64_t output_bytes_ = 0;
  std::deque<Failure> notices_;
  // The latest state that was not written yet.
  std::shared_ptr<const v1::Job> job_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_JOB_WATCH_H_
