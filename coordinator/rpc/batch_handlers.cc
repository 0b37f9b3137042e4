#include "coordinator/rpc/batch_handlers.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/codec/batch_codec.h"
#include "coordinator/codec/stored_batch.pb.h"
#include "coordinator/rpc/accept.h"
#include "coordinator/rpc/batch_lookup.h"
#include "coordinator/rpc/batch_watch.h"
#include "coordinator/rpc/cursors.h"
#include "coordinator/rpc/page_token.h"

namespace vigil::coordinator {
namespace {

// The batch as the core has it; `found` if it has ended meanwhile.
v1::Batch Now(Services* services, FoundBatch found) {
  const Batch* batch =
      services->engine->core().FindBatch(BatchId(found.batch.batch_id()));
  return batch == nullptr ? std::move(found.batch) : ToProto(*batch);
}

absl::Status NotOpen(const v1::Batch& batch) {
  return absl::FailedPreconditionError(absl::StrCat(
      "batch ", batch.batch_id(), " is ",
      v1::Batch::State_Name(batch.state()).substr(sizeof("STATE_") - 1),
      " and takes no items; make a new one for them"));
}

// Answers a request that names a batch with what `change` makes of it, durably.
template <typename Request, typename Response>
Task<absl::Status> Change(Services* services, const Request& request,
                          Response* response, std::function<void()> change) {
  auto looking =
      LookUpBatch(services, request.namespace_(), request.batch_id());
  absl::StatusOr<FoundBatch> found = co_await looking;
  if (!found.ok()) co_return found.status();
  change();
  *response->mutable_batch() = Now(services, *std::move(found));
  Durable durable(services->engine);
  co_await durable;
  co_return absl::OkStatus();
}

}  // namespace

Task<absl::Status> CreateBatch(Services* services, CallContext* call,
                               const v1::CreateBatchRequest& request,
                               v1::CreateBatchResponse* response) {
  auto accepting = AcceptBatch(services, call, request.open(), false);
  absl::StatusOr<AcceptedBatch> accepted = co_await accepting;
  if (!accepted.ok()) co_return call->Refuse(accepted.status());
  *response->mutable_batch() = std::move(accepted->batch);
  response->set_existed(accepted->existed);
  co_return absl::OkStatus();
}

Task<absl::Status> AddItems(Services* services, CallContext* call,
                            const v1::AddItemsRequest& request,
                            v1::AddItemsResponse* response) {
  if (absl::Status status = CheckItems(request.items_size()); !status.ok()) {
    co_return status;
  }
  if (request.items().empty()) {
    co_return absl::InvalidArgumentError("items is empty");
  }
  absl::Status allowed =
      RefuseNestedDispatch(services, *call, request.items_size());
  if (!allowed.ok()) co_return allowed;
  auto looking =
      LookUpBatch(services, request.namespace_(), request.batch_id());
  absl::StatusOr<FoundBatch> found = co_await looking;
  if (!found.ok()) co_return found.status();
  Engine* engine = services->engine;
  const BatchId id(request.batch_id());
  const Batch* batch = engine->core().FindBatch(id);
  const int64_t accepted =
      batch == nullptr ? found->batch.counts().accepted() : batch->accepted;
  const int64_t first =
      request.has_first_index() ? request.first_index() : accepted;
  if (first < 0 || first > accepted) {
    co_return absl::OutOfRangeError(
        absl::StrCat("first_index is ", first, ", and ", accepted,
                     " items were accepted; go on with that one"));
  }
  const int64_t known =
      std::min<int64_t>(accepted - first, request.items_size());
  if (known < request.items_size()) {
    if (batch == nullptr || batch->state != BatchState::kOpen) {
      co_return NotOpen(Now(services, *std::move(found)));
    }
    if (batch->policy.streamed) {
      co_return absl::FailedPreconditionError(
          absl::StrCat("batch ", id.value(),
                       " gets its items by RunBatch; make one by CreateBatch"));
    }
    google::protobuf::RepeatedPtrField<v1::BatchItem> items(
        request.items().begin() + known, request.items().end());
    absl::Status status = engine->AddItems(id, std::move(items));
    if (!status.ok()) co_return call->Refuse(std::move(status));
  }
  *response->mutable_batch() = Now(services, *std::move(found));
  Durable durable(engine);
  co_await durable;
  co_return absl::OkStatus();
}

Task<absl::Status> CloseBatch(Services* services, CallContext*,
                              const v1::CloseBatchRequest& request,
                              v1::CloseBatchResponse* response) {
  Engine* engine = services->engine;
  const BatchId id(request.batch_id());
  auto changing = Change(services, request, response, [engine, id] {
    engine->core().CloseBatch(id, engine->now(), engine->fx());
  });
  absl::Status status = co_await changing;
  co_return status;
}

Task<absl::Status> GetBatch(Services* services, CallContext*,
                            const v1::GetBatchRequest& request,
                            v1::GetBatchResponse* response) {
  auto looking =
      LookUpBatch(services, request.namespace_(), request.batch_id());
  absl::StatusOr<FoundBatch> found = co_await looking;
  if (!found.ok()) co_return found.status();
  *response->mutable_batch() = std::move(found->batch);
  co_return absl::OkStatus();
}

Task<absl::Status> CancelBatch(Services* services, CallContext*,
                               const v1::CancelBatchRequest& request,
                               v1::CancelBatchResponse* response) {
  Engine* engine = services->engine;
  const BatchId id(request.batch_id());
  auto changing = Change(services, request, response, [engine, id] {
    engine->core().CancelBatch(id, engine->fx());
  });
  absl::Status status = co_await changing;
  co_return status;
}

Task<absl::Status> ListBatches(Services* services, CallContext*,
                               const v1::ListBatchesRequest& request,
                               v1::ListBatchesResponse* response) {
  absl::StatusOr<std::string> name_space = NamespaceOf(request.namespace_());
  if (!name_space.ok()) co_return name_space.status();
  absl::StatusOr<int> page_size = PageSizeOf(request.page_size());
  if (!page_size.ok()) co_return page_size.status();
  const uint64_t hash = HashWithoutToken(request);
  absl::StatusOr<ListBatchesToken> token =
      ParseToken<ListBatchesToken>(request.page_token(), hash);
  if (!token.ok()) co_return token.status();
  Durable durable(services->engine);
  co_await durable;
  store::StoreView::ListQuery query;
  query.namespace_id = *name_space;
  query.before_job_id = token->before_batch_id();
  absl::StatusOr<std::optional<std::string>> last;
  StoreRead read(services->engine, [&](store::StoreView& view) {
    int64_t bytes = 0;
    last = view.ListBatches(query, [&](store::BatchRow row) {
      bytes += static_cast<int64_t>(row.value.size());
      absl::StatusOr<StoredBatchView> stored = ViewBatchRow(row);
      const auto& states = request.states();
      if (stored.ok() && (states.empty() ||
                          std::find(states.begin(), states.end(),
                                    stored->batch.state()) != states.end())) {
        *response->add_batches() = std::move(stored->batch);
      }
      return response->batches_size() < *page_size &&
                     bytes < kMessageBytesSoftMax
                 ? store::Visit::kContinue
                 : store::Visit::kStop;
    });
  });
  const bool queued = co_await read;
  if (!queued) co_return TooManyReads(services->engine);
  if (!last.ok()) co_return last.status();
  if (last->has_value()) {
    ListBatchesToken next;
    next.set_before_batch_id(**last);
    next.set_request_hash(hash);
    response->set_next_page_token(FormatToken(next));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> WatchBatch(Services* services, CallContext* call,
                              const v1::WatchBatchRequest& request,
                              ResponseStream<v1::WatchBatchResponse>* stream) {
  absl::StatusOr<int64_t> position =
      PositionOf(request.cursor(), request.order(), request.batch_id());
  if (!position.ok()) co_return position.status();
  if (services->engine->batch_hub().size() >= kBatchWatchersMax) {
    co_return call->Refuse(
        TooManyBatchWatchers(services->engine, request.namespace_()));
  }
  // Watch first, look second: what happens between is heard of.
  BatchWatch watch(services, &stream->signal(), request.batch_id(),
                   request.order(), *position);
  auto looking =
      LookUpBatch(services, request.namespace_(), request.batch_id());
  absl::StatusOr<FoundBatch> found = co_await looking;
  if (!found.ok()) co_return found.status();
  watch.Begin(std::move(found->batch));
  Signal& signal = stream->signal();
  for (;;) {
    if (stream->client_gone()) co_return absl::CancelledError("client gone");
    v1::WatchBatchResponse response;
    auto next = watch.Next(response.mutable_event());
    absl::Status status = co_await next;
    if (!status.ok()) co_return status;
    if (!response.event().cursor().empty()) {
      Task<bool> writing = stream->Write(response);
      const bool open = co_await writing;
      if (!open) co_return absl::CancelledError("client gone");
      if (watch.done()) co_return absl::OkStatus();
      continue;
    }
    if (services->stopping) co_return StoppingStream();
    co_await signal;
  }
}

}  // namespace vigil::coordinator
