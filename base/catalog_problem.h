// CatalogProblem: what is wrong with a task type, and where. A value;
// thread-compatible.
#ifndef VIGIL_BASE_CATALOG_PROBLEM_H_
#define VIGIL_BASE_CATALOG_PROBLEM_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// Absent: nothing is wrong.
using Problem = std::optional<CatalogProblem>;

inline Problem Bad(std::vector<std::string> field, std::string what,
                   int index = -1) {
  return CatalogProblem{std::move(field), index, std::move(what)};
}

}  // namespace vigil

#endif  // VIGIL_BASE_CATALOG_PROBLEM_H_
