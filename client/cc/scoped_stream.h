// ScopedStream: a stream whose end of life its owner decides on when the stream
// goes on no longer for him. Thread-compatible; owns a handle, and asks for
// what was chosen when it is destroyed. Asks only: see OnDestruction.
#ifndef VIGIL_CLIENT_CC_SCOPED_STREAM_H_
#define VIGIL_CLIENT_CC_SCOPED_STREAM_H_

#include <utility>

namespace vigil::client {

// What becomes of a stream, and of its job or batch, when its owner is
// destroyed. Each returns at once, so what the stream's observer uses must live
// until on_end has returned, or until the client was destroyed.
enum class OnDestruction {
  // The handle's Abandon(): the watching stops. What was run is cancelled by
  // the coordinator if its request says so (by default, within 10 s).
  kAbandon,
  // The handle's Cancel(): the job or batch is cancelled, and watched to its
  // end. The wish is sent even if the client is destroyed right after, unless
  // the id is not known by then: what was run is cancelled as by kAbandon then.
  kCancel,
  // Nothing: it goes on, as when a plain handle is dropped.
  kContinue,
};

// Of a JobStream, BatchStream or BatchWatch.
template <typename Stream>
class ScopedStream {
 public:
  ScopedStream(Stream stream, OnDestruction on_destruction)
      : stream_(std::move(stream)), on_destruction_(on_destruction) {}
  ScopedStream(ScopedStream&& other) noexcept { *this = std::move(other); }
  ScopedStream& operator=(ScopedStream&& other) noexcept {
    if (this == &other) return *this;
    Leave();
    stream_ = std::exchange(other.stream_, Stream());
    on_destruction_ = other.on_destruction_;
    return *this;
  }
  ~ScopedStream() { Leave(); }

  Stream& operator*() { return stream_; }
  Stream* operator->() { return &stream_; }

 private:
  void Leave() {
    switch (on_destruction_) {
      case OnDestruction::kAbandon:
        stream_.Abandon();
        break;
      case OnDestruction::kCancel:
        stream_.Cancel();
        break;
      case OnDestruction::kContinue:
        break;
    }
  }

  Stream stream_;
  OnDestruction on_destruction_ = OnDestruction::kContinue;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_SCOPED_STREAM_H_
