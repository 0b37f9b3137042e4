// Operation: something a client has in flight, such as a call or a stream;
// OperationSet: all that one client has. Thread-safe. An operation is kept
// alive by its callbacks and, until it has told its end, by the set; it uses
// the client's channel only that long, because gRPC 1.51 aborts when a channel
// is destroyed on one of its own threads.
#ifndef VIGIL_CLIENT_CC_OPERATION_H_
#define VIGIL_CLIENT_CC_OPERATION_H_

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace vigil::client {

class Operation {
 public:
  virtual ~Operation() = default;
  // Ends it soon with CANCELLED; does not block. May come at any time, also
  // more than once and after the end.
  virtual void Abandon() = 0;
};

class OperationSet {
 public:
  // False when the set is closed: the operation must not begin.
  bool Add(std::shared_ptr<Operation> operation);

  // Called by an operation when it has told its end and freed what it had of
  // gRPC.
  void Remove(const Operation* operation);

  // Abandons every operation and blocks until each is removed.
  void Close();

 private:
  absl::Mutex mu_;
  bool closed_ = false;
  absl::flat_hash_map<const Operation*, std::shared_ptr<Operation>> live_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_OPERATION_H_
