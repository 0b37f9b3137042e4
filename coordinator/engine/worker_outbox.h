// WorkerOutbox: what is to be sent on one worker's stream, in order, packed
// into few messages. An assignment whose program is still being read holds back
// what comes after it, so that a stop never overtakes the attempt it stops; one
// that was put off has no program in memory before its turn comes. Loop thread
// only; owns what waits.
#ifndef VIGIL_COORDINATOR_ENGINE_WORKER_OUTBOX_H_
#define VIGIL_COORDINATOR_ENGINE_WORKER_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <functional>
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
    // About what it takes in memory, or will.
    int64_t size_bytes = 0;
    // If it was put off: fills the message, at once or later.
    std::function<void(const std::shared_ptr<Pending>&)> fill;
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
    items_.back()->size_bytes += size_bytes;
    bytes_ += size_bytes;
    return &items_.back()->message;
  }

  // A message of its own that is not sent before `ready` is set.
  std::shared_ptr<Pending> Hold(int64_t size_bytes) {
    items_.push_back(std::make_shared<Pending>());
    items_.back()->size_bytes = size_bytes;
    bytes_ += size_bytes;
    open_bytes_ = kMessageBytesSoftMax;
    return items_.back();
  }

  // The same, but nothing is done for it before it is the first: Take then has
  // `fill` make its message.
  void PutOff(std::function<void(const std::shared_ptr<Pending>&)> fill) {
    Hold(0)->fill = std::move(fill);
  }

  // The next message that may be sent.
  std::optional<v1::AttachResponse> Take() {
    if (items_.empty()) return std::nullopt;
    const std::shared_ptr<Pending> first = items_.front();
    if (first->fill) std::exchange(first->fill, nullptr)(first);
    if (!first->ready) return std::nullopt;
    items_.pop_front();
    bytes_ -= first->size_bytes;
    return std::move(first->message);
  }

  // About what all that waits takes in memory.
  int64_t size_bytes() const { return bytes_; }

 private:
  std::deque<std::shared_ptr<Pending>> items_;
  int64_t open_bytes_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_WORKER_OUTBOX_H_
