// StoreReader: a thread that reads the store beside the store thread, so that
// lists and old jobs cost the loop nothing. Thread-safe. Owns its thread and
// its connection; what is handed to Run is run on that thread and then
// destroyed there.
#ifndef VIGIL_COORDINATOR_STORE_STORE_READER_H_
#define VIGIL_COORDINATOR_STORE_STORE_READER_H_

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/store/store_view.h"

namespace vigil::store {

class StoreReader {
 public:
  explicit StoreReader(std::unique_ptr<StoreView> view);
  StoreReader(const StoreReader&) = delete;
  StoreReader& operator=(const StoreReader&) = delete;

  // Runs what is queued, then ends the thread.
  ~StoreReader();

  // Queues `read`, to be run in order; does not block. It should make a few
  // calls of StoreView and hand on what they return. False when
  // kQueuedReadsMax wait already: `read` is dropped; answer RESOURCE_EXHAUSTED.
  [[nodiscard]] bool Run(std::function<void(StoreView&)> read);

 private:
  void Loop();

  const std::unique_ptr<StoreView> view_;
  absl::Mutex mutex_;
  std::deque<std::function<void(StoreView&)>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: it uses all of the above.
  std::thread thread_;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_STORE_READER_H_
