// WorkerTest: a worker's real loop with real slots, on a thread of its own,
// attached to a FakeCoordinator. Thread-compatible; owns both.
#ifndef VIGIL_WORKER_WORKER_FIXTURE_H_
#define VIGIL_WORKER_WORKER_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "worker/fake_coordinator.h"
#include "worker/loop/worker_loop.h"
#include "worker/stream/grpc_dispatch_stream.h"

namespace vigil::worker {

class WorkerTest : public testing::Test {
 protected:
  WorkerTest();
  // Ends the worker by SIGTERM if it still works.
  ~WorkerTest() override;

  // Starts the worker and waits until it is attached.
  void StartWorker(WorkerOptions options = {});
  // Waits until it ends by itself.
  WorkerExit Join();

  // A shell command as attempt 1 of `job`, with the clocks' defaults.
  static v1::Assignment Shell(const std::string& job,
                              const std::string& script);
  void Assign(const v1::Assignment& assignment);
  void Stop(const std::string& job, v1::Failure::Reason reason);
  // Waits until `job` wrote `text` to stdout, at least.
  void WaitForOutput(const std::string& job, const std::string& text);
  // Whether the process exists and is no zombie.
  static bool Alive(pid_t pid);
  // The number that `job` wrote in line `line` of its stdout.
  pid_t PidIn(const std::string& job, size_t line);

  FakeCoordinator coordinator_;

 private:
  std::unique_ptr<GrpcDispatchStream> stream_;
  std::optional<WorkerExit> exit_;
  std::thread thread_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_WORKER_FIXTURE_H_
