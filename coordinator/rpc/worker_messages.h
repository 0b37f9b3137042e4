// What one worker says on its stream: checks each message and applies it to the
// engine. Knows no gRPC, so that anything a worker might say can be tried
// without a connection. Loop thread only; owns nothing.
#ifndef VIGIL_COORDINATOR_RPC_WORKER_MESSAGES_H_
#define VIGIL_COORDINATOR_RPC_WORKER_MESSAGES_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "base/ids.h"
#include "coordinator/engine/engine.h"
#include "vigil/v1/dispatch_service.pb.h"

namespace vigil::coordinator {

// How the worker that this coordinator started is told from others.
struct LocalAttach {
  // Its secret; empty: there is none.
  std::string token;
  // Told its session when it attaches.
  std::function<void(const SessionId&)> on_attach;
};

class WorkerMessages {
 public:
  // What the worker is to be told goes to `link`.
  WorkerMessages(const LocalAttach* local, Engine* engine, WorkerLink* link)
      : local_(local), engine_(engine), link_(link) {}
  WorkerMessages(const WorkerMessages&) = delete;
  WorkerMessages& operator=(const WorkerMessages&) = delete;
  ~WorkerMessages() { Detach(); }

  // Applies the next message: the first one attaches the worker. An error is
  // what the stream is to be closed with, as the proto states it; the worker is
  // detached then, and whatever it still says is answered with that error and
  // has no effect.
  absl::Status Take(const v1::AttachRequest& request);

  // The stream is over.
  void Detach();

 private:
  absl::Status Attach(const v1::AttachRequest& request);
  absl::Status Apply(const v1::AttachRequest& request);
  absl::Status TakeAnnouncement(const v1::Announcement& announcement);

  const LocalAttach* const local_;
  Engine* const engine_;
  WorkerLink* const link_;
  // 0: not attached.
  StreamId stream_ = 0;
  absl::Status status_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_WORKER_MESSAGES_H_
