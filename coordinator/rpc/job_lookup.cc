#include "coordinator/rpc/job_lookup.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/rpc/accept.h"

namespace vigil::coordinator {

Task<absl::StatusOr<FoundJob>> LookUpJob(Services* services,
                                         const std::string& requested_namespace,
                                         const std::string& job_id) {
  absl::StatusOr<std::string> name_space = NamespaceOf(requested_namespace);
  if (!name_space.ok()) co_return name_space.status();
  if (job_id.empty()) {
    co_return absl::InvalidArgumentError("job_id is empty");
  }
  Engine* engine = services->engine;
  const Job* job = nullptr;
  bool durable = true;
  do {
    // An end that is not durable yet is waited for, while that is soon.
    DurableOrStalled committed(engine);
    durable = co_await committed;
    job = engine->core().FindJob(JobId(job_id));
  } while (durable && job != nullptr && IsFinal(job->state));
  if (durable && job != nullptr) {
    if (job->namespace_ != *name_space) {
      co_return NoSuchJob(job_id, *name_space);
    }
    FoundJob found;
    found.job = ToProto(*job, engine->core().WaitingReasonOf(*job));
    found.live = true;
    co_return found;
  }
  absl::StatusOr<std::optional<store::JobRow>> row;
  StoreRead read(engine,
                 [&](store::StoreView& view) { row = view.GetJob(job_id); });
  const bool queued = co_await read;
  if (!queued) co_return TooManyReads(services->engine);
  if (!row.ok()) co_return row.status();
  if (!row->has_value() && !durable && job != nullptr) {
    co_return absl::UnavailableError(
        absl::StrCat("job ", job_id,
                     " is not durable yet, and nothing can be stored at the "
                     "moment: ",
                     engine->store_status().message()));
  }
  if (!row->has_value() || (*row)->namespace_id != *name_space) {
    co_return NoSuchJob(job_id, *name_space);
  }
  absl::StatusOr<StoredJobView> stored = ViewRow(**row);
  if (!stored.ok()) co_return stored.status();
  FoundJob found;
  found.job = std::move(stored->job);
  found.result_bytes = stored->result_bytes;
  // The store is behind what is to become durable.
  found.live = !durable && engine->core().FindJob(JobId(job_id)) != nullptr;
  co_return found;
}

Task<absl::Status> LookUpResult(Services* services, FoundJob* found) {
  const bool degraded = found->job.degraded();
  if (!degraded && !found->result_bytes.has_value()) co_return absl::OkStatus();
  absl::StatusOr<std::optional<std::string>> bytes = std::string();
  if (degraded || *found->result_bytes > 0) {
    StoreRead read(services->engine, [&](store::StoreView& view) {
      bytes = Engine::ReadResult(&view, found->job.job_id(), degraded);
    });
    const bool queued = co_await read;
    if (!queued) co_return TooManyReads(services->engine);
  }
  if (!bytes.ok()) co_return bytes.status();
  if (bytes->has_value()) SetResult(std::move(**bytes), &found->job);
  co_return absl::OkStatus();
}

Task<absl::StatusOr<v1::JobSpec>> LookUpProgram(Services* services,
                                                const std::string& job_id) {
  v1::JobSpec program;
  std::shared_ptr<const std::string> cached =
      services->engine->CachedPayload(JobId(job_id));
  if (cached != nullptr) {
    program.ParseFromString(*cached);
    co_return program;
  }
  absl::StatusOr<std::optional<std::string>> payload;
  StoreRead read(services->engine, [&](store::StoreView& view) {
    payload = view.GetPayload(job_id);
  });
  const bool queued = co_await read;
  if (!queued) co_return TooManyReads(services->engine);
  if (!payload.ok()) co_return payload.status();
  if (payload->has_value()) program.ParseFromString(**payload);
  co_return program;
}

}  // namespace vigil::coordinator
