#include "coordinator/rpc/job_watch.h"

#include <algorithm>
#include <utility>

#include "base/wire/attempt_wire.h"
#include "coordinator/core/job.h"
#include "coordinator/engine/limits.h"

namespace vigil::coordinator {
namespace {

// Notices are few; a stuck reader keeps the last ones.
constexpr size_t kNoticesMax = 16;

bool IsFinal(const v1::Job& job) {
  return IsFinal(static_cast<JobState>(job.state()));
}

}  // namespace

JobWatch::JobWatch(Engine* engine, Signal* signal, WatchCursor cursor,
                   const Options& options)
    : engine_(engine),
      signal_(signal),
      id_(cursor.job_id()),
      options_(options),
      cursor_(std::move(cursor)) {
  engine_->hub().Add(id_, this);
}

JobWatch::~JobWatch() {
  engine_->hub().Remove(id_, this);
  // What it held back may go on.
  engine_->OutputTaken(id_);
}

void JobWatch::OnJob(const std::shared_ptr<const v1::Job>& job,
                     int64_t stored_result_bytes) {
  if (job_ != nullptr && IsFinal(*job_)) return;
  job_ = job;
  stored_result_bytes_ = stored_result_bytes;
  signal_->Notify();
}

void JobWatch::OnOutput(const std::shared_ptr<const v1::Output>& output) {
  if (options_.skip_output) return;
  last_attempt_ = output->attempt();
  if (behind_) return;
  outputs_.push_back(output);
  output_bytes_ += static_cast<int64_t>(output->data().size());
  // The gap shows when the next piece is taken: its offset is ahead.
  while (!options_.lossless && output_bytes_ > kWatcherQueueBytesMax &&
         outputs_.size() > 1) {
    output_bytes_ -= static_cast<int64_t>(outputs_.front()->data().size());
    outputs_.pop_front();
  }
  signal_->Notify();
}

void JobWatch::OnNotice(const Failure& notice) {
  if (notices_.size() >= kNoticesMax) notices_.pop_front();
  notices_.push_back(notice);
  signal_->Notify();
}

void JobWatch::ForgetOutput(const v1::Output& output) {
  if (outputs_.empty() || outputs_.front().get() != &output) return;
  // The rest would be let go of piece by piece.
  outputs_.clear();
  outputs_.shrink_to_fit();
  output_bytes_ = 0;
  behind_ = true;
  signal_->Notify();
}

int JobWatch::CatchUp() {
  behind_ = false;
  return last_attempt_;
}

int64_t JobWatch::HeldBytes(int attempt, int64_t received_bytes) const {
  if (!options_.lossless || options_.skip_output ||
      attempt < cursor_.attempt()) {
    return 0;
  }
  const int64_t taken = attempt == cursor_.attempt()
                            ? cursor_.stdout_offset() + cursor_.stderr_offset()
                            : 0;
  return std::max<int64_t>(received_bytes - taken, 0);
}

int64_t JobWatch::Position(int attempt, v1::Output::Stream stream) {
  if (attempt > cursor_.attempt()) {
    cursor_.set_attempt(attempt);
    cursor_.set_stdout_offset(0);
    cursor_.set_stderr_offset(0);
  }
  return stream == v1::Output::STREAM_STDERR ? cursor_.stderr_offset()
                                             : cursor_.stdout_offset();
}

void JobWatch::Advance(v1::Output::Stream stream, int64_t offset) {
  if (stream == v1::Output::STREAM_STDERR) {
    cursor_.set_stderr_offset(offset);
  } else {
    cursor_.set_stdout_offset(offset);
  }
}

bool JobWatch::TakeGap(int attempt, v1::Output::Stream stream, int64_t offset,
                       v1::WatchEvent* event) {
  if (attempt < cursor_.attempt()) return false;
  const int64_t position = Position(attempt, stream);
  if (offset <= position) return false;
  v1::OutputGap* gap = event->mutable_gap();
  gap->set_attempt(attempt);
  gap->set_stream(stream);
  gap->set_offset(position);
  gap->set_size_bytes(offset - position);
  Advance(stream, offset);
  event->set_cursor(cursor_.SerializeAsString());
  return true;
}

bool JobWatch::Take(const v1::Output& output, v1::WatchEvent* event) {
  if (output.attempt() < cursor_.attempt()) return false;
  const int64_t position = Position(output.attempt(), output.stream());
  const int64_t known = std::max<int64_t>(position - output.offset(), 0);
  const int64_t size = static_cast<int64_t>(output.data().size());
  if (known >= size) return false;
  const int64_t part = std::min(size - known, kEventOutputBytesMax);
  v1::Output* taken = event->mutable_output();
  taken->set_attempt(output.attempt());
  taken->set_stream(output.stream());
  taken->set_offset(output.offset() + known);
  taken->set_data(output.data().data() + known, static_cast<size_t>(part));
  Advance(output.stream(), taken->offset() + part);
  event->set_cursor(cursor_.SerializeAsString());
  return true;
}

bool JobWatch::PassedOn(const v1::Output& output) {
  return Position(output.attempt(), output.stream()) >=
         output.offset() + static_cast<int64_t>(output.data().size());
}

bool JobWatch::Next(v1::WatchEvent* event) {
  event->Clear();
  if (!notices_.empty()) {
    vigil::ToProto(notices_.front(), event->mutable_notice());
    notices_.pop_front();
    event->set_cursor(cursor_.SerializeAsString());
    return true;
  }
  const bool final = job_ != nullptr && IsFinal(*job_);
  if (job_ != nullptr && (!final || outputs_.empty())) {
    *event->mutable_job() = *job_;
    event->set_cursor(cursor_.SerializeAsString());
    if (!final) job_ = nullptr;
    return true;
  }
  while (!outputs_.empty()) {
    const std::shared_ptr<const v1::Output> output = outputs_.front();
    if (TakeGap(output->attempt(), output->stream(), output->offset(), event)) {
      return true;  // the piece itself comes next
    }
    const bool taken = Take(*output, event);
    if (taken && !PassedOn(*output)) return true;
    outputs_.pop_front();
    output_bytes_ -= static_cast<int64_t>(output->data().size());
    if (taken) return true;
  }
  if (!final) return false;
  *event->mutable_job() = *job_;
  event->set_cursor(cursor_.SerializeAsString());
  return true;
}

}  // namespace vigil::coordinator
