// FakeCoordinator: the coordinator's end of the workers' stream, for tests:
// records what a worker says and says what the test wants. Thread-safe; owns
// its server, which listens on a unix socket.
#ifndef VIGIL_WORKER_FAKE_COORDINATOR_H_
#define VIGIL_WORKER_FAKE_COORDINATOR_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "vigil/v1/dispatch_service.grpc.pb.h"
#include "vigil/v1/dispatch_service.pb.h"

namespace vigil::worker {

class FakeCoordinator final : public v1::DispatchService::Service {
 public:
  struct Behaviour {
    absl::Duration lease = absl::Seconds(30);
    absl::Duration heartbeat_interval = absl::Milliseconds(50);
    // Whether an Attach is answered; otherwise its stream hangs.
    bool answer_attach = true;
    bool answer_heartbeats = true;
    bool acknowledge_output = true;
    bool acknowledge_ends = true;
    // Whether what an Attach lists as running is to be killed.
    bool kill_running = false;
    // Answers an Attach with this instead, once.
    grpc::Status refuse_attach;
  };

  // What was received on one stream.
  struct Stream {
    v1::Attach attach;
    std::vector<v1::AttemptUpdate> updates;
    std::vector<v1::AttemptOutput> output;
    std::vector<v1::AttemptEnd> ends;
    // For each end, how many pieces of output came before it.
    std::vector<size_t> output_before_end;
    int64_t heartbeats = 0;
    // What the worker said of its leaving.
    bool draining = false;
    bool left = false;
  };

  FakeCoordinator();
  ~FakeCoordinator() override;

  const std::string& address() const { return address_; }
  void Behave(absl::FunctionRef<void(Behaviour&)> change);

  // Sends on the newest stream.
  void Send(const v1::AttachResponse& response);
  // Cuts the newest stream, if it is still there.
  void Cut();

  // Waits until `done` holds of all streams so far; fails the test after a
  // generous time.
  void WaitUntil(const char* what,
                 absl::FunctionRef<bool(const std::vector<Stream>&)> done);
  std::vector<Stream> streams();

  // The end of `job`, waiting for it.
  v1::AttemptEnd WaitForEnd(const std::string& job);
  // What `job` wrote to `stream`, as far as received, duplicates left out.
  std::string Output(const std::string& job, v1::Output::Stream stream);

  grpc::Status Attach(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::AttachResponse, v1::AttachRequest>* stream)
      override;

 private:
  using Connection =
      grpc::ServerReaderWriter<v1::AttachResponse, v1::AttachRequest>;

  v1::AttachResponse Record(size_t index, const v1::AttachRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  Behaviour behaviour_ ABSL_GUARDED_BY(mutex_);
  std::vector<Stream> streams_ ABSL_GUARDED_BY(mutex_);
  // The newest stream; null when it ended.
  Connection* connection_ ABSL_GUARDED_BY(mutex_) = nullptr;
  grpc::ServerContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Bytes received of each job's attempt, for acknowledgements.
  std::map<std::string, int64_t> total_bytes_ ABSL_GUARDED_BY(mutex_);

  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_FAKE_COORDINATOR_H_
