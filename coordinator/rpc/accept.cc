#include "coordinator/rpc/accept.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/task_token.h"
#include "coordinator/codec/deterministic.h"
#include "coordinator/codec/job_codec.h"

namespace vigil::coordinator {
namespace {

constexpr size_t kRequestIdBytesMax = 64;

uint64_t RequestHash(const std::string& name_space,
                     const v1::SubmitJobRequest& request) {
  v1::SubmitJobRequest body = request;
  body.set_namespace_(name_space);
  body.clear_request_id();
  return StableHash(SerializeDeterministically(body));
}

// The job that `request_id` made before, if any. ALREADY_EXISTS: it made a
// different one.
Task<absl::StatusOr<std::optional<v1::Job>>> FindEarlier(
    Services* services, const std::string& name_space,
    const std::string& request_id, uint64_t hash) {
  if (!services->engine->MayKnowRequest(name_space, request_id)) {
    co_return std::optional<v1::Job>();
  }
  Durable durable(services->engine);
  co_await durable;
  absl::StatusOr<std::optional<store::JobRow>> row;
  StoreRead read(services->engine, [&](store::StoreView& view) {
    row = view.FindRequest(name_space, request_id);
  });
  const bool queued = co_await read;
  if (!queued) co_return TooManyReads(services->engine);
  if (!row.ok()) co_return row.status();
  if (!row->has_value()) co_return std::optional<v1::Job>();
  absl::StatusOr<StoredJobView> stored = ViewRow(**row);
  if (!stored.ok()) co_return stored.status();
  if (stored->request_hash != hash) {
    co_return absl::AlreadyExistsError(absl::StrCat(
        "request_id ", request_id, " was used for a different job, ",
        stored->job.job_id(), "; use a new one for each submission"));
  }
  co_return std::optional<v1::Job>(std::move(stored->job));
}

}  // namespace

absl::StatusOr<std::string> NamespaceOf(const std::string& requested) {
  if (requested.empty()) return "default";
  absl::Status status = CheckName("namespace", requested);
  if (!status.ok()) return status;
  return requested;
}

absl::Status NoSuchJob(const std::string& job_id, const std::string& name) {
  return absl::NotFoundError(
      absl::StrCat("no job '", job_id, "' in namespace ", name,
                   ": check the id, or its retention is over"));
}

absl::Status RefuseNestedDispatch(Services* services, const CallContext& call,
                                  int jobs) {
  const std::string task = call.task_token();
  if (task.empty()) return absl::OkStatus();
  Engine* engine = services->engine;
  engine->core().CountNestedDispatch(ParseTaskToken(task), jobs, engine->now(),
                                     engine->fx());
  return absl::FailedPreconditionError(NestedDispatchMessage(task));
}

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.size() <= kRequestIdBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("request_id has ", request_id.size(),
                   " characters; at most ", kRequestIdBytesMax));
}

absl::StatusOr<const v1::TaskType*> FindTaskType(Services* services,
                                                 const CallContext& call,
                                                 const v1::JobSpec& spec) {
  if (!spec.task_type().empty()) {
    absl::Status status = CheckName("spec.task_type", spec.task_type());
    if (!status.ok()) return status;
    const v1::TaskType* type = services->engine->FindTaskType(spec.task_type());
    if (type == nullptr) {
      return absl::NotFoundError(absl::StrCat(
          "spec.task_type ", spec.task_type(),
          ": no worker has ever announced it; start a worker with a catalog "
          "that has it"));
    }
    return type;
  }
  if (!spec.has_command()) return nullptr;
  if (!services->allow_commands) {
    return absl::PermissionDeniedError(
        "spec.command: this coordinator runs no commands of clients; use a "
        "task_type of its catalog, or start it with --allow_commands");
  }
  if (!call.over_unix_socket()) {
    return absl::PermissionDeniedError(
        "spec.command: commands are accepted over a unix socket only; use a "
        "task_type of its catalog");
  }
  return nullptr;
}

Task<absl::StatusOr<Accepted>> AcceptJob(Services* services, CallContext* call,
                                         const v1::SubmitJobRequest& request,
                                         bool cancel_on_disconnect) {
  absl::StatusOr<std::string> name_space = NamespaceOf(request.namespace_());
  if (!name_space.ok()) co_return name_space.status();
  const std::string& request_id = request.request_id();
  if (absl::Status status = CheckRequestId(request_id); !status.ok()) {
    co_return status;
  }
  const uint64_t hash = RequestHash(*name_space, request);
  if (!request_id.empty()) {
    auto finding = FindEarlier(services, *name_space, request_id, hash);
    absl::StatusOr<std::optional<v1::Job>> earlier = co_await finding;
    if (!earlier.ok()) co_return earlier.status();
    if (earlier->has_value()) {
      Accepted accepted;
      accepted.job = std::move(**earlier);
      accepted.existed = true;
      co_return accepted;
    }
  }
  absl::StatusOr<const v1::TaskType*> type =
      FindTaskType(services, *call, request.spec());
  if (!type.ok()) co_return type.status();
  absl::StatusOr<v1::JobSpec> resolved =
      services->resolver->Resolve(request.spec(), *type);
  if (!resolved.ok()) co_return resolved.status();
  Submission submission;
  submission.namespace_ = *name_space;
  submission.request_id = request_id;
  submission.request_hash = hash;
  submission.spec = *std::move(resolved);
  submission.cancel_on_disconnect = cancel_on_disconnect;
  absl::StatusOr<const Job*> job =
      services->engine->Submit(std::move(submission));
  if (!job.ok()) co_return call->Refuse(job.status());
  Accepted accepted;
  accepted.job =
      ToProto(**job, services->engine->core().WaitingReasonOf(**job));
  co_return accepted;
}

}  // namespace vigil::coordinator
