// The coordinator's side: what it is told about this worker, and what it wants.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/wire/attempt_wire.h"
#include "base/wire/time_wire.h"
#include "worker/loop/worker_loop.h"

namespace vigil::worker {
namespace {

constexpr int kProtocolVersion = 1;

}  // namespace

v1::AttachRequest WorkerLoop::MakeAttach() {
  v1::AttachRequest request;
  v1::Attach* attach = request.mutable_attach();
  attach->set_protocol_min(kProtocolVersion);
  attach->set_protocol_max(kProtocolVersion);
  attach->set_build(options_.build);
  attach->set_worker_id(options_.worker_id);
  attach->set_session_id(session_id_);
  attach->set_attach_number(++attach_number_);
  attach->set_history(history_);
  attach->set_boot_id(options_.boot_id);
  // A session of this life that was fenced may have left what cannot be killed.
  attach->set_predecessors_dead(options_.predecessors_dead && !was_fenced_);
  attach->set_hostname(options_.hostname);
  attach->set_pid(getpid());
  attach->set_slots(core_->slots());
  attach->set_allow_commands(options_.allow_commands);
  if (filter_problem_.has_value()) {
    v1::NestingFilter* filter = attach->mutable_nesting_filter();
    filter->set_state(filter_problem_->empty()
                          ? v1::NestingFilter::STATE_ENFORCED
                          : v1::NestingFilter::STATE_UNAVAILABLE);
    filter->set_problem(*filter_problem_);
  }
  for (const auto& [name, type] : types_.all()) {
    *attach->add_task_types() = type->Announced();
  }
  // All of it belongs to the stream before.
  ++stream_number_;
  announce_ = false;
  cleared_.clear();
  swept_.clear();
  told_statuses_.clear();
  told_revision_ = -1;
  told_ahead_ = 0;
  told_usable_.reset();
  attach->set_local_token(options_.local_token);
  attach->set_draining(draining_);
  told_draining_ = draining_;
  outbox_.Open(core_->Running(), attach);
  return request;
}

void WorkerLoop::LeaseExtended(absl::Time until) {
  core_->ExtendLease(until);
  slots_.LeaseAll(clock_.ToBoottime(core_->lease()));
}

void WorkerLoop::Received(const v1::AttachResponse& response, absl::Time now) {
  if (response.has_attached()) {
    lost_ = false;
    history_ = response.attached().history();
    Log(LogSeverity::kInfo,
        absl::StrCat("attached to the coordinator, epoch ",
                     response.attached().epoch(), ", session ", session_id_));
    // One that has ended is kept all the same: the coordinator may know of that
    // end what is not durable yet, and forget it in a crash.
    for (const v1::AttemptId& proto : response.attached().kill()) {
      core_->Fence(FromProto(proto), now, &effects_);
    }
  }
  for (const v1::OutputAck& ack : response.output_acks()) {
    const AttemptId attempt = FromProto(ack.attempt());
    outbox_.OutputAcknowledged(attempt, ack.total_bytes());
    ResumeIfTaken(attempt);
  }
  for (const v1::AttemptId& proto : response.acknowledged_ends()) {
    const AttemptId attempt = FromProto(proto);
    if (!outbox_.HasEnd(attempt)) continue;
    core_->EndAcknowledged(attempt);
    outbox_.Forget(attempt);
  }
  for (const v1::ClearCache& request : response.clear_caches()) {
    ClearCache(request);
  }
  for (const v1::Sweep& request : response.sweeps()) Sweep(request);
  if (response.has_drain()) {
    Drain(response.drain().has_grace() ? FromProto(response.drain().grace())
                                       : options_.drain_grace);
  }
  if (response.has_slots() && !draining_) {
    core_->SetSlots(response.slots(), now, &effects_);
  }
  for (const v1::Stop& stop : response.stops()) {
    core_->Stop(FromProto(stop.attempt()), static_cast<Reason>(stop.reason()),
                now, &effects_);
  }
  for (const v1::Assignment& assignment : response.assignments()) {
    Assigned(assignment);
  }
}

void WorkerLoop::Assigned(const v1::Assignment& assignment) {
  const AttemptId attempt = FromProto(assignment.attempt());
  // Sent again; it is here, or has ended here.
  if (tasks_.contains(attempt) || outbox_.HasEnd(attempt)) return;
  const v1::JobSpec& spec = assignment.spec();
  auto task = std::make_unique<Task>(assignment, types_.Find(spec.task_type()));
  AttemptStart start;
  start.id = attempt;
  start.supervision = task->supervision();
  start.exit_reasons = task->ExitReasons();
  if (task->type() != nullptr) start.type = task->type()->rules;
  if (assignment.has_time_left()) {
    start.time_left = FromProto(assignment.time_left());
  }
  tasks_.emplace(attempt, std::move(task));
  core_->Assign(std::move(start), now_, &effects_);
}

void WorkerLoop::Lost(const absl::Status& status) {
  outbox_.Close();
  if (left_) {
    Finish(WorkerExit::kOk);
    return;
  }
  if (lost_) return;
  lost_ = true;
  Log(LogSeverity::kWarning,
      absl::StrCat("the coordinator does not answer (", status.ToString(),
                   "); tasks go on, and it is tried "
                   "again"));
}

void WorkerLoop::Fenced(const absl::Status& status, absl::Time now) {
  Log(LogSeverity::kWarning,
      absl::StrCat("session ", session_id_,
                   " was given up by the coordinator: ", status.message(),
                   "; kills its tasks and starts a new session"));
  outbox_.Close();
  fenced_ = was_fenced_ = true;
  // A new session may work for whoever is there.
  history_.clear();
  core_->FenceAll("ran in a session that the coordinator gave up", now,
                  &effects_);
}

void WorkerLoop::Refused(const absl::Status& status) {
  Log(LogSeverity::kError,
      absl::StrCat("the coordinator refuses this worker: ", status.message()));
  Finish(WorkerExit::kRefused);
}

}  // namespace vigil::worker
