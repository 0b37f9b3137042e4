// Strong types for the identifiers that travel through Vigil, so that a job id
// is never taken for a worker id. Values are opaque text of at most 64
// characters. Thread-compatible values.
#ifndef VIGIL_BASE_IDS_H_
#define VIGIL_BASE_IDS_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace vigil {

template <typename Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}

  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  std::string value_;
};

// A job. Sorts by time of submission.
using JobId = Id<struct JobIdTag>;
// A batch. Sorts by time of creation; no job has the same id.
using BatchId = Id<struct BatchIdTag>;
// A worker: random, kept in its data directory.
using WorkerId = Id<struct WorkerIdTag>;
// One life of a worker.
using SessionId = Id<struct SessionIdTag>;

// One try at a job. `number` is the fence: it grows with each attempt.
struct AttemptId {
  JobId job_id;
  int number = 0;

  friend bool operator==(const AttemptId&, const AttemptId&) = default;
  friend auto operator<=>(const AttemptId&, const AttemptId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const AttemptId& id) {
    return H::combine(std::move(h), id.job_id, id.number);
  }
};

}  // namespace vigil

#endif  // VIGIL_BASE_IDS_H_
