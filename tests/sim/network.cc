#include "tests/sim/network.h"

#include <utility>
#include <variant>

namespace vigil::sim {
namespace {

// After how long without an answer a keepalive ping breaks a stream.
constexpr absl::Duration kKeepalive = absl::Seconds(20);

// Of the messages of a rough network, those that arrive twice.
constexpr double kRepeated = 0.01;

// Whether it can come twice: a stream begins and ends once.
bool MayRepeat(const ToCoordinator& message) {
  return !std::holds_alternative<coordinator::WorkerHello>(message) &&
         !std::holds_alternative<StreamEnd>(message);
}
bool MayRepeat(const ToWorker& message) {
  return !std::holds_alternative<Attached>(message) &&
         !std::holds_alternative<StreamClosed>(message);
}

}  // namespace

template <typename Message>
void Network::Put(Lane<Message>* lane, Message message) {
  if (rough_ && MayRepeat(message) && parts_.random->Chance(kRepeated)) {
    parts_.coverage->Count("fault: message repeated");
    lane->Send(message, Delay());
  }
  lane->Send(std::move(message), Delay());
}

void Network::Lose(const ToCoordinator& message) const {
  if (std::holds_alternative<AttemptEnd>(message)) {
    parts_.coverage->Count("lost with its stream: end");
  } else if (std::holds_alternative<coordinator::WorkerHello>(message)) {
    parts_.coverage->Count("lost with its stream: attach");
  } else if (std::holds_alternative<LeftMessage>(message)) {
    parts_.coverage->Count("lost with its stream: left");
  }
}

void Network::Lose(const ToWorker& message) const {
  if (std::holds_alternative<Assignment>(message)) {
    parts_.coverage->Count("lost with its stream: assignment");
  } else if (std::holds_alternative<EndAck>(message)) {
    parts_.coverage->Count("lost with its stream: acknowledgement of an end");
  } else if (std::holds_alternative<StopMessage>(message)) {
    parts_.coverage->Count("lost with its stream: stop");
  } else if (std::holds_alternative<DrainMessage>(message)) {
    parts_.coverage->Count("lost with its stream: drain");
  }
}

void Network::KeepFirstUp(Stream* stream, size_t count) const {
  stream->up->KeepFirst(
      count, [this](const ToCoordinator& message) { Lose(message); });
}

void Network::KeepFirstDown(Stream* stream, size_t count) const {
  stream->down->KeepFirst(count,
                          [this](const ToWorker& message) { Lose(message); });
}

absl::Duration Network::Delay() {
  Random& random = *parts_.random;
  if (rough_ && random.Chance(0.01)) {
    return random.Between(absl::ZeroDuration(), absl::Milliseconds(700));
  }
  if (rough_ && random.Chance(0.001)) {
    parts_.coverage->Count("fault: long delay");
    return random.Between(absl::Seconds(1), absl::Seconds(12));
  }
  return random.Between(absl::Microseconds(50), absl::Milliseconds(3));
}

absl::Duration Network::NoticeDelay() {
  // Most ends are seen at once, some only when a keepalive ping fails.
  Random& random = *parts_.random;
  if (rough_ && random.Chance(0.2)) {
    return random.Between(absl::ZeroDuration(), kKeepalive);
  }
  return random.Between(absl::ZeroDuration(), absl::Milliseconds(20));
}

StreamId Network::Open(int worker, WorkerEnd* end) {
  const StreamId id = ++last_stream_;
  Stream& stream = streams_[id];
  stream.worker = worker;
  stream.worker_end = end;
  stream.up = std::make_unique<Lane<ToCoordinator>>(
      parts_.queue, [this, worker] { return up_held_until_[worker]; },
      [this, id](ToCoordinator message) { DeliverUp(id, std::move(message)); });
  stream.down = std::make_unique<Lane<ToWorker>>(
      parts_.queue, [this, worker] { return down_held_until_[worker]; },
      [this, id](ToWorker message) { DeliverDown(id, std::move(message)); });
  if (down_) {
    parts_.coverage->Count("network: connection refused");
    stream.coordinator_open = false;
    stream.down->Send(StreamClosed{absl::UnavailableError("refused")}, Delay());
  }
  return id;
}

void Network::Send(StreamId id, ToCoordinator message) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || it->second.broken || !it->second.worker_open) {
    Lose(message);
    return;
  }
  Put(it->second.up.get(), std::move(message));
}

