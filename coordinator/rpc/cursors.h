// Where streams go on: the opaque bytes that clients were given and give back.
// Whatever they give, the result is a place that arithmetic can be done with,
// or an error. Pure functions, thread-safe.
#ifndef VIGIL_COORDINATOR_RPC_CURSORS_H_
#define VIGIL_COORDINATOR_RPC_CURSORS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/codec/stored_batch.pb.h"
#include "coordinator/codec/stored_job.pb.h"
#include "coordinator/engine/limits.h"
#include "vigil/v1/batch.pb.h"

namespace vigil::coordinator {

// The largest position in an output; no batch has as many results either.
inline constexpr int64_t kPositionMax = kOutputOffsetMax;

// Takes the cursor of a WatchEvent apart; an empty one is the beginning.
// INVALID_ARGUMENT: it is damaged, or belongs to another job.
absl::StatusOr<WatchCursor> ParseWatchCursor(const std::string& bytes,
                                             const std::string& job_id);

// INVALID_ARGUMENT: there is no such order.
absl::Status CheckOrder(v1::ResultOrder order);

// Where a stream goes on that was given this cursor of a BatchEvent; an empty
// one is the beginning. INVALID_ARGUMENT: it is damaged, or belongs to another
// batch (`batch_id`) or order; or there is no such order.
absl::StatusOr<int64_t> PositionOf(const std::string& cursor,
                                   v1::ResultOrder order,
                                   const std::string& batch_id);

// The cursor of a BatchEvent behind which the next result is at `position`, as
// BatchCursor counts.
std::string FormatBatchCursor(const std::string& batch_id,
                              v1::ResultOrder order, int64_t position);

// Takes a page token of ReadOutput apart, as ParseToken does.
// INVALID_ARGUMENT: it is damaged, or another request's.
absl::StatusOr<ReadOutputToken> ParseOutputToken(const std::string& text,
                                                 uint64_t request_hash);

// The page token of ListWorkers that goes on behind this session...
std::string FormatWorkersToken(const std::string& session_id);
// ...and the session that it holds; an empty one is the beginning.
// INVALID_ARGUMENT: it is damaged.
absl::StatusOr<std::string> ParseWorkersToken(const std::string& text);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_CURSORS_H_
