// WorkerOutbox: what is to be sent on one worker's stream, in order, packed
// into few messages. An assignment whose program is still being read holds back
// what comes after it, so that a stop never overtakes the attempt it stops.
// Loop thread only; owns what waits.
#ifndef VIGIL_COORDINATOR_ENGINE_WORKER_OUTBOX_H_
#define VIGIL_COORDINATOR_ENGINE_WORKER_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "coordinator/engine/limits.h"
#include "vigil/v1/dispatch_service.pb.h"

namespace vigil::coordinator {

class WorkerOutbox {
 public:
  // An assignment that waits for its program.
  struct Pending {
    v1::AttachResponse message;
    bool ready = false;
  };

  // The message to add to; `size_bytes` is about what is added.
  v1::AttachResponse* Open(int64_t size_bytes) {
    if (items_.empty() || !items_.back()->ready ||
        open_bytes_ + size_bytes > kMessageBytesSoftMax) {
      items_.push_back(std::make_shared<Pending>());
      items_.back()->ready = true;
      open_bytes_ = 0;
    }
    open_bytes_ += size_bytes;
    return &items_.back()->message;
  }

  // A message of its own that is not sent before `ready` is set.
  std::shared_ptr<Pending> Hold() {
    items_.push_back(std::make_shared<Pending>());
    open_bytes_ = kMessageBytesSoftMax;
    return items_.back();
  }

  // The next message that may be sent.
  std::optional<v1::AttachResponse> Take() {
    if (items_.empty() || !items_.front()->ready) return std::nullopt;
    v1::AttachResponse message = std::move(items_.front()->message);
    items_.pop_front();
    return message;
  }

 private:
  std::deque<std::shared_ptr<Pending>> items_;
  int64_t open_bytes_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_WORKER_OUTBOX_H_
