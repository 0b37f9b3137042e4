#include "coordinator/rpc/run_batch.h"

#include <grpcpp/support/async_stream.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/rpc/batch_lookup.h"
#include "coordinator/rpc/batch_watch.h"
#include "coordinator/rpc/cursors.h"

namespace vigil::coordinator {
namespace {

class RunBatchStream {
 public:
  RunBatchStream(Services* services, Loop* loop)
      : services_(services),
        rpc(&context),
        signal(loop->ready()),
        room(loop->ready()),
        read_all(loop->ready()),
        done(&signal) {}

  // Runs the whole stream but for its Finish.
  Task<absl::Status> Run();
  bool reader_runs() const { return reader_runs_; }

 private:
  // Makes the batch, or takes it up.
  Task<absl::Status> Open();
  // Takes the items of `request_` and of those that follow it.
  Detached ReadItems();
  Task<absl::Status> TakeItems();
  // Whether the next item may become a job now.
  bool HasRoom() const;
  const Batch* FindBatch() const {
    return services_->engine->core().FindBatch(id_);
  }
  // The batch if this stream may still give it items, else null.
  const Batch* OpenForItems() const {
    const Batch* batch = FindBatch();
    return batch != nullptr && !closing_ && batch->owner == owner_ &&
                   batch->state == BatchState::kOpen
               ? batch
               : nullptr;
  }
  Task<absl::Status> WriteResults();
  // Why nothing more will be written, if so.
  std::optional<absl::Status> CutOff() const;

  Services* const services_;

 public:
  grpc::ServerContext context;
  grpc::ServerAsyncReaderWriter<v1::RunBatchResponse, v1::RunBatchRequest> rpc;
  // Something to write, or to end for.
  Signal signal;
  // There may be room for another item, or nobody wants it any more.
  Signal room;
  // The reader has come to its end.
  Signal read_all;
  Done done;
  Operation reading;
  Operation writing;

 private:
  v1::RunBatchRequest request_;
  BatchId id_;
  int64_t owner_ = 0;
  std::unique_ptr<BatchWatch> watch_;
  // The reader runs, and is to end.
  bool reader_runs_ = false;
  bool closing_ = false;
  // The client's side of the stream is over, or what it said was wrong.
  bool half_closed_ = false;
  absl::Status read_status_;
};

Task<absl::Status> RunBatchStream::Open() {
  Engine* engine = services_->engine;
  if (!request_.has_open()) {
    co_return absl::InvalidArgumentError(
        "open is missing: the first request of a stream has it");
  }
  if (engine->batch_hub().size() >= kBatchWatchersMax) {
    co_return TooManyBatchWatchers(engine, request_.open().namespace_());
  }
  if (absl::Status status = CheckOrder(request_.order()); !status.ok()) {
    co_return status;
  }
  const v1::OpenBatch open = request_.open();
  CallContext call(&context);
  auto accepting = AcceptBatch(services_, &call, open, true);
  absl::StatusOr<AcceptedBatch> accepted = co_await accepting;
  if (!accepted.ok()) co_return accepted.status();
  const std::string batch_id = accepted->batch.batch_id();
  // From here on the batch is this stream's, to be let go of whatever happens.
  id_ = BatchId(batch_id);
  owner_ = engine->core().BatchOwnerBack(id_);
  absl::StatusOr<int64_t> position =
      PositionOf(request_.cursor(), request_.order(), batch_id);
  if (!position.ok()) co_return position.status();
  watch_ = std::make_unique<BatchWatch>(services_, &signal, batch_id,
                                        request_.order(), *position);
  for (BatchWatcher* watcher : engine->batch_hub().Of(id_)) watcher->OnOwner();
  auto looking = LookUpBatch(services_, open.namespace_(), batch_id);
  absl::StatusOr<FoundBatch> found = co_await looking;
  if (!found.ok()) co_return found.status();
  watch_->Begin(std::move(found->batch));
  co_return absl::OkStatus();
}

bool RunBatchStream::HasRoom() const {
  const Batch* batch = FindBatch();
  // Of a coordinator that is about to end, items are for the one that follows.
  return services_->engine->accepts() && batch != nullptr &&
         batch->room() > 0 &&
         batch->accepted - watch_->results() < batch->policy.max_in_flight;
}

Task<absl::Status> RunBatchStream::TakeItems() {
  if (absl::Status status = CheckItems(request_.items_size()); !status.ok()) {
    co_return status;
  }
  if (request_.first_index() < 0) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("first_index is ", request_.first_index(),
                     "; it must not be negative"));
  }
  const Batch* open = OpenForItems();
  if (open == nullptr) co_return absl::OkStatus();
  const int64_t first =
      request_.has_first_index() ? request_.first_index() : open->accepted;
  Engine* engine = services_->engine;
  int64_t gathered_bytes = 0;
  for (int i = 0; i < request_.items_size(); ++i) {
    if (i % kJobsPerTurnMax == kJobsPerTurnMax - 1) {
      NextTurn turn(services_);
      co_await turn;
    }
    if (gathered_bytes >= kFeedBytesMax) {
      Durable durable(engine);
      co_await durable;
      gathered_bytes = 0;
    }
    const Batch* batch = OpenForItems();
    // Stopped, or taken up by another stream: what follows is not wanted.
    if (batch == nullptr) co_return absl::OkStatus();
    if (first > batch->accepted) {
      co_return absl::InvalidArgumentError(
          absl::StrCat("first_index is ", first, ", and ", batch->accepted,
                       " items were accepted"));
    }
    if (first + i < batch->accepted) continue;
    while (OpenForItems() != nullptr && !HasRoom()) co_await room;
    if (OpenForItems() == nullptr) co_return absl::OkStatus();
    v1::BatchItem* item = request_.mutable_items(i);
    // Each job has the whole program, and holds it until it is durable.
    gathered_bytes +=
        engine->ProgramBytes(id_) + static_cast<int64_t>(item->ByteSizeLong());
    absl::Status status = engine->TakeItem(id_, std::move(*item));
    if (!status.ok()) co_return status;
  }
  if (request_.close() && OpenForItems() != nullptr) {
    engine->core().CloseBatch(id_, engine->now(), engine->fx());
  }
  co_return absl::OkStatus();
}

