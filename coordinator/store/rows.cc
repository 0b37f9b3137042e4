#include "coordinator/store/rows.h"

namespace vigil::store {

int64_t Batch::SizeBytes() const {
  // A cell header, the entries in the indexes, and numbers.
  constexpr int64_t kRowBytes = 64;
  int64_t bytes = 0;
  for (const JobRow& row : jobs) {
    bytes += kRowBytes + row.job_id.size() + row.namespace_id.size() +
             row.request_id.size() + row.value.size();
  }
  for (const BatchRow& row : batches) {
    bytes += kRowBytes + row.batch_id.size() + row.namespace_id.size() +
             row.request_id.size() + row.value.size();
  }
  for (const ItemRow& row : items) {
    bytes += kRowBytes + row.batch_id.size() + row.value.size();
  }
  for (const BlobRow& row : payloads) {
    bytes += kRowBytes + row.job_id.size() + row.value.size();
  }
  for (const BlobRow& row : results) {
    bytes += kRowBytes + row.job_id.size() + row.value.size();
  }
  for (const OutputRow& row : output) {
    bytes += kRowBytes + row.job_id.size() + row.data.size();
  }
  for (const OutputTrim& trim : trims) {
    bytes += kRowBytes + trim.job_id.size();
  }
  for (const MetaRow& row : meta) {
    bytes += kRowBytes + row.key.size() + (row.value ? row.value->size() : 0);
  }
  return bytes;
}

}  // namespace vigil::store
