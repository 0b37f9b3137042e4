#include "coordinator/rpc/dispatch_stream.h"

#include <grpcpp/support/async_stream.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

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

class DispatchStream : public WorkerLink {
 public:
  DispatchStream(Services* services, Loop* loop)
      : services_(services),
        rpc(&context),
        signal(loop->ready()),
        finished(loop->ready()),
        done(&signal) {}

  void Deliver(v1::AttachResponse message) override {
    outgoing_.push_back(std::move(message));
    signal.Notify();
  }

  void Close(absl::Status status) override {
    if (!close_status_.has_value()) close_status_ = std::move(status);
    signal.Notify();
  }

  // Checks the first message and attaches the worker.
  absl::Status Attach(const v1::AttachRequest& request);
  // Applies any later message.
  void Apply(const v1::AttachRequest& request);
  void TakeAnnouncement(
      const google::protobuf::RepeatedPtrField<v1::TaskType>& types);
  void Detach() {
    if (stream_ != 0) services_->engine->RemoveLink(stream_);
    stream_ = 0;
  }

  // Writes until the stream is closed, then finishes it.
  Detached WriteAll();

 private:
  Services* const services_;

 public:
  grpc::ServerContext context;
  grpc::ServerAsyncReaderWriter<v1::AttachResponse, v1::AttachRequest> rpc;
  Operation reading;
  // Something to write, or to end for.
  Signal signal;
  // Finish has come back.
  Signal finished;
  Done done;

 private:
  std::optional<absl::Status> close_status_;
  std::deque<v1::AttachResponse> outgoing_;
  Operation writing_;
  StreamId stream_ = 0;
};

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

