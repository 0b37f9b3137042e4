#include "worker/loop/outbox.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/wire/attempt_wire.h"
#include "vigil/v1/output.pb.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

v1::Output::Stream ToProto(OutputStream stream) {
  switch (stream) {
    case OutputStream::kStdout:
      return v1::Output::STREAM_STDOUT;
    case OutputStream::kStderr:
      return v1::Output::STREAM_STDERR;
  }
  return v1::Output::STREAM_UNSPECIFIED;
}

}  // namespace

void Outbox::AddUpdate(AttemptUpdate update, absl::Time now) {
  TimedUpdate timed{std::move(update), now};
  Entry& entry = entries_[timed.update.attempt];
  entry.last_update = timed;
  entry.last_update->update.observed.reset();
  const bool observed = timed.update.observed.has_value();
  if (observed && observed_ >= kObservedMax) return;
  if (!observed && !open_) return;
  observed_ += observed ? 1 : 0;
  updates_.push_back(std::move(timed));
}

void Outbox::AddOutput(const AttemptId& attempt, OutputStream stream,
                       absl::string_view data) {
  Entry& entry = entries_[attempt];
  entry.window.Append(stream, data);
  MakeReady(attempt, &entry);
}

void Outbox::AddCheckpoint(const AttemptId& attempt,
                           std::shared_ptr<const std::string> state,
                           absl::Time now) {
  Entry& entry = entries_[attempt];
  entry.checkpoint = std::move(state);
  entry.checkpoint_sent = false;
  checkpoint_time_ =
      std::min(checkpoint_time_, std::max(entry.checkpoint_time, now));
}

void Outbox::ReadyCheckpoints(absl::Time now) {
  if (now < checkpoint_time_) return;
  checkpoint_time_ = absl::InfiniteFuture();
  for (auto& [attempt, entry] : entries_) {
    if (entry.checkpoint == nullptr || entry.checkpoint_sent) continue;
    if (entry.checkpoint_time <= now) {
      MakeReady(attempt, &entry);
    } else {
      checkpoint_time_ = std::min(checkpoint_time_, entry.checkpoint_time);
    }
  }
}

void Outbox::AddEnd(const AttemptEnd& end) {
  Entry& entry = entries_[end.attempt];
  VIGIL_CHECK(!entry.end.has_value(), end.attempt.job_id.value());
  // The end says all that they would.
  std::erase_if(updates_, [&end](const TimedUpdate& timed) {
    return timed.update.attempt == end.attempt &&
           !timed.update.observed.has_value();
  });
  vigil::ToProto(end, &entry.end.emplace());
  entry.last_update.reset();
  ++end_count_;
  MakeReady(end.attempt, &entry);
}

void Outbox::MakeReady(const AttemptId& attempt, Entry* entry) {
  if (!open_ || entry->ready) return;
  entry->ready = true;
  ready_.push_back(attempt);
}

void Outbox::OutputAcknowledged(const AttemptId& attempt, int64_t total_bytes) {
  const auto it = entries_.find(attempt);
  if (it != entries_.end()) it->second.window.Acknowledge(total_bytes);
}

void Outbox::Forget(const AttemptId& attempt) {
  const auto it = entries_.find(attempt);
  if (it == entries_.end()) return;
  if (it->second.end.has_value()) --end_count_;
  if (it->second.ready) std::erase(ready_, attempt);
  entries_.erase(it);
}

void Outbox::Close() {
  open_ = false;
  ready_.clear();
  for (auto& [attempt, entry] : entries_) entry.ready = false;
  std::erase_if(updates_, [](const TimedUpdate& timed) {
    return !timed.update.observed.has_value();
  });
}

void Outbox::Open(const std::vector<AttemptId>& running, v1::Attach* attach) {
  Close();
  open_ = true;
  for (const AttemptId& attempt : running) {
    vigil::ToProto(attempt, attach->add_running());
  }
  size_t bytes = 0;
  for (auto& [attempt, entry] : entries_) {
    entry.window.Rewind();
    entry.end_sent = false;
    entry.checkpoint_sent = false;
    entry.checkpoint_time = absl::InfinitePast();
    if (entry.checkpoint != nullptr) checkpoint_time_ = absl::InfinitePast();
    if (entry.last_update.has_value()) updates_.push_back(*entry.last_update);
    if (!entry.end.has_value()) {
      if (!entry.window.empty()) MakeReady(attempt, &entry);
      continue;
    }
    const size_t size = entry.end->ByteSizeLong();
    if (entry.window.empty() && entry.checkpoint == nullptr &&
        bytes + size <= kAttachEndsBytesMax) {
      bytes += size;
      *attach->add_ended() = *entry.end;
      entry.end_sent = true;
      continue;
    }
    vigil::ToProto(attempt, attach->add_running());
    MakeReady(attempt, &entry);
  }
}

