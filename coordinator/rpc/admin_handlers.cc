#include "coordinator/rpc/admin_handlers.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "coordinator/rpc/cursors.h"
#include "coordinator/rpc/page_token.h"
#include "coordinator/rpc/worker_view.h"

namespace vigil::coordinator {
namespace {

constexpr int kStatusWorkersMax = 100;
constexpr int kStatusQueuesMax = 256;

absl::Status NoSuchWorker(const std::string& id) {
  return absl::NotFoundError(absl::StrCat(
      "no worker '", id,
      "': it was never here, or was lost more than an hour ago; `vigil "
      "status` lists those there are"));
}

absl::Status NotConnected(const std::string& id) {
  return absl::FailedPreconditionError(
      absl::StrCat("worker ", id, " is not connected; try again when it is"));
}

}  // namespace

Task<absl::Status> ListWorkers(Services* services, CallContext*,
                               const v1::ListWorkersRequest& request,
                               v1::ListWorkersResponse* response) {
  absl::StatusOr<int> page_size = PageSizeOf(request.page_size());
  if (!page_size.ok()) co_return page_size.status();
  // Sessions are in order of their id: the token is the last one shown.
  absl::StatusOr<std::string> shown = ParseWorkersToken(request.page_token());
  if (!shown.ok()) co_return shown.status();
  const Engine& engine = *services->engine;
  for (const WorkerRecord* worker : services->engine->core().Workers()) {
    if (worker->hello.session.value() <= *shown) continue;
    if (response->workers_size() == *page_size) {
      response->set_next_page_token(
          FormatWorkersToken(response->workers(*page_size - 1).session_id()));
      break;
    }
    *response->add_workers() = ToProto(*worker, engine.now());
  }
  co_return absl::OkStatus();
}

Task<absl::Status> GetWorker(Services* services, CallContext*,
                             const v1::GetWorkerRequest& request,
                             v1::GetWorkerResponse* response) {
  const WorkerRecord* worker =
      services->engine->core().FindWorker(WorkerId(request.worker_id()));
  if (worker == nullptr) co_return NoSuchWorker(request.worker_id());
  *response->mutable_worker() = ToProto(*worker, services->engine->now());
  co_return absl::OkStatus();
}

Task<absl::Status> DrainWorker(Services* services, CallContext*,
                               const v1::DrainWorkerRequest& request,
                               v1::DrainWorkerResponse* response) {
  if (request.resume() && (request.stay() || request.has_grace())) {
    co_return absl::InvalidArgumentError(
        "resume excludes stay and grace: it has the worker take work again");
  }
  if (request.stay() && request.has_grace()) {
    co_return absl::InvalidArgumentError(
        "stay excludes grace: what runs goes on without end");
  }
  std::optional<absl::Duration> grace;
  if (request.has_grace()) {
    grace = FromProto(request.grace());
    if (*grace < absl::ZeroDuration() || *grace > kDrainGraceMax) {
      co_return absl::InvalidArgumentError(absl::StrCat(
          "grace is ", absl::FormatDuration(*grace), "; it must be 0 to ",
          absl::FormatDuration(kDrainGraceMax)));
    }
  }
  Engine* engine = services->engine;
  const WorkerId id(request.worker_id());
  const WorkerRecord* worker = engine->core().FindWorker(id);
  if (worker == nullptr) co_return NoSuchWorker(request.worker_id());
  if (request.resume()) {
    if (worker->leaving) {
      co_return absl::FailedPreconditionError(
          absl::StrCat("worker ", id.value(),
                       " is leaving, which cannot be undone; start it again"));
    }
    engine->core().Resume(id);
  } else if (request.stay()) {
    engine->core().Pause(id);
  } else {
    absl::Status status =
        engine->core().Drain(id, grace, engine->fx()).status();
    if (!status.ok()) co_return status;
  }
  *response->mutable_worker() = ToProto(*worker, engine->now());
  co_return absl::OkStatus();
}

Task<absl::Status> SetWorkerSlots(Services* services, CallContext*,
                                  const v1::SetWorkerSlotsRequest& request,
                                  v1::SetWorkerSlotsResponse* response) {
  if (request.slots() < 0 || request.slots() > kSlotsMax) {
    co_return absl::InvalidArgumentError(absl::StrCat(
        "slots is ", request.slots(), "; it must be 0 to ", kSlotsMax));
  }
  absl::StatusOr<const WorkerRecord*> worker =
      services->engine->core().SetSlots(WorkerId(request.worker_id()),
                                        request.slots(),
                                        services->engine->fx());
  if (absl::IsNotFound(worker.status())) {
    co_return NoSuchWorker(request.worker_id());
  }
  if (!worker.ok()) co_return worker.status();
  *response->mutable_worker() = ToProto(**worker, services->engine->now());
  co_return absl::OkStatus();
}

Task<absl::Status> ClearWorkerCache(Services* services, CallContext*,
                                    const v1::ClearWorkerCacheRequest& request,
                                    v1::ClearWorkerCacheResponse*) {
  const WorkerRecord* worker =
      services->engine->core().FindWorker(WorkerId(request.worker_id()));
  if (worker == nullptr) co_return NoSuchWorker(request.worker_id());
  if (!worker->hello.task_types.contains(request.task_type())) {
    co_return absl::NotFoundError(absl::StrCat(
        "worker ", request.worker_id(), " does not offer a task type '",
        request.task_type(), "'; `vigil worker get` shows what it offers"));
  }
  if (!worker->connected()) co_return NotConnected(request.worker_id());
  WorkerAnswer<absl::Status> cleared(
      [engine = services->engine, stream = worker->stream,
       &request](Engine::CacheClears::Done done) {
        return engine->ClearCache(stream, request.task_type(), std::move(done));
      });
  co_return co_await cleared;
}

Task<absl::Status> SweepWorker(Services* services, CallContext*,
                               const v1::SweepWorkerRequest& request,
                               v1::SweepWorkerResponse* response) {
  const WorkerRecord* worker =
      services->engine->core().FindWorker(WorkerId(request.worker_id()));
  if (worker == nullptr) co_return NoSuchWorker(request.worker_id());
  if (!worker->connected()) co_return NotConnected(request.worker_id());
  const Engine::SweepMode mode = request.dry_run()
                                     ? Engine::SweepMode::kLookOnly
                                     : Engine::SweepMode::kKill;
  WorkerAnswer<absl::StatusOr<v1::SweepResult>> swept(
      [engine = services->engine, stream = worker->stream,
       mode](Engine::Sweeps::Done done) {
        return engine->Sweep(stream, mode, std::move(done));
      });
  absl::StatusOr<v1::SweepResult> result = co_await swept;
  if (!result.ok()) co_return result.status();
  *response->mutable_result() = *std::move(result);
  co_return absl::OkStatus();
}

Task<absl::Status> GetStatus(Services* services, CallContext*,
                             const v1::GetStatusRequest&,
                             v1::GetStatusResponse* response) {
  const Engine& engine = *services->engine;
  Core& core = services->engine->core();
  response->set_build(services->build);
  response->set_epoch(engine.epoch());
  vigil::ToProto(engine.start_time(), response->mutable_start_time());
  const Counters& counters = core.counters();
  for (int i = 1; i < kJobStates; ++i) {
    const JobState state = static_cast<JobState>(i);
    v1::GetStatusResponse::StateCount* count = response->add_states();
    count->set_state(static_cast<v1::Job::State>(i));
    count->set_jobs(IsFinal(state) ? counters.ended[i] : core.live_in(state));
  }
  std::set<std::string> types;
  for (const auto& [type, queue] : core.queues().queues()) types.insert(type);
  for (const auto& [type, running] : core.running_by_type()) types.insert(type);
  for (const std::string& type : types) {
    if (response->queues_size() == kStatusQueuesMax) break;
    v1::GetStatusResponse::Queue* queue = response->add_queues();
    queue->set_task_type(type);
    const auto running = core.running_by_type().find(type);
    if (running != core.running_by_type().end()) {
      queue->set_running(running->second);
    }
    const auto queued = core.queues().queues().find(type);
    if (queued == core.queues().queues().end()) continue;
    const Job& first = *queued->second.begin()->second;
    queue->set_queued(static_cast<int64_t>(queued->second.size()));
    queue->set_waiting_reason(
        static_cast<v1::Job::WaitingReason>(core.WaitingReasonOf(first)));
    vigil::ToProto(first.queue_time, queue->mutable_oldest_time());
  }
  for (const WorkerRecord* worker : core.Workers()) {
    response->set_worker_count(response->worker_count() + 1);
    if (!worker->connected()) continue;
    response->set_slots_total(response->slots_total() + worker->slots_max);
    response->set_slots_busy(response->slots_busy() + worker->busy_slots());
    if (response->workers_size() < kStatusWorkersMax) {
      *response->add_workers() = ToProto(*worker, engine.now());
    }
  }
  response->set_attempts_lost(counters.attempts_lost);
  response->set_local_workers_replaced(services->local_workers_replaced);
  response->set_fenced(counters.fenced);
  response->set_refused(engine.refusals().total());
  for (const auto& [key, entry] : engine.refusals().entries()) {
    v1::Refusal* refusal = response->add_refusals();
    refusal->set_limit(static_cast<v1::Refusal::Limit>(key.first));
    refusal->set_namespace_(key.second);
    refusal->set_calls(entry.calls);
    vigil::ToProto(entry.last_time, refusal->mutable_last_time());
  }
  response->set_deaths_unconfirmed(counters.deaths_unconfirmed);
  response->set_nested_calls(counters.nested_calls);
  response->set_sequential_pools(counters.sequential_pools);
  response->set_nested_dispatches(counters.nested_dispatches);
  response->set_fallbacks(counters.fallbacks);
  response->set_batches(static_cast<int>(core.batches().size()));
  *response->mutable_telemetry() =
      services->engine->recorder().Report(engine.now());
  response->set_watchers(services->engine->hub().size());
  co_return absl::OkStatus();
}

}  // namespace vigil::coordinator
