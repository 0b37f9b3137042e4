// What `vigil worker` asks of workers; see WorkerRound. For the main thread,
// but where Question says otherwise; owns nothing.
#ifndef VIGIL_CLIENT_CLI_WORKER_QUESTIONS_H_
#define VIGIL_CLIENT_CLI_WORKER_QUESTIONS_H_

#include <memory>
#include <string>

#include "client/cli/worker_round.h"

namespace vigil::cli {

// To remove what the warm-up of a task type left.
std::unique_ptr<WorkerRound::Question> ClearCacheQuestion(
    std::string task_type);

// To kill what earlier lives of the worker left, or only to list it.
enum class SweepMode { kKill, kDryRun };
std::unique_ptr<WorkerRound::Question> SweepQuestion(SweepMode mode);

// To leave, or to get no more work, or to get it again.
std::unique_ptr<WorkerRound::Question> DrainQuestion(
    v1::DrainWorkerRequest request);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WORKER_QUESTIONS_H_
