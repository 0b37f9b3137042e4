#include "coordinator/rpc/batch_lookup.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/codec/batch_codec.h"
#include "coordinator/codec/batch_resolver.h"
#include "coordinator/codec/deterministic.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/rpc/accept.h"

namespace vigil::coordinator {
namespace {

absl::Status NoSuchBatch(const std::string& id, const std::string& name) {
  return absl::NotFoundError(
      absl::StrCat("no batch '", id, "' in namespace ", name,
                   ": check the id, or its retention is over"));
}

// Keeps a request_id from being used twice while the store is asked for it.
class Opening {
 public:
  Opening(Services* services, std::string key)
      : services_(services), key_(std::move(key)) {
    begun_ = key_.empty() || services_->opening_batches.insert(key_).second;
  }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;
  ~Opening() {
    if (begun_) services_->opening_batches.erase(key_);
  }
  bool begun() const { return begun_; }

 private:
  Services* const services_;
  const std::string key_;
  bool begun_ = false;
};

uint64_t HashOf(const std::string& name_space, v1::OpenBatch open) {
  open.set_namespace_(name_space);
  open.clear_request_id();
  return StableHash(SerializeDeterministically(open));
}

absl::StatusOr<v1::Batch> CheckEarlier(const store::BatchRow& row,
                                       uint64_t hash, bool streamed) {
  absl::StatusOr<StoredBatchView> stored = ViewBatchRow(row);
  if (!stored.ok()) return stored.status();
  if (stored->request_hash != hash || stored->streamed != streamed) {
    return absl::AlreadyExistsError(absl::StrCat(
        "request_id ", row.request_id, " was used for a different batch, ",
        row.batch_id, "; use a new one for each batch"));
  }
  return std::move(stored->batch);
}

}  // namespace

Task<absl::StatusOr<FoundBatch>> LookUpBatch(
    Services* services, const std::string& requested_namespace,
    const std::string& batch_id) {
  absl::StatusOr<std::string> name_space = NamespaceOf(requested_namespace);
  if (!name_space.ok()) co_return name_space.status();
  if (batch_id.empty()) {
    co_return absl::InvalidArgumentError("batch_id is empty");
  }
  Engine* engine = services->engine;
  const BatchId id(batch_id);
  FoundBatch found;
  while (const Batch* batch = engine->core().FindBatch(id)) {
    if (batch->namespace_ != *name_space) {
      co_return NoSuchBatch(batch_id, *name_space);
    }
    // As it is now, told when that is durable. An end is waited for, and then
    // read from the store.
    found.batch = ToProto(*batch);
    found.live = true;
    Durable durable(engine);
    co_await durable;
    if (found.batch.state() != v1::Batch::STATE_ENDED) co_return found;
  }
  found = FoundBatch();
  absl::StatusOr<std::optional<store::BatchRow>> row;
  StoreRead read(
      engine, [&](store::StoreView& view) { row = view.GetBatch(batch_id); });
  const bool queued = co_await read;
  if (!queued) co_return TooManyReads(services->engine);
  if (!row.ok()) co_return row.status();
  if (!row->has_value() || (*row)->namespace_id != *name_space) {
    co_return NoSuchBatch(batch_id, *name_space);
  }
  absl::StatusOr<StoredBatchView> stored = ViewBatchRow(**row);
  if (!stored.ok()) co_return stored.status();
  found.batch = std::move(stored->batch);
  co_return found;
}

Task<absl::StatusOr<AcceptedBatch>> AcceptBatch(Services* services,
                                                CallContext* call,
                                                const v1::OpenBatch& open,
                                                bool streamed) {
  absl::Status allowed = RefuseNestedDispatch(services, *call, 1);
  if (!allowed.ok()) co_return allowed;
  absl::StatusOr<std::string> name_space = NamespaceOf(open.namespace_());
  if (!name_space.ok()) co_return name_space.status();
  const std::string& request_id = open.request_id();
  if (absl::Status status = CheckRequestId(request_id); !status.ok()) {
    co_return status;
  }
  Engine* engine = services->engine;
  const uint64_t hash = HashOf(*name_space, open);
  const Opening opening(
      services,
      request_id.empty() ? "" : absl::StrCat(*name_space, "/", request_id));
  if (!opening.begun()) {
    co_return absl::UnavailableError(
        absl::StrCat("another call with request_id ", request_id,
                     " is just making this batch; try again"));
  }
  AcceptedBatch accepted;
  if (!request_id.empty()) {
    Durable durable(engine);
    co_await durable;
    absl::StatusOr<std::optional<store::BatchRow>> row;
    StoreRead read(engine, [&](store::StoreView& view) {
      row = view.FindBatchRequest(*name_space, request_id);
    });
    const bool queued = co_await read;
    if (!queued) co_return TooManyReads(services->engine);
    if (!row.ok()) co_return row.status();
    if (row->has_value()) {
      absl::StatusOr<v1::Batch> earlier = CheckEarlier(**row, hash, streamed);
      if (!earlier.ok()) co_return earlier.status();
      accepted.batch = *std::move(earlier);
      accepted.existed = true;
      co_return accepted;
    }
  }
  absl::StatusOr<const v1::TaskType*> type =
      FindTaskType(services, *call, open.spec().job());
  if (!type.ok()) co_return type.status();
  absl::StatusOr<v1::BatchSpec> resolved =
      ResolveBatch(open.spec(), *type, *services->resolver);
  if (!resolved.ok()) co_return resolved.status();
  BatchSubmission submission;
  submission.namespace_ = *name_space;
  submission.request_id = request_id;
  submission.request_hash = hash;
  submission.spec = *std::move(resolved);
  submission.streamed = streamed;
  absl::StatusOr<const Batch*> batch =
      engine->CreateBatch(std::move(submission));
  if (!batch.ok()) co_return batch.status();
  accepted.batch = ToProto(**batch);
  Durable durable(engine);
  co_await durable;
  co_return accepted;
}

}  // namespace vigil::coordinator
