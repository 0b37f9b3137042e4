// CheckResult: whether a result is what its task type declares. A pure
// function, thread-safe.
#ifndef VIGIL_WORKER_LOOP_RESULT_CHECK_H_
#define VIGIL_WORKER_LOOP_RESULT_CHECK_H_

#include <optional>
#include <string>

#include "base/reason.h"
#include "vigil/v1/catalog.pb.h"

namespace vigil::worker {

// INVALID_RESULT, with what is wrong; nullopt if `result` is as `validator`
// says. Validators that this build does not know accept nothing.
std::optional<Failure> CheckResult(v1::TaskType::ResultValidator validator,
                                   const std::string& result);

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_RESULT_CHECK_H_
