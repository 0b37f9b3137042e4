// JobStream: the handle of a job that is run or watched. A cheap value that
// may be copied, and dropped without any effect on the stream. Thread-safe; it
// may outlive the client, and then does nothing.
#ifndef VIGIL_CLIENT_CC_JOB_STREAM_H_
#define VIGIL_CLIENT_CC_JOB_STREAM_H_

#include <memory>
#include <string>
#include <utility>

#include "client/cc/stream_control.h"

namespace vigil::client {

class JobStream {
 public:
  // A handle of nothing: all calls do nothing.
  JobStream() = default;
  explicit JobStream(std::shared_ptr<StreamControl> control)
      : control_(std::move(control)) {}

  // Asks for the end of the job and returns at once. The stream goes on: on_end
  // tells when the job has ended and its processes are proved dead. A wish
  // made before the job is known to be accepted is sent when it is.
  void Cancel() {
    if (control_) control_->Cancel();
  }

  // Stops watching and returns at once; on_end is called with CANCELLED unless
  // the job has ended before. A job that was started by RunJob is cancelled by
  // the coordinator if its request says so (on_disconnect).
  void Abandon() {
    if (control_) control_->Abandon();
  }

  // With StreamOptions::Reading::kOnDemand: has the next event read. To be
  // called once for each event that came, at any time after it began to be
  // told.
  void ReadNext() {
    if (control_) control_->ReadNext();
  }

  // Empty until the coordinator has said it.
  std::string job_id() const {
    return control_ ? control_->id() : std::string();
  }

 private:
  std::shared_ptr<StreamControl> control_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_JOB_STREAM_H_
