// Jobs between the core's values, the public API and the store's rows. Pure
// functions, thread-safe; RowDecoder alone has state, and says so.
#ifndef VIGIL_COORDINATOR_CODEC_JOB_CODEC_H_
#define VIGIL_COORDINATOR_CODEC_JOB_CODEC_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/codec/policy_pool.h"
#include "coordinator/codec/stored_job.pb.h"
#include "coordinator/core/job.h"
#include "coordinator/store/rows.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

// The job as the API shows it. `waiting` is what it waits for.
v1::Job ToProto(const Job& job, WaitingReason waiting);

// One attempt as the API shows it.
void ToProto(const AttemptRecord& attempt, v1::Attempt* proto);

// The row to store for `job`.
store::JobRow EncodeRow(const Job& job);

// Makes jobs of live rows. Rows that are much alike cost little: a coordinator
// that starts has a million of them. Thread-compatible; does not own the pool.
class RowDecoder {
 public:
  explicit RowDecoder(PolicyPool* pool) : pool_(pool) {}

  // DATA_LOSS: the value is damaged.
  absl::StatusOr<std::unique_ptr<Job>> Decode(const store::JobRow& row);

 private:
  std::shared_ptr<const JobPolicy> PolicyOf();

  PolicyPool* const pool_;
  // The row at hand; what it has allocated serves the next one.
  StoredJob stored_;
  std::string spec_;
  // Of the row before.
  std::string last_spec_;
  std::shared_ptr<const JobPolicy> last_policy_;
};

// The public form of a row, live or ended, and what is stored with it beside:
// the request hash, and how much the job left as its result (absent: nothing).
// DATA_LOSS: the value is damaged.
struct StoredJobView {
  v1::Job job;
  uint64_t request_hash = 0;
  std::optional<int64_t> result_bytes;
};
absl::StatusOr<StoredJobView> ViewRow(const store::JobRow& row);

// Shows what an ended job left as its result or partial result, whichever it
// is. `bytes` is what the store has of it: a result, or of a degraded job its
// program (as Engine::CachedPayload has it), in which its fallback lies.
void SetResult(std::string bytes, v1::Job* job);

// First 8 bytes of SHA-256 of `bytes`; stable across builds and machines.
uint64_t StableHash(const std::string& bytes);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_JOB_CODEC_H_