void Network::Send(StreamId id, ToWorker message) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || it->second.broken ||
      !it->second.coordinator_open) {
    Lose(message);
    return;
  }
  Put(it->second.down.get(), std::move(message));
}

void Network::DeliverUp(StreamId id, ToCoordinator message) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || !it->second.coordinator_open) {
    Lose(message);
    return;
  }
  if (std::holds_alternative<StreamEnd>(message)) {
    it->second.coordinator_open = false;
  }
  coordinator_->Receive(id, std::move(message));
}

void Network::DeliverDown(StreamId id, ToWorker message) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || it->second.worker_end == nullptr ||
      !it->second.worker_open) {
    Lose(message);
    return;
  }
  it->second.worker_end->Receive(id, std::move(message));
}

void Network::CloseByWorker(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || !it->second.worker_open) return;
  Stream& stream = it->second;
  stream.worker_open = false;
  if (stream.broken || !stream.coordinator_open) return;
  if (parts_.random->Chance(0.5)) {
    KeepFirstUp(&stream, parts_.random->Index(stream.up->under_way() + 1));
  }
  stream.up->Send(StreamEnd{}, NoticeDelay());
}

void Network::WorkerDown(const WorkerEnd* end) {
  for (auto& [id, stream] : streams_) {
    if (stream.worker_end != end) continue;
    CloseByWorker(id);
    stream.worker_end = nullptr;
  }
}

void Network::CloseByCoordinator(StreamId id, absl::Status status) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || !it->second.coordinator_open) return;
  it->second.coordinator_open = false;
  if (it->second.broken) return;
  it->second.down->Send(StreamClosed{std::move(status)}, Delay());
}

void Network::Break(Stream* stream) {
  stream->broken = true;
  Random& random = *parts_.random;
  if (stream->coordinator_open) {
    KeepFirstUp(stream, random.Index(stream->up->under_way() + 1));
    stream->up->Send(StreamEnd{}, NoticeDelay());
  }
  KeepFirstDown(stream, random.Index(stream->down->under_way() + 1));
  stream->down->Send(StreamClosed{absl::UnavailableError("broken")},
                     NoticeDelay());
}

void Network::CoordinatorDown() {
  down_ = true;
  for (auto& [id, stream] : streams_) {
    if (!stream.coordinator_open) continue;
    KeepFirstUp(&stream, 0);
    if (!stream.broken) Break(&stream);
    KeepFirstUp(&stream, 0);
    stream.coordinator_open = false;
  }
}

void Network::BreakOne() {
  std::vector<Stream*> open;
  for (auto& [id, stream] : streams_) {
    if (stream.worker_open && stream.coordinator_open && !stream.broken) {
      open.push_back(&stream);
    }
  }
  if (open.empty()) return;
  parts_.coverage->Count("fault: stream broken");
  Break(open[parts_.random->Index(open.size())]);
}

void Network::BreakAllOf(int worker) {
  for (auto& [id, stream] : streams_) {
    if (stream.worker != worker || stream.broken || !stream.worker_open) {
      continue;
    }
    parts_.coverage->Count("fault: stream broken");
    Break(&stream);
  }
}

void Network::HoldUp(int worker, absl::Duration time) {
  up_held_until_[worker] = parts_.queue->now() + time;
  if (time > kKeepalive) AwaitKeepalive(worker);
}

void Network::HoldDown(int worker, absl::Duration time) {
  down_held_until_[worker] = parts_.queue->now() + time;
  if (time > kKeepalive) AwaitKeepalive(worker);
}

void Network::Partition(int worker, absl::Duration time) {
  parts_.coverage->Count("fault: partition");
  HoldUp(worker, time);
  HoldDown(worker, time);
}

void Network::AwaitKeepalive(int worker) {
  parts_.queue->After(kKeepalive, [this, worker] {
    const absl::Time now = parts_.queue->now();
    if (up_held_until_[worker] <= now && down_held_until_[worker] <= now) {
      return;
    }
    for (auto& [id, stream] : streams_) {
      if (stream.worker == worker && !stream.broken && stream.worker_open) {
        Break(&stream);
      }
    }
  });
}

void Network::HealAll() {
  for (absl::Time& until : up_held_until_) until = absl::InfinitePast();
  for (absl::Time& until : down_held_until_) until = absl::InfinitePast();
}

}  // namespace vigil::sim
