// CheckTaskType: the bounds of catalog.proto and policy.proto on one task type.
// A pure function, thread-safe.
#ifndef VIGIL_BASE_CATALOG_CHECK_H_
#define VIGIL_BASE_CATALOG_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "vigil/v1/catalog.pb.h"

namespace vigil {

struct CatalogProblem {
  // Path below the task type by proto names, as in {"timeouts",
  // "startup_timeout"}.
  std::vector<std::string> field;
  // Index of the last name if it is repeated and not a map; -1 otherwise.
  int index = -1;
  // What is wrong with it, as in "must be positive, at most 24 h".
  std::string what;
};

// Returns the first problem of `type`, or nullopt when it is valid by itself.
std::optional<CatalogProblem> CheckTaskType(const v1::TaskType& type);

}  // namespace vigil

#endif  // VIGIL_BASE_CATALOG_CHECK_H_
