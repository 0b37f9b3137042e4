// HeldBytes: a cap on what all connections together hold of messages that are
// on their way. Above it those that have not moved for longest are cut off, so
// that clients that stand still do not stop those that do not.
// Thread-compatible; owns nothing.
#ifndef VIGIL_COORDINATOR_HTTP_HELD_BYTES_H_
#define VIGIL_COORDINATOR_HTTP_HELD_BYTES_H_

#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"

namespace vigil::coordinator {

class HeldBytes {
 public:
  // Who holds something. It must call Set with 0 before it is gone.
  class Holder {
   public:
    virtual ~Holder() = default;
    // Lets go of everything, soon: it is called from within Set.
    virtual void Cut() = 0;
  };

  explicit HeldBytes(int64_t bytes_max) : bytes_max_(bytes_max) {}
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;

  // Notes that something of `holder` moved and how much it holds now. May cut
  // others, or `holder` itself when it holds too much alone; what is cut counts
  // no more.
  void Set(Holder* holder, int64_t bytes);

  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Holder* holder;
    int64_t bytes;
  };

  const int64_t bytes_max_;
  int64_t bytes_ = 0;
  // Those that moved last are at the end.
  std::list<Entry> entries_;
  absl::flat_hash_map<Holder*, std::list<Entry>::iterator> places_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_HELD_BYTES_H_
