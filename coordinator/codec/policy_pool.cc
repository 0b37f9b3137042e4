#include "coordinator/codec/policy_pool.h"

#include <algorithm>
#include <utility>

#include "base/wire/policy_wire.h"
#include "coordinator/codec/deterministic.h"

namespace vigil::coordinator {

std::shared_ptr<const JobPolicy> PolicyPool::Get(const v1::JobSpec& spec,
                                                 bool cancel_on_disconnect) {
  v1::JobSpec head;
  head.set_task_type(spec.task_type());
  *head.mutable_timeouts() = spec.timeouts();
  *head.mutable_retry() = spec.retry();
  *head.mutable_activity() = spec.activity();
  head.set_priority(spec.priority());
  *head.mutable_labels() = spec.labels();
  if (spec.has_max_processes()) head.set_max_processes(spec.max_processes());
  head.set_pty(spec.pty());
  head.set_on_nested_pool(spec.on_nested_pool());
  if (spec.has_max_threads()) head.set_max_threads(spec.max_threads());
  head.set_max_rss_bytes(spec.max_rss_bytes());
  head.set_stack_dump_signal(spec.stack_dump_signal());
  *head.mutable_exit_reasons() = spec.exit_reasons();
  if (spec.has_chunk_policy()) {
    *head.mutable_chunk_policy() = spec.chunk_policy();
  }
  if (spec.has_fallback()) {
    v1::Fallback* fallback = head.mutable_fallback();
    *fallback->mutable_fallback_on() = spec.fallback().fallback_on();
    if (spec.fallback().has_value()) {
      fallback->set_value("");  // kept with the program
    } else {
      fallback->set_input(spec.fallback().input());
    }
  }
  std::string bytes = SerializeDeterministically(head);

  std::string key = bytes + (cancel_on_disconnect ? "1" : "0");
  std::weak_ptr<const JobPolicy>& entry = policies_[key];
  if (std::shared_ptr<const JobPolicy> known = entry.lock()) return known;
  auto policy = std::make_shared<JobPolicy>();
  const Timeouts timeouts = FromProto(head.timeouts());
  policy->schedule_to_start = timeouts.schedule_to_start;
  policy->schedule_to_close = timeouts.schedule_to_close;
  policy->retry = FromProto(head.retry());
  policy->cancel_on_disconnect = cancel_on_disconnect;
  policy->retry_sequential =
      head.on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL;
  policy->chunked = head.has_chunk_policy();
  policy->fallback.declared = head.has_fallback();
  for (const int reason : head.fallback().fallback_on()) {
    policy->fallback.reasons.push_back(static_cast<Reason>(reason));
  }
  policy->spec = std::move(bytes);
  entry = policy;
  if (policies_.size() > sweep_at_) {
    absl::erase_if(policies_,
                   [](const auto& item) { return item.second.expired(); });
    sweep_at_ = std::max<size_t>(1024, 2 * policies_.size());
  }
  return policy;
}

}  // namespace vigil::coordinator
