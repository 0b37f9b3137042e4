// BatchStream: the handle of a batch that is run. A cheap value that may be
// copied, and dropped without any effect on the stream. Thread-safe; it may
// outlive the client, and then does nothing.
#ifndef VIGIL_CLIENT_CC_BATCH_STREAM_H_
#define VIGIL_CLIENT_CC_BATCH_STREAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "client/cc/stream_control.h"
#include "vigil/v1/batch.pb.h"

namespace vigil::client {

// What such a stream can be told beside that.
class BatchStreamControl : public StreamControl {
 public:
  virtual void Add(v1::BatchItem item) = 0;
  virtual void Close() = 0;
  virtual int64_t held_items() const = 0;
  virtual int64_t held_bytes() const = 0;
};

class BatchStream {
 public:
  // A handle of nothing: all calls do nothing.
  BatchStream() = default;
  explicit BatchStream(std::shared_ptr<BatchStreamControl> control)
      : control_(std::move(control)) {}

  // Gives the batch one more item, the next in order, and returns at once. It
  // is held until the coordinator has accepted it: add more only while few are
  // held. Precondition: Close was not called.
  void Add(v1::BatchItem item) {
    if (control_) control_->Add(std::move(item));
  }

  // Says that there are no more items.
  void Close() {
    if (control_) control_->Close();
  }

  // Items that were added and are not known to be accepted; and about how many
  // bytes they have.
  int64_t held_items() const { return control_ ? control_->held_items() : 0; }
  int64_t held_bytes() const { return control_ ? control_->held_bytes() : 0; }

  // Asks for the end of the batch and returns at once. The stream goes on:
  // on_end tells when the batch has ended and the processes of its jobs are
  // proved dead. A wish made before the batch is known to be accepted is sent
  // when it is.
  void Cancel() {
    if (control_) control_->Cancel();
  }

  // Stops the stream and returns at once; on_end is called with CANCELLED
  // unless the batch has ended before. The coordinator stops the batch 10 s
  // later.
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
  std::string batch_id() const {
    return control_ ? control_->id() : std::string();
  }

 private:
  std::shared_ptr<BatchStreamControl> control_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BATCH_STREAM_H_
