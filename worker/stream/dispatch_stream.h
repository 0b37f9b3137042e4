// DispatchStream: the worker's stream to its coordinator as two mailboxes, so
// that the loop sees no gRPC. All calls are for the loop thread and none
// blocks; an implementation has a thread of its own on the other side. Owned by
// the caller of the loop.
#ifndef VIGIL_WORKER_STREAM_DISPATCH_STREAM_H_
#define VIGIL_WORKER_STREAM_DISPATCH_STREAM_H_

#include <cstddef>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "vigil/v1/dispatch_service.pb.h"

namespace vigil::worker {

// The stream opened last came to its end, or never began. Always the last event
// of a stream. The status is the coordinator's, or UNAVAILABLE.
struct StreamLost {
  absl::Status status;
};

using StreamEvent = std::variant<v1::AttachResponse, StreamLost>;

class DispatchStream {
 public:
  virtual ~DispatchStream() = default;

  // Closes the stream that is open, if any, and opens a new one with `request`
  // as its first message. From now on events are those of the new stream.
  virtual void Open(v1::AttachRequest request) = 0;

  // Sends on the stream that is open; dropped if it is lost meanwhile.
  virtual void Send(v1::AttachRequest request) = 0;

  // Closes the stream without an event.
  virtual void Close() = 0;

  // Bytes given to Send and not yet written.
  virtual size_t backlog_bytes() const = 0;

  // Readable when TakeEvents has something, and when the backlog has become
  // empty. Reset by TakeEvents.
  virtual int event_fd() const = 0;
  virtual std::vector<StreamEvent> TakeEvents() = 0;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_STREAM_DISPATCH_STREAM_H_
