#include "coordinator/telemetry/event_log.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/wire/time_wire.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::coordinator {

absl::StatusOr<std::unique_ptr<EventLog>> EventLog::Open(
    EventFileOptions options, size_t queue_max) {
  EventFile file(std::move(options));
  if (absl::Status status = file.Open(); !status.ok()) return status;
  return std::unique_ptr<EventLog>(new EventLog(std::move(file), queue_max));
}

EventLog::EventLog(EventFile file, size_t queue_max)
    : queue_max_(queue_max),
      file_(std::move(file)),
      thread_([this] { Run(); }) {}

EventLog::~EventLog() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.join();
}

void EventLog::Add(events::Event event) {
  absl::MutexLock lock(&mutex_);
  if (queue_.size() >= queue_max_) {
    ++dropped_;
    ++lost_;
    return;
  }
  queue_.push_back(std::move(event));
}

void EventLog::Reopen() {
  absl::MutexLock lock(&mutex_);
  reopen_ = true;
}

int64_t EventLog::lost() const {
  absl::MutexLock lock(&mutex_);
  return lost_;
}

void EventLog::Run() {
  for (;;) {
    std::deque<events::Event> events;
    int64_t dropped = 0;
    bool reopen = false;
    bool stop = false;
    {
      absl::MutexLock lock(&mutex_);
      const auto due = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return !queue_.empty() || reopen_ || stop_;
      };
      mutex_.Await(absl::Condition(&due));
      events = std::exchange(queue_, {});
      dropped = std::exchange(dropped_, 0);
      reopen = std::exchange(reopen_, false);
      stop = stop_;
    }
    if (reopen) {
      if (absl::Status status = file_.Open(); !status.ok()) {
        Log(LogSeverity::kError,
            absl::StrCat(status.message(), "; the old file is written on"));
      }
    }
    for (const events::Event& event : events) Write(event);
    // These came last.
    missing_ += dropped;
    if (!events.empty()) TellMissing(events.back());
    if (stop) return;
  }
}

void EventLog::Write(const events::Event& event) {
  if (TellMissing(event) && Append(event, FromProto(event.time()))) return;
  ++missing_;
  absl::MutexLock lock(&mutex_);
  ++lost_;
}

bool EventLog::TellMissing(const events::Event& like) {
  if (missing_ == 0) return true;
  events::Event event;
  *event.mutable_time() = like.time();
  event.mutable_events_dropped()->set_events(static_cast<int32_t>(
      std::min<int64_t>(missing_, std::numeric_limits<int32_t>::max())));
  if (!Append(event, FromProto(like.time()))) return false;
  Log(LogSeverity::kWarning,
      absl::StrCat("the event log lacks ", missing_, " events"));
  missing_ = 0;
  return true;
}

bool EventLog::Append(const events::Event& event, absl::Time now) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  if (!google::protobuf::util::MessageToJsonString(event, &line, options)
           .ok()) {
    return false;
  }
  line.push_back('\n');
  const absl::Status status = file_.Append(line);
  if (status.ok()) return true;
  if (now - loss_log_time_ >= kEventLossLogInterval) {
    loss_log_time_ = now;
    Log(LogSeverity::kError,
        absl::StrCat(status.message(), "; events are lost"));
  }
  return false;
}

}  // namespace vigil::coordinator
