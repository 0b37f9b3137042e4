// main of the tests that run a whole worker.
#include "gmock/gmock.h"
#include "worker/loop/worker_loop.h"

int main(int argc, char** argv) {
  // Before gRPC starts threads: they inherit it.
  vigil::worker::WorkerLoop::BlockSignals();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