absl::Status DispatchStream::Attach(const v1::AttachRequest& request) {
  if (!request.has_attach()) {
    return absl::InvalidArgumentError("the first message must hold `attach`");
  }
  const v1::Attach& attach = request.attach();
  if (absl::Status status = CheckAttach(attach); !status.ok()) return status;
  Engine* engine = services_->engine;
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
  hello.local = !services_->local_token.empty() &&
                attach.local_token() == services_->local_token;
  hello.predecessors_dead = attach.predecessors_dead();
  TakeTaskTypes(attach.task_types(), engine, &hello.task_types,
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
  stream_ = engine->AddLink(this);
  absl::StatusOr<AttachVerdict> verdict = engine->core().Attach(
      stream_, std::move(hello), engine->now(), engine->fx());
  if (!verdict.ok()) {
    Detach();
    return verdict.status();
  }
  v1::AttachResponse response;
  v1::Attached* attached = response.mutable_attached();
  attached->set_protocol_version(kProtocolVersion);
  attached->set_epoch(engine->epoch());
  vigil::ToProto(engine->options().lease, attached->mutable_lease());
  vigil::ToProto(engine->options().heartbeat_interval,
                 attached->mutable_heartbeat_interval());
  for (const AttemptId& id : verdict->kill) {
    vigil::ToProto(id, attached->add_kill());
  }
  Deliver(std::move(response));
  engine->Reattached(running);
  Log(LogSeverity::kInfo,
      absl::StrCat(local ? "local worker " : "worker ", attach.worker_id(),
                   " attached with ", attach.slots(), " slots, running ",
                   running.size()));
  if (local && services_->on_local_attach) services_->on_local_attach(session);
  return absl::OkStatus();
}

void DispatchStream::TakeAnnouncement(const TaskTypes& types) {
  absl::Status status = CheckTaskTypes("announcement.task_types", types);
  if (!status.ok()) {
    Close(std::move(status));
    return;
  }
  Engine* engine = services_->engine;
  std::set<std::string> names;
  std::map<std::string, int> max_slots;
  TakeTaskTypes(types, engine, &names, &max_slots);
  engine->core().Announce(stream_, std::move(names), std::move(max_slots));
}

void DispatchStream::Apply(const v1::AttachRequest& request) {
  Engine* engine = services_->engine;
  Core& core = engine->core();
  if (request.has_announcement()) {
    TakeAnnouncement(request.announcement().task_types());
  }
  for (const v1::TaskTypeStatus& status : request.task_type_statuses()) {
    core.SetTaskTypeStatus(stream_, FromProto(status));
  }
  if (request.has_usable_slots()) {
    core.SetUsableSlots(stream_, request.usable_slots().slots(),
                        request.usable_slots().cause(), engine->fx());
  }
  if (request.has_ahead()) core.SetAhead(stream_, request.ahead());
  for (const v1::AttemptUpdate& update : request.updates()) {
    core.Update(stream_, FromProto(update), engine->now(), engine->fx());
  }
  for (const v1::AttemptOutput& output : request.output()) {
    engine->TakeOutput(stream_, output);
  }
  for (const v1::AttemptCheckpoint& checkpoint : request.checkpoints()) {
    core.TakeCheckpoint(stream_, FromProto(checkpoint), engine->now(),
                        engine->fx());
  }
  for (const v1::AttemptEnd& end : request.ends()) {
    core.End(stream_, FromProto(end), engine->now(), engine->fx());
  }
  for (const v1::ClearCacheDone& done : request.clear_cache_done()) {
    engine->TakeClearCacheDone(stream_, done);
  }
  for (const v1::SweepDone& done : request.sweep_done()) {
    engine->TakeSweepDone(stream_, done);
  }
  if (request.has_heartbeat()) {
    const v1::Heartbeat& heartbeat = request.heartbeat();
    core.Heartbeat(stream_, heartbeat.number(), HostOf(heartbeat),
                   StuckSlotsOf(heartbeat), engine->now(), engine->fx());
  }
}

Detached DispatchStream::WriteAll() {
  for (;;) {
    if (services_->stopping && !close_status_.has_value()) {
      close_status_ = absl::UnavailableError("the coordinator is stopping");
    }
    const bool abandon = done.done();
    if (!outgoing_.empty() && !abandon) {
      const v1::AttachResponse message = std::move(outgoing_.front());
      outgoing_.pop_front();
      rpc.Write(message, writing_.tag());
      const bool ok = co_await writing_;
      if (!ok && !close_status_.has_value()) {
        close_status_ = absl::UnavailableError("the stream broke");
      }
      continue;
    }
    if (close_status_.has_value() || abandon) break;
    co_await signal;
  }
  const absl::Status status =
      close_status_.value_or(absl::CancelledError("the worker is gone"));
  rpc.Finish(ToGrpc(status), writing_.tag());
  co_await writing_;
  finished.Notify();
}

}  // namespace

Detached ServeDispatch(Services* services, Loop* loop, LiveStreams* live,
                       v1::DispatchService::AsyncService* service) {
  DispatchStream stream(services, loop);
  stream.context.AsyncNotifyWhenDone(stream.done.tag());
  service->RequestAttach(&stream.context, &stream.rpc, loop->queue(),
                         loop->queue(), stream.reading.tag());
  const bool accepted = co_await stream.reading;
  if (!accepted) co_return;
  if (!services->stopping) ServeDispatch(services, loop, live, service);
  live->Add(&stream.signal, &stream.context);
  v1::AttachRequest request;
  bool attached = false;
  stream.WriteAll();
  for (;;) {
    stream.rpc.Read(&request, stream.reading.tag());
    const bool ok = co_await stream.reading;
    if (!ok) break;
    if (attached) {
      stream.Apply(request);
      continue;
    }
    const absl::Status status = stream.Attach(request);
    attached = status.ok();
    if (!attached) {
      Log(LogSeverity::kWarning,
          absl::StrCat("a worker was refused: ", status.message()));
      stream.Close(status);
    }
  }
  stream.Detach();
  stream.Close(absl::OkStatus());
  co_await stream.finished;
  co_await stream.done;
  live->Remove(&stream.signal, &stream.context);
}

}  // namespace vigil::coordinator
