#include "coordinator/codec/nesting_resolver.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/policy.h"
#include "coordinator/codec/spec_checks.h"

namespace vigil::coordinator {
namespace {

// Many pools hang when they get their first process and not their second.
constexpr int kProcessesUnderDeny = 0;

}  // namespace

absl::Status CheckWarmNesting(const v1::JobSpec& spec,
                              const v1::TaskType& type) {
  const char* field = nullptr;
  if (spec.on_nested_pool() != v1::JobSpec::ON_NESTED_POOL_UNSPECIFIED) {
    field = "on_nested_pool";
  } else if (spec.has_max_processes()) {
    field = "max_processes";
  } else if (spec.has_max_threads()) {
    field = "max_threads";
  }
  if (field == nullptr) return absl::OkStatus();
  return Invalid(
      absl::StrCat("spec.", field),
      absl::StrCat("cannot be set for a job of task type ", type.name(),
                   ": its process serves many jobs; set it in the catalog"));
}

absl::Status ResolveNesting(const v1::TaskType* type, v1::JobSpec* spec) {
  const v1::TaskType& of_type =
      type == nullptr ? v1::TaskType::default_instance() : *type;
  if (spec->on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_UNSPECIFIED) {
    spec->set_on_nested_pool(of_type.on_nested_pool());
  }
  if (spec->on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_UNSPECIFIED) {
    spec->set_on_nested_pool(v1::JobSpec::ON_NESTED_POOL_FAIL);
  }
  if (spec->on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL &&
      spec->retry().maximum_attempts() == 1) {
    return Invalid("spec.on_nested_pool",
                   "is RETRY_SEQUENTIAL, which needs a second attempt, but "
                   "spec.retry.maximum_attempts is 1; allow two attempts, or "
                   "ask for SEQUENTIAL from the first on");
  }
  const Nesting defaults;
  if (!spec->has_max_processes()) {
    const int fallback =
        spec->on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_DENY
            ? kProcessesUnderDeny
            : defaults.max_processes;
    spec->set_max_processes(
        of_type.has_max_processes() ? of_type.max_processes() : fallback);
  }
  if (!spec->has_max_threads()) {
    spec->set_max_threads(of_type.has_max_threads() ? of_type.max_threads()
                                                    : defaults.max_threads);
  }
  if (spec->max_rss_bytes() == 0) {
    spec->set_max_rss_bytes(of_type.max_rss_bytes());
  }
  if (spec->stack_dump_signal() == 0) {
    spec->set_stack_dump_signal(of_type.stack_dump_signal());
  }
  return absl::OkStatus();
}

}  // namespace vigil::coordinator
