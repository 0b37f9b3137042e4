// EventLog: keeps events as lines of JSON in a file, written by a thread of its
// own, so that no disk ever holds up who adds them: beyond a bound, or when the
// disk does not take them, events are lost, counted, and that is said in the
// file and in the coordinator's log. Thread-safe; owns file and thread.
#ifndef VIGIL_COORDINATOR_TELEMETRY_EVENT_LOG_H_
#define VIGIL_COORDINATOR_TELEMETRY_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "coordinator/telemetry/event.pb.h"
#include "coordinator/telemetry/event_file.h"
#include "coordinator/telemetry/limits.h"

namespace vigil::coordinator {

class EventLog {
 public:
  // Opens the file; errors as EventFile::Open: show the message and do not
  // start. `queue_max` events may wait.
  static absl::StatusOr<std::unique_ptr<EventLog>> Open(
      EventFileOptions file, size_t queue_max = kEventQueueMax);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  // Writes what waits.
  ~EventLog();

  void Add(events::Event event);
  // Opens the file by its name again: somebody has moved it away.
  void Reopen();
  // Events that were not written, so far.
  int64_t lost() const;

 private:
  EventLog(EventFile file, size_t queue_max);
  void Run();
  // On the thread.
  void Write(const events::Event& event);
  bool Append(const events::Event& event, absl::Time now);
  // Says in the file how many events are missing, if any are.
  bool TellMissing(const events::Event& like);

  const size_t queue_max_;
  mutable absl::Mutex mutex_;
  std::deque<events::Event> queue_ ABSL_GUARDED_BY(mutex_);
  // Events that found the queue full, since it was last taken.
  int64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reopen_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;

  // Used on the thread only.
  EventFile file_;
  // Events that are not in the file, and when that was last logged.
  int64_t missing_ = 0;
  absl::Time loss_log_time_ = absl::InfinitePast();

  // Last: it uses the above.
  std::thread thread_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_EVENT_LOG_H_
