#include "coordinator/telemetry/telemetry_view.h"

#include <string>

#include "base/wire/time_wire.h"

namespace vigil::coordinator {

v1::Telemetry ToProto(const Telemetry& telemetry) {
  v1::Telemetry proto;
  vigil::ToProto(telemetry.options().window, proto.mutable_window());
  proto.set_attempts(telemetry.attempts());
  for (const Telemetry::ReasonCount& count : telemetry.Reasons()) {
    v1::Telemetry::ReasonCount* reason = proto.add_reasons();
    reason->set_task_type(count.task_type);
    reason->set_reason(static_cast<v1::Failure::Reason>(count.reason));
    reason->set_attempts(count.attempts);
    reason->set_rate(count.rate);
  }
  const Telemetry::JobCounts& jobs = telemetry.jobs();
  proto.set_jobs(jobs.ended);
  proto.set_jobs_failed(jobs.failed);
  proto.set_retries_cured(jobs.retries_cured);
  proto.set_fallbacks(jobs.fallbacks);
  proto.set_truncations(jobs.truncations);
  proto.set_partial_batches(jobs.partial_batches);
  for (const MessageGroups::Group* group :
       telemetry.messages().Top(kMessagesShownMax)) {
    v1::Telemetry::MessageCount* message = proto.add_messages();
    message->set_reason(static_cast<v1::Failure::Reason>(group->reason));
    message->set_message(group->message);
    message->set_attempts(group->count);
    message->set_job_id(group->job_id.value());
    vigil::ToProto(group->last_time, message->mutable_last_time());
  }
  const Judgement health = telemetry.Judge();
  proto.set_health(static_cast<v1::Telemetry::Health>(health.state));
  for (const std::string& cause : health.causes) proto.add_causes(cause);
  return proto;
}

}  // namespace vigil::coordinator
