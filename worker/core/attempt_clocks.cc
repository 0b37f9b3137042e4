#include "worker/core/attempt_clocks.h"

#include <algorithm>

namespace vigil::worker {
namespace {

// In the order in which they are named when several fired at once: the total
// before the silence, since it holds whatever the task did; the chunks before
// the rest, since what was done is kept then.
constexpr ClockKind kAll[] = {
    ClockKind::kScheduleToClose, ClockKind::kStartToClose,
    ClockKind::kStartup,         ClockKind::kSlowChunks,
    ClockKind::kChunk,           ClockKind::kInactivity,
    ClockKind::kProgress};

}  // namespace

bool IsSilenceClock(ClockKind kind) {
  return kind == ClockKind::kStartup || kind == ClockKind::kInactivity ||
         kind == ClockKind::kProgress || kind == ClockKind::kChunk ||
         kind == ClockKind::kSlowChunks;
}

AttemptClocks::AttemptClocks(const Supervision& supervision, absl::Time start,
                             absl::Time close_deadline)
    : supervision_(supervision),
      start_(start),
      close_deadline_(close_deadline),
      run_base_(start),
      startup_base_(start),
      last_activity_(start),
      last_progress_(start) {
  if (supervision.chunks.has_value()) chunks_.emplace(*supervision.chunks);
}

absl::Time AttemptClocks::DeadlineOf(ClockKind kind) const {
  const Timeouts& timeouts = supervision_.timeouts;
  if (muted_[static_cast<int>(kind)]) return absl::InfiniteFuture();
  if (IsSilenceClock(kind) && paused()) return absl::InfiniteFuture();
  switch (kind) {
    case ClockKind::kStartup:
      if (active_ || supervision_.silent) return absl::InfiniteFuture();
      // Output that does not end STARTING (a line on stderr while loading)
      // still shows life.
      return std::max(startup_base_ + timeouts.startup,
                      any_activity_ ? last_activity_ + timeouts.inactivity
                                    : absl::InfinitePast());
    case ClockKind::kInactivity:
      if (!active_ || supervision_.silent) return absl::InfiniteFuture();
      return last_activity_ + timeouts.inactivity;
    case ClockKind::kProgress:
      if (!active_) return absl::InfiniteFuture();
      return last_progress_ + timeouts.progress;
    case ClockKind::kChunk:
      return chunks_.has_value() ? chunks_->deadline() : absl::InfiniteFuture();
    case ClockKind::kSlowChunks:
      return chunks_.has_value() ? chunks_->slow_time()
                                 : absl::InfiniteFuture();
    case ClockKind::kStartToClose:
      return run_base_ + timeouts.start_to_close;
    case ClockKind::kScheduleToClose:
      return close_deadline_;
  }
  return absl::InfiniteFuture();
}

absl::Time AttemptClocks::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (ClockKind kind : kAll) next = std::min(next, DeadlineOf(kind));
  return next;
}

std::optional<ClockKind> AttemptClocks::Fired(absl::Time now) const {
  for (ClockKind kind : kAll) {
    if (DeadlineOf(kind) <= now) return kind;
  }
  return std::nullopt;
}

void AttemptClocks::Activity(absl::Time now) {
  longest_silence_ = LongestSilence(now);
  last_activity_ = std::max(last_activity_, now);
  any_activity_ = true;
  muted_[static_cast<int>(ClockKind::kStartup)] = false;
  muted_[static_cast<int>(ClockKind::kInactivity)] = false;
}

void AttemptClocks::Active(absl::Time now) {
  if (active_) return;
  active_ = true;
  last_activity_ = std::max(last_activity_, now);
  last_progress_ = now;
  // What was counted before it was ready is no work.
  if (supervision_.waits_for_ready) progress_done_ = 0;
  if (chunks_.has_value()) chunks_->Begin(now);
}

void AttemptClocks::AwaitStarted() {
  run_base_ = start_ + supervision_.timeouts.startup;
}

void AttemptClocks::Started(absl::Time now) {
  run_base_ = now;
  Activity(now);
  Active(now);
}

bool AttemptClocks::Progress(int64_t done, int64_t total, absl::Time now) {
  if (done <= progress_done_) return false;
  progress_done_ = done;
  last_progress_ = now;
  muted_[static_cast<int>(ClockKind::kProgress)] = false;
  muted_[static_cast<int>(ClockKind::kChunk)] = false;
  // A progress bar on stderr counts chunks too, though it does not end
  // STARTING; what is counted before the ready pattern matched is no work yet.
  if (chunks_.has_value() && (active_ || !supervision_.waits_for_ready)) {
    // The rest that lasts is granted when it is over.
    chunks_->Progress(done, total, paused_since_.value_or(now));
  }
  return true;
}

void AttemptClocks::Pause(absl::Time now) {
  if (!paused()) paused_since_ = now;
}

void AttemptClocks::Resume(absl::Time now) {
  if (!paused()) return;
  const absl::Duration rest = now - *paused_since_;
  paused_since_.reset();
  GrantStall(rest);
}

void AttemptClocks::GrantStall(absl::Duration stall) {
  if (paused()) return;  // Resume grants all of the rest
  startup_base_ += stall;
  last_activity_ += stall;
  last_progress_ += stall;
  if (chunks_.has_value()) chunks_->GrantStall(stall);
}

void AttemptClocks::Silence(ClockKind kind) {
  if (kind == ClockKind::kSlowChunks) {
    chunks_->SlowRecorded();
    return;
  }
  muted_[static_cast<int>(kind)] = true;
}

absl::Duration AttemptClocks::LongestSilence(absl::Time now) const {
  return std::max(longest_silence_, now - last_activity_);
}

}  // namespace vigil::worker