Detached RunBatchStream::ReadItems() {
  reader_runs_ = true;
  for (;;) {
    auto taking = TakeItems();
    read_status_ = co_await taking;
    if (!read_status_.ok() || closing_ || request_.close()) break;
    rpc.Read(&request_, reading.tag());
    const bool ok = co_await reading;
    if (!ok) {
      half_closed_ = true;
      break;
    }
    if (request_.has_open()) {
      read_status_ = absl::InvalidArgumentError(
          "open is in the first request of a stream only");
      break;
    }
  }
  reader_runs_ = false;
  signal.Notify();
  read_all.Notify();
}

std::optional<absl::Status> RunBatchStream::CutOff() const {
  if (done.done()) return absl::CancelledError("client gone");
  if (!read_status_.ok()) return read_status_;
  const Batch* batch = FindBatch();
  if (batch != nullptr && batch->owner != owner_) {
    return absl::AbortedError("another stream has taken this batch up");
  }
  if (services_->stopping) return StoppingStream();
  if (half_closed_ && batch != nullptr && batch->state == BatchState::kOpen &&
      watch_->results() >= batch->accepted) {
    return absl::InvalidArgumentError(
        "the client ended its side of the stream without `close`, so the batch "
        "may not have all its items");
  }
  return std::nullopt;
}

Task<absl::Status> RunBatchStream::WriteResults() {
  for (;;) {
    if (std::optional<absl::Status> cut = CutOff()) co_return *cut;
    v1::RunBatchResponse response;
    auto next = watch_->Next(response.mutable_event());
    absl::Status status = co_await next;
    if (!status.ok()) co_return status;
    room.Notify();
    if (response.event().cursor().empty()) {
      co_await signal;
      continue;
    }
    if (done.done()) co_return absl::CancelledError("client gone");
    rpc.Write(response, writing.tag());
    const bool ok = co_await writing;
    if (!ok) co_return absl::CancelledError("client gone");
    if (watch_->done()) co_return absl::OkStatus();
  }
}

Task<absl::Status> RunBatchStream::Run() {
  rpc.Read(&request_, reading.tag());
  const bool ok = co_await reading;
  if (!ok) co_return absl::InvalidArgumentError("the stream has no request");
  auto opening = Open();
  absl::Status status = co_await opening;
  if (status.ok()) {
    ReadItems();
    auto writing_results = WriteResults();
    status = co_await writing_results;
    closing_ = true;
    room.Notify();
  }
  if (!status.ok() && !id_.empty() && !services_->stopping) {
    Engine* engine = services_->engine;
    engine->core().BatchOwnerGone(id_, owner_, engine->now());
  }
  co_return CallContext(&context).Refuse(std::move(status));
}

}  // namespace

Detached ServeRunBatch(Services* services, Loop* loop, LiveStreams* live,
                       v1::BatchService::AsyncService* service) {
  RunBatchStream stream(services, loop);
  stream.context.AsyncNotifyWhenDone(stream.done.tag());
  service->RequestRunBatch(&stream.context, &stream.rpc, loop->queue(),
                           loop->queue(), stream.writing.tag());
  const bool accepted = co_await stream.writing;
  if (!accepted) co_return;
  if (!services->stopping) ServeRunBatch(services, loop, live, service);
  live->Add(&stream.signal, &stream.context);
  auto running = stream.Run();
  const absl::Status status = co_await running;
  stream.rpc.Finish(ToGrpc(status), stream.writing.tag());
  co_await stream.writing;
  // A read that was under way comes back by now.
  while (stream.reader_runs()) co_await stream.read_all;
  co_await stream.done;
  live->Remove(&stream.signal, &stream.context);
}

}  // namespace vigil::coordinator
