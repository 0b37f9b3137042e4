// Batches between the core's values, the public API and the store's rows. Pure
// functions, thread-safe.
#ifndef VIGIL_COORDINATOR_CODEC_BATCH_CODEC_H_
#define VIGIL_COORDINATOR_CODEC_BATCH_CODEC_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/core/batch.h"
#include "coordinator/core/effects.h"
#include "coordinator/store/rows.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

// The batch as the API shows it.
v1::Batch ToProto(const Batch& batch);

// The policy of a resolved spec.
BatchPolicy PolicyOf(const v1::BatchSpec& spec, bool streamed);

// Moves what of a job is not part of its policy (command, arguments, input, the
// value of a fallback) out of `spec`.
v1::JobSpec TakeProgram(v1::JobSpec* spec);

// Why an item never became a job, as the API shows it.
void ToProto(const absl::Status& refusal, v1::BatchResult::Refusal* proto);

// The row to store for `batch`, of which `proto` is the public form.
store::BatchRow EncodeBatchRow(const Batch& batch, const v1::Batch& proto);

// The batch of a live row, without its jobs. DATA_LOSS: the value is damaged.
absl::StatusOr<std::unique_ptr<Batch>> DecodeBatchRow(
    const store::BatchRow& row);

// The public form of a row, live or ended. DATA_LOSS: the value is damaged.
struct StoredBatchView {
  v1::Batch batch;
  uint64_t request_hash = 0;
  bool streamed = false;
};
absl::StatusOr<StoredBatchView> ViewBatchRow(const store::BatchRow& row);

// The row of an item that ended.
store::ItemRow EncodeItemEnd(const ItemEnd& end);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_BATCH_CODEC_H_
