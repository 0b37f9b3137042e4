// EventReader: a stream whose events its owner asks for, one after the other:
//   while (std::optional<v1::WatchEvent> event = co_await reader.Next()) ...
// or `reader.Next().Wait()` where a thread may block. Thread-compatible. Owns
// its stream; what becomes of that when the reader is destroyed is chosen when
// it is made. May outlive its client, and then has no more events.
#ifndef VIGIL_CLIENT_CC_EVENT_READER_H_
#define VIGIL_CLIENT_CC_EVENT_READER_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cc/awaitable.h"
#include "client/cc/event_slot.h"
#include "client/cc/scoped_stream.h"
#include "client/cc/stream_options.h"

namespace vigil::client {

template <typename Event, typename Result, typename Stream>
class EventReader {
 public:
  using Slot = EventSlot<Event, Result>;

  // Has `start` begin the stream, with an observer and options that suit a
  // reader; it returns the handle. options.reading is of no effect.
  template <typename Observer, typename Start>
  static EventReader Begin(Start start, StreamOptions options,
                           OnDestruction on_destruction, Executor executor) {
    auto slot = std::make_shared<Slot>();
    Observer observer;
    observer.on_event = [slot](const Event& event) { slot->Put(event); };
    observer.on_end = [slot](absl::StatusOr<Result> result) {
      slot->End(std::move(result));
    };
    options.reading = StreamOptions::Reading::kOnDemand;
    Stream stream = start(std::move(observer), options);
    return EventReader(std::move(slot), std::move(stream), on_destruction,
                       std::move(executor));
  }

  EventReader(EventReader&&) = default;
  EventReader& operator=(EventReader&&) = delete;
  // Precondition: nobody waits for Next().
  ~EventReader() {
    if (slot_ == nullptr) return;
    slot_->Drop([stream = *stream_]() mutable { stream.ReadNext(); });
  }

  // Waits for the next event; nullopt: there is none any more, see end(). One
  // at a time. Until it is called the stream is held back, as by a slow
  // observer, and a job that is run with it.
  Awaitable<std::optional<Event>> Next() {
    return Awaitable<std::optional<Event>>(
        [this](typename Slot::Taker taker) {
          // The first event comes by itself.
          if (std::exchange(began_, true)) stream_->ReadNext();
          slot_->Take(std::move(taker));
        },
        executor_);
  }

  // How the stream ended, as on_end of its observer has it. UNKNOWN before
  // Next() said that there is no event any more.
  absl::StatusOr<Result> end() const { return slot_->end(); }

  // The handle: to cancel, to add items, to ask for the id.
  Stream& stream() { return *stream_; }

 private:
  // `stream` reads on demand and tells `slot` its events and its end.
  EventReader(std::shared_ptr<Slot> slot, Stream stream,
              OnDestruction on_destruction, Executor executor)
      : slot_(std::move(slot)),
        stream_(std::move(stream), on_destruction),
        executor_(std::move(executor)) {}

  std::shared_ptr<Slot> slot_;
  ScopedStream<Stream> stream_;
  Executor executor_;
  bool began_ = false;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_EVENT_READER_H_
