// What `vigil watch` says of a job and of the items of a batch. Pure functions,
// thread-safe; nothing is kept.
#ifndef VIGIL_CLIENT_CLI_WATCH_FORMAT_H_
#define VIGIL_CLIENT_CLI_WATCH_FORMAT_H_

#include <cstdint>
#include <string>

#include "client/cli/batch_summary.h"
#include "client/cli/progress_bar.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/job.pb.h"

namespace vigil::cli {

// Where the job is, as one line: "job j RUNNING: attempt 1 on w, ACTIVE". Empty
// where something else tells it: a retry, and an end that is no success.
std::string JobLine(const v1::Job& job);

// A result of a batch as its summary counts it. Items count from 1.
ItemResult ItemOf(v1::BatchResult result);

// "item 3: job j FAILED: NONZERO_EXIT: exit status 1".
std::string ItemLine(const ItemResult& item);

// How far a batch is; without its rate.
BatchProgress ProgressOf(const v1::Batch& batch);

// Items of the batch that have their outcome.
int64_t OutcomesOf(const v1::BatchCounts& counts);

// What is said of a batch that has ended, behind its table: why it was stopped,
// if it was.
std::string BatchEnd(const v1::Batch& batch);

// Whether every item succeeded.
bool AllSucceeded(const v1::Batch& batch);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WATCH_FORMAT_H_
