// JobWatch: what one RunJob or WatchJob stream has still to write. It takes
// what the hub tells it, in order; a LIVE one forgets the oldest output above
// kWatcherQueueBytesMax and says so, a lossless one holds back the worker
// instead. Either falls behind when the hub needs the memory: then the store
// has what comes next. Loop thread only; leaves the hub when it goes away.
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

  void OnJob(const std::shared_ptr<const v1::Job>& job,
             int64_t stored_result_bytes) override;
  void OnOutput(const std::shared_ptr<const v1::Output>& output) override;
  void ForgetOutput(const v1::Output& output) override;
  void OnNotice(const Failure& notice) override;
  int64_t HeldBytes(int attempt, int64_t received_bytes) const override;

  // Moves the next event to `event`. False: nothing to write now. A job in a
  // final state comes last.
  bool Next(v1::WatchEvent* event);

  // The result of the job that comes next, if it is its last event: bytes that
  // are to be read from the store and added to it; 0: none.
  int64_t stored_result_bytes() const { return stored_result_bytes_; }

  // Output was forgotten. Whoever writes waits until what has happened is
  // durable, writes what the store has up to the attempt returned here, and
  // only then goes on with Next(). From this call on output is kept again.
  bool behind() const { return behind_; }
  int CatchUp();

  // Turns output that is behind the cursor into the next event, up to
  // kEventOutputBytesMax of it, also when it comes from the store. False: all
  // of it was received before.
  bool Take(const v1::Output& output, v1::WatchEvent* event);

  // The gap between the cursor and `offset`, if there is one, as an event.
  bool TakeGap(int attempt, v1::Output::Stream stream, int64_t offset,
               v1::WatchEvent* event);

  const WatchCursor& cursor() const { return cursor_; }

  // Stored output of `attempt` up to this row was passed on.
  int64_t stored_seq(int attempt) const {
    return attempt == stored_attempt_ ? stored_seq_ : 0;
  }
  void set_stored_seq(int attempt, int64_t seq) {
    stored_attempt_ = attempt;
    stored_seq_ = seq;
  }

 private:
  // Where the cursor is in a stream of `attempt`, moving on to that attempt.
  int64_t Position(int attempt, v1::Output::Stream stream);
  void Advance(v1::Output::Stream stream, int64_t offset);
  bool PassedOn(const v1::Output& output);

  Engine* const engine_;
  Signal* const signal_;
  const JobId id_;
  const Options options_;
  WatchCursor cursor_;
  std::deque<std::shared_ptr<const v1::Output>> outputs_;
  int64_t output_bytes_ = 0;
  bool behind_ = false;
  // The last one of which there was output.
  int last_attempt_ = 0;
  int stored_attempt_ = 0;
  int64_t stored_seq_ = 0;
  std::deque<Failure> notices_;
  // The latest state that was not written yet.
  std::shared_ptr<const v1::Job> job_;
  int64_t stored_result_bytes_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_JOB_WATCH_H_