void Outbox::WriteUpdate(const TimedUpdate& timed, absl::Time now,
                         v1::AttemptUpdate* proto) {
  // Ages are those at the time of sending.
  AttemptUpdate update = timed.update;
  const absl::Duration waited = now - timed.time;
  if (update.phase != Phase::kEnded) {
    update.age += waited;
    update.silence += waited;
    update.longest_silence = std::max(update.longest_silence, update.silence);
  }
  vigil::ToProto(update, proto);
}

bool Outbox::FillFrom(const AttemptId& attempt, absl::Time now, Entry* entry,
                      size_t* bytes, v1::AttachRequest* request) {
  while (const OutputChunk* chunk = entry->window.NextUnsent()) {
    if (*bytes >= kMessageFillBytes) return false;
    v1::AttemptOutput* output = request->add_output();
    vigil::ToProto(attempt, output->mutable_attempt());
    v1::Output* piece = output->mutable_output();
    piece->set_attempt(attempt.number);
    piece->set_stream(ToProto(chunk->stream));
    piece->set_offset(chunk->offset);
    piece->set_data(chunk->data);
    *bytes += chunk->data.size() + kChunkOverheadBytes;
    entry->window.MarkSent();
  }
  if (entry->checkpoint != nullptr && !entry->checkpoint_sent &&
      (entry->checkpoint_time <= now || entry->end.has_value())) {
    if (*bytes >= kMessageFillBytes) return false;
    v1::AttemptCheckpoint* checkpoint = request->add_checkpoints();
    vigil::ToProto({attempt, entry->checkpoint}, checkpoint);
    *bytes += entry->checkpoint->size() + kChunkOverheadBytes;
    entry->checkpoint_sent = true;
    entry->checkpoint_time = now + kCheckpointInterval;
  }
  if (!entry->end.has_value() || entry->end_sent) return true;
  const size_t size = entry->end->ByteSizeLong();
  // One with a large result goes alone.
  if (*bytes > 0 && *bytes + size > kMessageFillBytes) return false;
  *request->add_ends() = *entry->end;
  *bytes += size;
  entry->end_sent = true;
  return true;
}

bool Outbox::Fill(absl::Time now, v1::AttachRequest* request) {
  if (!open_) return false;
  ReadyCheckpoints(now);
  size_t bytes = 0;
  size_t updates = 0;
  while (updates < updates_.size() && bytes < kMessageFillBytes) {
    v1::AttemptUpdate* proto = request->add_updates();
    WriteUpdate(updates_[updates++], now, proto);
    bytes += proto->ByteSizeLong();
  }
  for (size_t i = 0; i < updates; ++i) {
    if (updates_[i].update.observed.has_value()) --observed_;
  }
  updates_.erase(updates_.begin(),
                 updates_.begin() + static_cast<std::ptrdiff_t>(updates));
  size_t done = 0;
  while (done < ready_.size() && bytes < kMessageFillBytes) {
    Entry& entry = entries_.at(ready_[done]);
    if (!FillFrom(ready_[done], now, &entry, &bytes, request)) break;
    entry.ready = false;
    ++done;
  }
  ready_.erase(ready_.begin(),
               ready_.begin() + static_cast<std::ptrdiff_t>(done));
  return bytes > 0;
}

bool Outbox::only_ends() const {
  return !ready_.empty() && updates_.empty() &&
         std::all_of(ready_.begin(), ready_.end(),
                     [this](const AttemptId& attempt) {
                       return entries_.at(attempt).end.has_value();
                     });
}

int64_t Outbox::HeldBytes(const AttemptId& attempt) const {
  const auto it = entries_.find(attempt);
  return it == entries_.end() ? 0 : it->second.window.held_bytes();
}

bool Outbox::HasEnd(const AttemptId& attempt) const {
  const auto it = entries_.find(attempt);
  return it != entries_.end() && it->second.end.has_value();
}

}  // namespace vigil::worker
