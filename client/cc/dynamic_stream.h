// DynamicStream: an open stream of a method that is known by name only, with
// messages on either side; DynamicObserver: what is heard of it. Handles are
// thread-safe values that share one stream; the client it came from owns it to
// its end.
#ifndef VIGIL_CLIENT_CC_DYNAMIC_STREAM_H_
#define VIGIL_CLIENT_CC_DYNAMIC_STREAM_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace vigil::client {

// Called on threads of the library, maybe on several at the same time. None may
// be empty.
struct DynamicObserver {
  // A message came; the next one is read when Next() asks for it.
  std::function<void(std::shared_ptr<google::protobuf::Message>)> on_message;
  // What was given to Write() is on its way, and the next may follow. Not
  // called for a stream that cannot take it: on_end follows.
  std::function<void()> on_written;
  // The last call: nothing comes any more. OK, or the status of the stream, as
  // DynamicCalls has it.
  std::function<void(const absl::Status&)> on_end;
};

class DynamicStream {
 public:
  // What can be told to a stream; after its end nothing happens.
  class Control {
   public:
    virtual ~Control() = default;
    virtual void Write(const google::protobuf::Message& message) = 0;
    virtual void WritesDone() = 0;
    virtual void Next() = 0;
    virtual void Abandon() = 0;
  };

  explicit DynamicStream(std::shared_ptr<Control> control)
      : control_(std::move(control)) {}

  // Sends a message. One at a time: not before on_written of the one before.
  void Write(const google::protobuf::Message& message) {
    control_->Write(message);
  }
  // Says that there are no more; not before on_written either.
  void WritesDone() { control_->WritesDone(); }
  // Has the next message read, after on_message. The first is read by itself.
  void Next() { control_->Next(); }
  // Ends the stream soon, as CANCELLED.
  void Abandon() { control_->Abandon(); }

 private:
  std::shared_ptr<Control> control_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_DYNAMIC_STREAM_H_
