// What earlier lives of this worker left behind, looked for when somebody asks.
#include <unistd.h>

#include <memory>
#include <utility>

#include "worker/loop/worker_loop.h"
#include "worker/sweep/sweeper.h"

namespace vigil::worker {

void WorkerLoop::Sweep(const v1::Sweep& request) {
  sweep::SweepOptions options;
  options.worker_id = options_.worker_id;
  options.self = getpid();
  options.mode =
      request.dry_run() ? sweep::SweepMode::kLookOnly : sweep::SweepMode::kKill;
  // Nothing is on record but this life's own slots, which are not touched.
  auto outcome = std::make_shared<sweep::SweepOutcome>();
  background_.Run(
      [options = std::move(options), outcome] {
        *outcome = sweep::Sweep(options, sweep::RealSystem());
      },
      [this, outcome, number = request.number(), stream = stream_number_] {
        if (stream != stream_number_) return;
        v1::SweepDone done;
        done.set_number(number);
        *done.mutable_result() = std::move(outcome->result);
        swept_.push_back(std::move(done));
      });
}

bool WorkerLoop::AddSweepsDone(v1::AttachRequest* request) {
  const bool any = !swept_.empty();
  for (v1::SweepDone& done : swept_) {
    *request->add_sweep_done() = std::move(done);
  }
  swept_.clear();
  return any;
}

}  // namespace vigil::worker
