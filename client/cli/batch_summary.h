// BatchSummary: counts how the items of a batch ended, and writes it down: a
// line of JSON per item, a table at the end, the failures by name. Pure;
// thread-compatible.
#ifndef VIGIL_CLIENT_CLI_BATCH_SUMMARY_H_
#define VIGIL_CLIENT_CLI_BATCH_SUMMARY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/format.h"
#include "client/cli/item_splitter.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::cli {

// How one item ended.
struct ItemResult {
  Item item;
  // Set if it became a job and that job's end is known: `job` says it all.
  bool has_job = false;
  v1::Job job;
  // Otherwise: REFUSED or UNKNOWN, a short reason, and what was said.
  std::string state;
  std::string reason;
  std::string message;
};

// How the item ended of which a coordinator says this.
ItemResult ResultOf(Item item, v1::BatchResult said);

// The item as results show it: escaped where it is not text.
std::string ItemText(const Item& item);

class BatchSummary {
 public:
  // `expected` are the reasons of failed jobs that count as well ended.
  explicit BatchSummary(std::set<v1::Failure::Reason> expected)
      : expected_(std::move(expected)) {}

  // Whether a failure is named at the end: not where the user asked for it.
  enum class Listing { kNamed, kCountedOnly };
  void Add(const ItemResult& result, Listing listing = Listing::kNamed);

  int64_t done() const { return done_; }
  // Neither succeeded nor failed as expected.
  int64_t failed() const { return failed_; }

  // The table by state and reason, then one line with retries, wall time and
  // rate. Lines for a person, the last one ended.
  std::string Table(absl::Duration wall_time) const;

  // The first failures by name, and how many more there are. Empty: none.
  std::string Failures() const;

 private:
  bool IsExpected(const ItemResult& result) const;

  const std::set<v1::Failure::Reason> expected_;
  int64_t done_ = 0;
  int64_t failed_ = 0;
  // Of those, the ones to be named.
  int64_t named_ = 0;
  int64_t retries_ = 0;
  int64_t retried_jobs_ = 0;
  // By state, reason and what there is to say of it: "as expected", "degraded",
  // "truncated".
  std::map<std::tuple<std::string, std::string, std::string>, int64_t> rows_;
  // At most kFailuresListedMax.
  std::vector<std::string> failures_;
};

// The result as one line of JSON, ended: index, item, job_id, state, reason,
// message, attempts, exit_status or signal, duration_seconds, result (as
// result_base64 where it is not UTF-8).
std::string ItemJson(const ItemResult& result);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_BATCH_SUMMARY_H_
