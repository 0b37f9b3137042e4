// BatchClient: makes batches, brings their items a few at a time, closes them,
// and cancels some; loses and takes up the streams of those that have one, and
// says again what a crash made unsaid. Thread-compatible; does not own the
// cluster nor the other clients.
#ifndef VIGIL_TESTS_SIM_BATCH_CLIENT_H_
#define VIGIL_TESTS_SIM_BATCH_CLIENT_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "base/ids.h"
#include "tests/sim/clients.h"
#include "tests/sim/cluster.h"

namespace vigil::sim {

class BatchClient {
 public:
  BatchClient(Cluster* cluster, Clients* clients)
      : cluster_(cluster), clients_(clients) {}

  // Makes batches until Stop, which closes those that are open.
  void Start();
  void Stop();

 private:
  // What it knows of a batch that has not ended.
  struct Session {
    bool streamed = false;
    // Items that it will bring, and has.
    int64_t items = 0;
    int64_t brought = 0;
    // Of a streamed one: its stream stands.
    bool connected = true;
  };

  void MakeNext();
  void Make();
  // Does the next thing for a batch, and comes again.
  void GoOn(const BatchId& id);
  void Bring(const BatchId& id, Session* session);
  void PlanCancel(const BatchId& id);
  void PlanCancelOfItem(const BatchId& id);
  void PlanLoss(const BatchId& id);
  void Connect(const BatchId& id);
  void WatchCoordinator();
  // Its streams ended with the coordinator that was: before anything is said on
  // them to the one that is.
  void NoticeRestart();

  Cluster* const cluster_;
  Clients* const clients_;
  bool stopped_ = false;
  int seen_lives_ = 1;
  absl::btree_map<BatchId, Session> sessions_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_BATCH_CLIENT_H_
