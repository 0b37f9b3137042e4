// JobObserver: what the one who runs or watches a job is told while it goes
// on. The functions are called on the library's threads, one at a time and in
// order; the next event is read only when the last call has returned, so a slow
// observer slows the stream down and loses nothing. Owned by the stream until
// on_end has returned; nothing is called after that.
#ifndef VIGIL_CLIENT_CC_JOB_OBSERVER_H_
#define VIGIL_CLIENT_CC_JOB_OBSERVER_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vigil/v1/failure.pb.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/output.pb.h"

namespace vigil::client {

// Each may be empty, and then what it would be told is dropped. A call that
// blocks long holds up other streams of the process too.
struct JobObserver {
  // Every event as it came, before the function for its kind. Its cursor, if it
  // has one, lets another process go on behind it: WatchJobRequest.cursor.
  std::function<void(const v1::WatchEvent& event)> on_event;
  // The job as it is now: first of all, and after each change. After a
  // reconnection the same state may be told twice.
  std::function<void(const v1::Job& job)> on_job;
  // A piece of output. No byte comes twice.
  std::function<void(const v1::Output& output)> on_output;
  // Output that does not come, because it is not kept any more or this reader
  // was behind.
  std::function<void(const v1::OutputGap& gap)> on_gap;
  // Something for a person to see at once.
  std::function<void(const v1::Failure& notice)> on_notice;
  // The stream broke by `error` and is resumed after `wait`.
  std::function<void(const absl::Status& error, absl::Duration wait)> on_retry;
  // The last call, always made: the job in its final state, or why no more is
  // known of it.
  //
  // - UNAVAILABLE: the coordinator could not be reached for as long as the
  //   options say. The job may go on; ask for it later.
  // - CANCELLED: the watching was abandoned, by the caller or because the
  //   client went away.
  // - NOT_FOUND: the coordinator does not know the job (any more).
  // - Others: as RunJob and WatchJob of job_service.proto.
  std::function<void(absl::StatusOr<v1::Job> job)> on_end;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_JOB_OBSERVER_H_
