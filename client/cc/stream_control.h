// StreamControl: what the handle of a job's or batch's stream can tell it;
// implemented by the library. Thread-safe. Shared by all handles of the stream;
// it may outlive the client, and then does nothing.
#ifndef VIGIL_CLIENT_CC_STREAM_CONTROL_H_
#define VIGIL_CLIENT_CC_STREAM_CONTROL_H_

#include <string>

namespace vigil::client {

class StreamControl {
 public:
  virtual ~StreamControl() = default;
  // Of the job or batch.
  virtual void Cancel() = 0;
  virtual void Abandon() = 0;
  virtual void ReadNext() = 0;
  // Of the job or batch; empty until it is known.
  virtual std::string id() const = 0;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_STREAM_CONTROL_H_
