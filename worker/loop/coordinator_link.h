// CoordinatorLink: the worker's side of its session with the coordinator: when
// a stream is opened, given up and opened again, which heartbeats were answered
// and how long the lease therefore lasts. Loop thread only; owns neither the
// stream nor the handler.
#ifndef VIGIL_WORKER_LOOP_COORDINATOR_LINK_H_
#define VIGIL_WORKER_LOOP_COORDINATOR_LINK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "worker/stream/dispatch_stream.h"

namespace vigil::worker {

class CoordinatorLink {
 public:
  // What the link wants of the loop; called in the course of its methods.
  class Handler {
   public:
    virtual ~Handler() = default;
    // Describes this worker and what it runs, for a stream about to be opened.
    virtual v1::AttachRequest MakeAttach() = 0;
    // The worker may act until `until`.
    virtual void LeaseExtended(absl::Time until) = 0;
    // A message came; `response.attached` is set in the first of a stream.
    virtual void Received(const v1::AttachResponse& response,
                          absl::Time now) = 0;
    // The stream is lost; the link opens another one by itself.
    virtual void Lost(const absl::Status& status) = 0;
    // The session was given up by the coordinator. The link waits for
    // StartSession.
    virtual void Fenced(const absl::Status& status, absl::Time now) = 0;
    // The coordinator speaks no version that this worker speaks. Final.
    virtual void Refused(const absl::Status& status) = 0;
  };

  struct Options {
    // The longest wait before the stream is opened again; once the lease is
    // known at most a third of it.
    absl::Duration reconnect_max;
    // Returns a random number in [0, 1).
    std::function<double()> random;
  };

  // Opens the first stream at the first Tick.
  CoordinatorLink(Options options, DispatchStream* stream, Handler* handler);

  // Takes what came on the stream.
  void HandleEvents(absl::Time now);
  // Opens and gives up streams when it is time.
  void Tick(absl::Time now);
  absl::Time NextDeadline() const;

  // Whether messages may be sent.
  bool attached() const { return state_ == State::kAttached; }
  bool HeartbeatDue(absl::Time now) const;
  // Adds the next heartbeat, with the host's load, to a message that is sent
  // now. `stuck_slots` are those whose trees could not be killed.
  void AddHeartbeat(absl::Time now, const std::vector<int>& stuck_slots,
                    v1::AttachRequest* request);

  // After Fenced: attaches again, now that a new session was made.
  void StartSession(absl::Time now);
  // Closes the stream for good.
  void Stop();

 private:
  enum class State {
    kWaiting,    // until time_
    kAttaching,  // until Attached comes, at most until time_
    kAttached,   // the next heartbeat is due at time_, the first at once
    kFenced,
    kStopped,
  };

  void Attached(const v1::Attached& attached, absl::Time now);
  void HeartbeatAnswered(int64_t number);
  void StreamEnded(const absl::Status& status, absl::Time now);
  void WaitToReconnect(absl::Time now);
  // When a stream that does not answer is given up.
  absl::Time SilenceDeadline() const;

  const Options options_;
  DispatchStream* const stream_;
  Handler* const handler_;
  State state_ = State::kWaiting;
  absl::Time time_ = absl::InfinitePast();
  absl::Duration backoff_;
  // When the last Attach was sent.
  absl::Time open_time_;
  // Zero until the first Attached.
  absl::Duration lease_;
  absl::Duration heartbeat_interval_;
  int64_t last_heartbeat_ = 0;
  // Number and time of heartbeats that were not answered, oldest first.
  std::deque<std::pair<int64_t, absl::Time>> unanswered_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_COORDINATOR_LINK_H_
