// CheckTaskType: the bounds of catalog.proto and policy.proto on one task type.
// A pure function, thread-safe; owns nothing.
#ifndef VIGIL_BASE_CATALOG_CHECK_H_
#define VIGIL_BASE_CATALOG_CHECK_H_

#include "base/catalog_problem.h"
#include "vigil/v1/catalog.pb.h"

namespace vigil {

// Returns the first problem of `type`, or nullopt when it is valid by itself.
Problem CheckTaskType(const v1::TaskType& type);

}  // namespace vigil

#endif  // VIGIL_BASE_CATALOG_CHECK_H_
