// GrpcDispatchStream: the DispatchStream over gRPC: one thread that polls a
// completion queue. Loop thread only; messages cross to the thread under a
// mutex, and it is woken by an alarm. Owns the thread, which ends with it.
#ifndef VIGIL_WORKER_STREAM_GRPC_DISPATCH_STREAM_H_
#define VIGIL_WORKER_STREAM_GRPC_DISPATCH_STREAM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "worker/stream/dispatch_stream.h"

namespace vigil::worker {

class GrpcDispatchStream : public DispatchStream {
 public:
  // `address` is `unix:/path` or `host:port`. Fails with what errno says when
  // descriptors are short.
  static absl::StatusOr<std::unique_ptr<GrpcDispatchStream>> Create(
      const std::string& address);

  // Closes the stream and joins the thread; blocks for milliseconds.
  ~GrpcDispatchStream() override;

  void Open(v1::AttachRequest request) override;
  void Send(v1::AttachRequest request) override;
  void Close() override;
  size_t backlog_bytes() const override;
  int event_fd() const override;
  std::vector<StreamEvent> TakeEvents() override;

 private:
  // Keeps gRPC's headers, which are slow to compile, out of this one.
  class Thread;

  explicit GrpcDispatchStream(std::unique_ptr<Thread> thread);

  std::unique_ptr<Thread> thread_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_STREAM_GRPC_DISPATCH_STREAM_H_
