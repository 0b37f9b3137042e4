// SeenJob, SeenBatch: what the doctor saw of a job and of a batch, and when.
// Values, thread-compatible; the handles own nothing.
#ifndef VIGIL_CLIENT_CLI_SEEN_H_
#define VIGIL_CLIENT_CLI_SEEN_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cc/batch_stream.h"
#include "client/cc/job_stream.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::cli {

struct SeenJob {
  absl::Time submit_time;
  // Absent until the first output came.
  std::optional<absl::Time> first_output_time = {};
  // What it wrote to stdout.
  std::string output = {};
  // As last seen; without an id until the coordinator has accepted it.
  v1::Job job = {};
  // Absent until the last event came.
  std::optional<absl::Time> end_time = {};
  // Why nothing is known of its end; OK: `job` is it, if there is an end_time.
  absl::Status error = {};
  client::JobStream stream = {};
};

struct SeenBatch {
  struct Result {
    absl::Time time;
    v1::BatchResult result = {};
  };
  absl::Time submit_time;
  // As they came.
  std::vector<Result> results = {};
  // The last state of the batch, and as with a job.
  v1::Batch batch = {};
  std::optional<absl::Time> end_time = {};
  absl::Status error = {};
  client::BatchStream stream = {};
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_SEEN_H_
