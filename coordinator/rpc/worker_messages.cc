#include "coordinator/rpc/worker_messages.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/wire/attempt_wire.h"
#include "base/wire/host_wire.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/spec_checks.h"

namespace vigil::coordinator {
namespace {

constexpr int kProtocolVersion = 1;
// What a worker can do that holds tasks to max_processes and max_threads.
constexpr char kNestingFilterFeature[] = "nesting_filter";

using TaskTypes = google::protobuf::RepeatedPtrField<v1::TaskType>;

absl::Status CheckTaskTypes(const std::string& field, const TaskTypes& types) {
  if (types.size() > kTaskTypesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, " has ", types.size(), " entries; at most ", kTaskTypesMax));
  }
  for (const v1::TaskType& type : types) {
    absl::Status status = CheckName(field + ".name", type.name());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Remembers what a worker offers, and says it as the core wants to know it.
void TakeTaskTypes(const TaskTypes& types, Engine* engine,
                   std::set<std::string>* names,
                   std::map<std::string, int>* max_slots) {
  for (const v1::TaskType& type : types) {
    names->insert(type.name());
    if (type.max_slots() > 0) (*max_slots)[type.name()] = type.max_slots();
    engine->Announce(type);
  }
}

// Of more than a worker can have, the first ones.
std::set<int> StuckSlotsOf(const v1::Heartbeat& heartbeat) {
  std::set<int> slots;
  for (const int slot : heartbeat.stuck_slots()) {
    if (static_cast<int>(slots.size()) == kSlotsMax) break;
    if (slot >= 0) slots.insert(slot);
  }
  return slots;
}

absl::Status CheckAttach(const v1::Attach& attach) {
  if (attach.protocol_min() > kProtocolVersion ||
      attach.protocol_max() < kProtocolVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the worker speaks protocol ", attach.protocol_min(),
                     " to ", attach.protocol_max(), ", the coordinator ",
                     kProtocolVersion, "; upgrade the older of the two"));
  }
  if (absl::Status status = CheckName("attach.worker_id", attach.worker_id());
      !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckName("attach.session_id", attach.session_id());
      !status.ok()) {
    return status;
  }
  if (attach.slots() < 0 || attach.slots() > kSlotsMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "attach.slots is ", attach.slots(), "; it must be 0 to ", kSlotsMax));
  }
  return CheckTaskTypes("attach.task_types", attach.task_types());
}

}  // namespace

absl::Status WorkerMessages::Take(const v1::AttachRequest& request) {
  if (!status_.ok()) return status_;
  if (stream_ != 0) {
    status_ = Apply(request);
  } else {
    status_ = Attach(request);
    if (!status_.ok()) {
      Log(LogSeverity::kWarning,
          absl::StrCat("a worker was refused: ", status_.message()));
    }
  }
  if (!status_.ok()) Detach();
  return status_;
}

void WorkerMessages::Detach() {
  if (stream_ != 0) engine_->RemoveLink(stream_);
  stream_ = 0;
}

