// The bounds of a task type's policies: its clocks, retries, signs of life, and
// what it may have beside its own process. Pure functions, thread-safe; they
// own nothing.
#ifndef VIGIL_BASE_CATALOG_POLICY_CHECK_H_
#define VIGIL_BASE_CATALOG_POLICY_CHECK_H_

#include <string>
#include <vector>

#include "base/catalog_problem.h"
#include "google/protobuf/duration.pb.h"
#include "vigil/v1/catalog.pb.h"
#include "vigil/v1/policy.pb.h"

namespace vigil {

// A duration that is `set` must be positive and at most 24 h.
Problem CheckTimeout(std::vector<std::string> field, bool set,
                     const google::protobuf::Duration& value);

Problem CheckTimeouts(const v1::Timeouts& timeouts);
Problem CheckRetry(const v1::RetryPolicy& retry);
Problem CheckChunks(const v1::ChunkPolicy& chunks);
Problem CheckActivity(const v1::ActivityPolicy& activity);

// on_nested_pool, max_processes, max_threads, max_rss_bytes and
// stack_dump_signal, as job.proto states them. `type.retry` is valid.
Problem CheckNesting(const v1::TaskType& type);

// What is wrong with an RE2 pattern; empty if nothing.
std::string PatternProblem(const std::string& pattern);

}  // namespace vigil

#endif  // VIGIL_BASE_CATALOG_POLICY_CHECK_H_
