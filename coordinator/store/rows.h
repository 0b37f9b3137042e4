// The rows of the store and Batch, the unit in which they are written: key
// columns that the store searches by, and values it does not look into.
// Thread-compatible. Plain values that own their bytes.
#ifndef VIGIL_COORDINATOR_STORE_ROWS_H_
#define VIGIL_COORDINATOR_STORE_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace vigil::store {

// A job without what is large. Written again at every change; small, so that a
// change is cheap.
struct JobRow {
  // Sorts by time of creation.
  std::string job_id;
  // Set by the first write of a job; later writes do not change it.
  std::string namespace_id;
  int state = 0;
  // Absent while the job is live. Kept to the nanosecond.
  std::optional<absl::Time> end_time;
  // Empty, or unique in its namespace. Set by the first write of a job.
  std::string request_id;
  std::string value;

  bool operator==(const JobRow&) const = default;
};

// A batch of jobs, without its items. Written again at every change.
struct BatchRow {
  // Sorts by time of creation; no job has the same id.
  std::string batch_id;
  // Set by the first write of a batch; later writes do not change it.
  std::string namespace_id;
  // Absent while the batch is live.
  std::optional<absl::Time> end_time;
  // Empty, or unique among the batches of its namespace. Set by the first
  // write.
  std::string request_id;
  std::string value;

  bool operator==(const BatchRow&) const = default;
};

// An item of a batch: what it asks for while it waits, how it ended afterwards.
// An item that is a job has either the former or no row.
struct ItemRow {
  std::string batch_id;
  int64_t index = 0;
  // 1, 2, 3... in order of ends; absent while it waits.
  std::optional<int64_t> end_number;
  std::string value;

  bool operator==(const ItemRow&) const = default;
};

// A large value that belongs to a job or batch: its payload, written once
// together with the job's first row, or its result, written when it is known
// and replaced if written again.
struct BlobRow {
  std::string job_id;
  std::string value;
};

// A piece of output of an attempt.
struct OutputRow {
  std::string job_id;
  int32_t attempt = 0;
  // Order of arrival within the job; grows from attempt to attempt. Unique
  // within the attempt.
  int64_t seq = 0;
  int stream = 0;
  // Position of the first byte in that stream of that attempt.
  int64_t offset = 0;
  std::string data;

  bool operator==(const OutputRow&) const = default;
};

// Rows of output to drop: `seq_from` to `seq_to`, both included.
struct OutputTrim {
  std::string job_id;
  int32_t attempt = 0;
  int64_t seq_from = 0;
  int64_t seq_to = 0;
};

// A fact about the coordinator itself, by name.
struct MetaRow {
  std::string key;
  // Absent removes the key.
  std::optional<std::string> value;
};

// Where a piece of output lies, without its bytes.
struct OutputIndexRow {
  int32_t attempt = 0;
  int64_t seq = 0;
  int stream = 0;
  int64_t offset = 0;
  int64_t size_bytes = 0;

  bool operator==(const OutputIndexRow&) const = default;
};

// What retention removed.
struct DeletedJob {
  std::string job_id;
  std::string namespace_id;
  std::string request_id;

  bool operator==(const DeletedJob&) const = default;
};

// Changes that become durable together or not at all.
struct Batch {
  // At most one row per job: the latest state is all that counts.
  std::vector<JobRow> jobs;
  // These two are replaced if written again.
  std::vector<BatchRow> batches;
  std::vector<ItemRow> items;
  std::vector<BlobRow> payloads;
  std::vector<BlobRow> results;
  std::vector<OutputRow> output;
  // Applied after `output`.
  std::vector<OutputTrim> trims;
  std::vector<MetaRow> meta;

  bool empty() const {
    return jobs.empty() && batches.empty() && items.empty() &&
           payloads.empty() && results.empty() && output.empty() &&
           trims.empty() && meta.empty();
  }

  // About what writing it costs: keys, values and a fixed cost per row.
  int64_t SizeBytes() const;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_ROWS_H_