absl::Status WorkerMessages::Attach(const v1::AttachRequest& request) {
  if (!request.has_attach()) {
    return absl::InvalidArgumentError("the first message must hold `attach`");
  }
  const v1::Attach& attach = request.attach();
  if (absl::Status status = CheckAttach(attach); !status.ok()) return status;
  WorkerHello hello;
  hello.worker = WorkerId(attach.worker_id());
  hello.session = SessionId(attach.session_id());
  hello.attach_number = attach.attach_number();
  hello.hostname = attach.hostname();
  hello.pid = attach.pid();
  hello.build = attach.build();
  hello.protocol_version = kProtocolVersion;
  hello.features.assign(attach.features().begin(), attach.features().end());
  hello.nesting_filter = FromProto(attach.nesting_filter());
  if (hello.nesting_filter.state == NestingFilter::State::kEnforced) {
    hello.features.push_back(kNestingFilterFeature);
  }
  hello.slots = attach.slots();
  hello.allow_commands = attach.allow_commands();
  hello.local = !local_->token.empty() && attach.local_token() == local_->token;
  hello.predecessors_dead = attach.predecessors_dead();
  hello.draining = attach.draining();
  hello.history = attach.history();
  TakeTaskTypes(attach.task_types(), engine_, &hello.task_types,
                &hello.max_slots);
  for (const v1::AttemptId& id : attach.running()) {
    hello.running.push_back(FromProto(id));
  }
  for (const v1::AttemptEnd& end : attach.ended()) {
    hello.ended.push_back(FromProto(end));
  }
  const std::vector<AttemptId> running = hello.running;
  const bool local = hello.local;
  const SessionId session = hello.session;
  stream_ = engine_->AddLink(link_);
  absl::StatusOr<AttachVerdict> verdict = engine_->core().Attach(
      stream_, std::move(hello), engine_->now(), engine_->fx());
  if (!verdict.ok()) return verdict.status();
  v1::AttachResponse response;
  v1::Attached* attached = response.mutable_attached();
  attached->set_protocol_version(kProtocolVersion);
  attached->set_epoch(engine_->epoch());
  attached->set_history(engine_->history());
  vigil::ToProto(engine_->options().lease, attached->mutable_lease());
  vigil::ToProto(engine_->options().heartbeat_interval,
                 attached->mutable_heartbeat_interval());
  for (const AttemptId& id : verdict->kill) {
    vigil::ToProto(id, attached->add_kill());
  }
  link_->Deliver(std::move(response));
  engine_->Reattached(running);
  Log(LogSeverity::kInfo,
      absl::StrCat(local ? "local worker " : "worker ", attach.worker_id(),
                   " attached with ", attach.slots(), " slots, running ",
                   running.size()));
  if (local && local_->on_attach) local_->on_attach(session);
  return absl::OkStatus();
}

absl::Status WorkerMessages::TakeAnnouncement(
    const v1::Announcement& announcement) {
  const TaskTypes& types = announcement.task_types();
  absl::Status status = CheckTaskTypes("announcement.task_types", types);
  if (!status.ok()) return status;
  std::set<std::string> names;
  std::map<std::string, int> max_slots;
  TakeTaskTypes(types, engine_, &names, &max_slots);
  engine_->core().Announce(stream_, std::move(names), std::move(max_slots));
  return absl::OkStatus();
}

absl::Status WorkerMessages::Apply(const v1::AttachRequest& request) {
  Core& core = engine_->core();
  if (request.has_announcement()) {
    absl::Status status = TakeAnnouncement(request.announcement());
    if (!status.ok()) return status;
  }
  for (const v1::TaskTypeStatus& status : request.task_type_statuses()) {
    core.SetTaskTypeStatus(stream_, FromProto(status));
  }
  if (request.has_usable_slots()) {
    core.SetUsableSlots(stream_, request.usable_slots().slots(),
                        request.usable_slots().cause(), engine_->fx());
  }
  if (request.draining()) core.SetDraining(stream_);
  if (request.has_ahead()) core.SetAhead(stream_, request.ahead());
  for (const v1::AttemptUpdate& update : request.updates()) {
    core.Update(stream_, FromProto(update), engine_->now(), engine_->fx());
  }
  for (const v1::AttemptOutput& output : request.output()) {
    engine_->TakeOutput(stream_, output);
  }
  for (const v1::AttemptCheckpoint& checkpoint : request.checkpoints()) {
    core.TakeCheckpoint(stream_, FromProto(checkpoint), engine_->now(),
                        engine_->fx());
  }
  for (const v1::AttemptEnd& end : request.ends()) {
    core.End(stream_, FromProto(end), engine_->now(), engine_->fx());
  }
  for (const v1::ClearCacheDone& done : request.clear_cache_done()) {
    engine_->TakeClearCacheDone(stream_, done);
  }
  for (const v1::SweepDone& done : request.sweep_done()) {
    engine_->TakeSweepDone(stream_, done);
  }
  if (request.has_heartbeat()) {
    const v1::Heartbeat& heartbeat = request.heartbeat();
    core.Heartbeat(stream_, heartbeat.number(), HostOf(heartbeat),
                   StuckSlotsOf(heartbeat), engine_->now(), engine_->fx());
  }
  if (request.left()) core.Left(stream_, engine_->now(), engine_->fx());
  return absl::OkStatus();
}

}  // namespace vigil::coordinator
