// Recorder: takes what has happened to attempts, jobs, batches and workers,
// counts it in its telemetry, and makes events of it for whoever keeps them.
// Pure but for the sink; loop thread only; owns the telemetry.
#ifndef VIGIL_COORDINATOR_TELEMETRY_RECORDER_H_
#define VIGIL_COORDINATOR_TELEMETRY_RECORDER_H_

#include <functional>
#include <utility>

#include "absl/time/time.h"
#include "coordinator/core/effects.h"
#include "coordinator/core/job.h"
#include "coordinator/telemetry/event.pb.h"
#include "coordinator/telemetry/telemetry.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/telemetry.pb.h"

namespace vigil::coordinator {

class Recorder {
 public:
  // Must not block.
  using Sink = std::function<void(events::Event)>;

  explicit Recorder(const TelemetryOptions& options) : telemetry_(options) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Without one, no events are made.
  void set_sink(Sink sink) { sink_ = std::move(sink); }

  void AttemptEnded(const Job& job, const AttemptRecord& attempt,
                    absl::Time now);
  // Its end is durable.
  void JobEnded(const Job& job, absl::Time now);
  // Its end is durable.
  void BatchEnded(const v1::Batch& batch, absl::Time now);
  void WorkerChanged(const WorkerNews& news, absl::Time now);

  // Looks whether health changed, when that is due; logs it if so.
  void Tick(absl::Time now);
  absl::Time NextDeadline() const { return check_time_; }

  v1::Telemetry Report(absl::Time now);

 private:
  // Gives the sink, if there is one, an event of `now` that `fill` completes.
  template <typename Fill>
  void Emit(absl::Time now, Fill fill);

  Telemetry telemetry_;
  Sink sink_;
  HealthState health_ = HealthState::kOk;
  absl::Time check_time_ = absl::InfiniteFuture();
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_RECORDER_H_
