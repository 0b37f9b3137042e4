// BatchWatch: the handle of a batch that is watched. A cheap value that may be
// copied, and dropped without any effect on the stream. Thread-safe; it may
// outlive the client, and then does nothing.
#ifndef VIGIL_CLIENT_CC_BATCH_WATCH_H_
#define VIGIL_CLIENT_CC_BATCH_WATCH_H_

#include <memory>
#include <string>
#include <utility>

#include "client/cc/stream_control.h"

namespace vigil::client {

class BatchWatch {
 public:
  // A handle of nothing: all calls do nothing.
  BatchWatch() = default;
  explicit BatchWatch(std::shared_ptr<StreamControl> control)
      : control_(std::move(control)) {}

  // Asks for the end of the batch and returns at once. The stream goes on:
  // on_end tells when the batch has ended and the processes of its jobs are
  // proved dead.
  void Cancel() {
    if (control_) control_->Cancel();
  }

  // Stops watching and returns at once; on_end is called with CANCELLED unless
  // the batch has ended before. The batch goes on.
  void Abandon() {
    if (control_) control_->Abandon();
  }

  // With StreamOptions::Reading::kOnDemand: has the next event read. To be
  // called once for each event that came, at any time after it began to be
  // told.
  void ReadNext() {
    if (control_) control_->ReadNext();
  }

  // As in the request.
  std::string batch_id() const {
    return control_ ? control_->id() : std::string();
  }

 private:
  std::shared_ptr<StreamControl> control_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BATCH_WATCH_H_
