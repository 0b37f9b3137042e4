#include "coordinator/rpc/watch_handlers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/codec/spec_checks.h"
#include "coordinator/rpc/accept.h"
#include "coordinator/rpc/cursors.h"
#include "coordinator/rpc/job_lookup.h"
#include "coordinator/rpc/job_watch.h"
#include "coordinator/rpc/write_budget.h"

namespace vigil::coordinator {
namespace {

constexpr int64_t kHistoryPageBytesMax = kLargeWriteBytesMin;

absl::Status TooManyWatchers(Engine* engine, const std::string& name_space) {
  return engine->Refuse(Limit::kWatchers, NamespaceOf(name_space).value_or(""),
                        absl::ResourceExhaustedError(absl::StrCat(
                            "there are ", kWatchersMax,
                            " watchers, which is the most; try again later")));
}

bool IsFinal(const v1::Job& job) {
  return IsFinal(static_cast<JobState>(job.state()));
}

// Writes one piece of stored output. False: the client is gone.
template <typename Response>
Task<bool> WriteStored(JobWatch* watch, store::OutputRow* row,
                       ResponseStream<Response>* stream) {
  v1::Output output;
  output.set_attempt(row->attempt);
  output.set_stream(static_cast<v1::Output::Stream>(row->stream));
  output.set_offset(row->offset);
  output.set_data(std::move(row->data));
  Response gap;
  if (watch->TakeGap(output.attempt(), output.stream(), output.offset(),
                     gap.mutable_event())) {
    Task<bool> writing = stream->Write(gap);
    const bool open = co_await writing;
    if (!open) co_return false;
  }
  Response response;
  while (watch->Take(output, response.mutable_event())) {
    Task<bool> writing = stream->WriteAndClear(&response);
    const bool open = co_await writing;
    if (!open) co_return false;
  }
  co_return true;
}

// Writes what the store holds behind the watch's cursor, up to `attempt_max`.
template <typename Response>
Task<absl::Status> WriteHistory(Services* services, JobWatch* watch,
                                const std::string& job_id, int attempt_max,
                                ResponseStream<Response>* stream) {
  for (int attempt = std::max(1, watch->cursor().attempt());
       attempt <= attempt_max; ++attempt) {
    std::optional<int64_t> after_seq = watch->stored_seq(attempt);
    while (after_seq.has_value()) {
      WriteBudget::Claim claim(services->large_writes, kHistoryPageBytesMax,
                               stream->cut());
      co_await claim;
      absl::StatusOr<store::StoreView::OutputPage> page;
      StoreRead read(services->engine, [&](store::StoreView& view) {
        page = view.ReadOutput(job_id, attempt, std::nullopt, *after_seq,
                               kHistoryPageBytesMax);
      });
      const bool queued = co_await read;
      if (!queued) co_return TooManyReads(services->engine);
      if (!page.ok()) co_return page.status();
      for (store::OutputRow& row : page->rows) {
        const int64_t seq = row.seq;
        auto writing = WriteStored(watch, &row, stream);
        const bool open = co_await writing;
        if (!open) co_return absl::OkStatus();
        claim.Renew();
        watch->set_stored_seq(attempt, seq);
      }
      services->engine->OutputTaken(JobId(job_id));
      after_seq = page->next_after_seq;
    }
  }
  co_return absl::OkStatus();
}

// Writes from the store what the watch let go of.
template <typename Response>
Task<absl::Status> CatchUp(Services* services, JobWatch* watch,
                           const std::string& job_id,
                           ResponseStream<Response>* stream) {
  const int attempt_max = watch->CatchUp();
  Durable durable(services->engine);
  co_await durable;
  auto history = WriteHistory(services, watch, job_id, attempt_max, stream);
  absl::Status status = co_await history;
  co_return status;
}

// Writes the last event of a job whose result of `result_bytes` is in the
// store.
template <typename Response>
Task<absl::Status> WriteEnd(Services* services, int64_t result_bytes,
                            Response* response,
                            ResponseStream<Response>* stream) {
  WriteBudget::Claim claim(services->large_writes, result_bytes, stream->cut());
  co_await claim;
  FoundJob found;
  found.result_bytes = result_bytes;
  found.job = std::move(*response->mutable_event()->mutable_job());
  auto adding = LookUpResult(services, &found);
  absl::Status status = co_await adding;
  if (!status.ok()) co_return status;
  *response->mutable_event()->mutable_job() = std::move(found.job);
  Task<bool> writing = stream->WriteAndClear(response);
  const bool open = co_await writing;
  if (!open) co_return absl::CancelledError("client gone");
  co_return absl::OkStatus();
}

// Writes what the watch has until the job has ended or the stream has.
template <typename Response>
Task<absl::Status> Follow(Services* services, JobWatch* watch,
                          const std::string& job_id,
                          ResponseStream<Response>* stream) {
  Signal& signal = stream->signal();
  for (;;) {
    if (stream->client_gone()) co_return absl::CancelledError("client gone");
    if (watch->behind()) {
      auto catching_up = CatchUp(services, watch, job_id, stream);
      absl::Status status = co_await catching_up;
      if (!status.ok()) co_return status;
      continue;
    }
    Response response;
    if (watch->Next(response.mutable_event())) {
      const bool last =
          response.event().has_job() && IsFinal(response.event().job());
      if (last && watch->stored_result_bytes() > 0) {
        auto ending =
            WriteEnd(services, watch->stored_result_bytes(), &response, stream);
        absl::Status status = co_await ending;
        co_return status;
      }
      const bool output = response.event().has_output();
      Task<bool> writing = stream->WriteAndClear(&response);
      const bool open = co_await writing;
      if (!open) co_return absl::CancelledError("client gone");
      if (last) co_return absl::OkStatus();
      if (output) services->engine->OutputTaken(JobId(job_id));
      continue;
    }
    if (services->stopping) co_return StoppingStream();
    co_await signal;
  }
}

// Has a job that has ended be the watch's last event.
void TellEnd(FoundJob found, JobWatch* watch) {
  int64_t result_bytes = found.result_bytes.value_or(0);
  if (found.job.degraded()) {
    result_bytes = kInputBytesMax;  // a fallback is at most as large
  } else if (found.result_bytes == 0) {
    SetResult("", &found.job);
  }
  watch->OnJob(std::make_shared<const v1::Job>(std::move(found.job)),
               result_bytes);
}

// Whether `job` ends with the connection that asked for it.
bool Owned(Services* services, const JobId& id) {
  const Job* job = services->engine->core().FindJob(id);
  return job != nullptr && job->policy->cancel_on_disconnect;
}

}  // namespace

Task<absl::Status> RunJob(Services* services, CallContext* call,
                          const v1::RunJobRequest& request,
                          ResponseStream<v1::RunJobResponse>* stream) {
  Engine* engine = services->engine;
  absl::Status allowed = RefuseNestedDispatch(services, *call, 1);
  if (!allowed.ok()) co_return allowed;
  if (engine->hub().size() >= kWatchersMax) {
    co_return call->Refuse(TooManyWatchers(engine, request.job().namespace_()));
  }
  if (!v1::RunJobRequest::OnDisconnect_IsValid(request.on_disconnect())) {
    co_return absl::InvalidArgumentError(
        "on_disconnect is none of CANCEL and CONTINUE");
  }
  const bool cancel_on_disconnect =
      request.on_disconnect() != v1::RunJobRequest::ON_DISCONNECT_CONTINUE;
  auto accepting =
      AcceptJob(services, call, request.job(), cancel_on_disconnect);
  absl::StatusOr<Accepted> accepted = co_await accepting;
  if (!accepted.ok()) co_return accepted.status();
  const std::string job_id = accepted->job.job_id();
  const JobId id(job_id);
  WatchCursor cursor;
  cursor.set_job_id(job_id);
  JobWatch::Options options;
  options.lossless = true;
  JobWatch watch(engine, &stream->signal(), std::move(cursor), options);
  const int64_t owner = engine->core().OwnerBack(id);
  Durable durable(engine);
  co_await durable;
  if (!IsFinal(accepted->job)) {
    v1::RunJobResponse first;
    *first.mutable_event()->mutable_job() = accepted->job;
    first.mutable_event()->set_cursor(watch.cursor().SerializeAsString());
    Task<bool> writing = stream->Write(first);
    co_await writing;
  }
  if (accepted->existed) {
    // A repeated submission: the job may be anywhere in its life.
    auto looking = LookUpJob(services, request.job().namespace_(), job_id);
    absl::StatusOr<FoundJob> found = co_await looking;
    if (!found.ok()) co_return found.status();
    auto history = WriteHistory(services, &watch, job_id,
                                found->job.attempts_size() == 0
                                    ? 0
                                    : found->job.attempts().rbegin()->number(),
                                stream);
    absl::Status status = co_await history;
    if (!status.ok()) co_return status;
    if (IsFinal(found->job)) TellEnd(*std::move(found), &watch);
  }
  auto following = Follow(services, &watch, job_id, stream);
  absl::Status status = co_await following;
  if (!status.ok() && !services->stopping && Owned(services, id)) {
    engine->core().OwnerGone(id, owner, engine->now());
  }
  co_return status;
}

Task<absl::Status> WatchJob(Services* services, CallContext* call,
                            const v1::WatchJobRequest& request,
                            ResponseStream<v1::WatchJobResponse>* stream) {
  Engine* engine = services->engine;
  if (engine->hub().size() >= kWatchersMax) {
    co_return call->Refuse(TooManyWatchers(engine, request.namespace_()));
  }
  absl::StatusOr<WatchCursor> cursor =
      ParseWatchCursor(request.cursor(), request.job_id());
  if (!cursor.ok()) co_return cursor.status();
  const JobId id(request.job_id());
  // Watch first, look second: whatever happens between is queued, and what was
  // seen twice is recognised by its offset.
  JobWatch::Options options;
  options.lossless = request.take_over();
  options.skip_output = request.skip_output();
  JobWatch watch(engine, &stream->signal(), *std::move(cursor), options);
  auto looking = LookUpJob(services, request.namespace_(), request.job_id());
  absl::StatusOr<FoundJob> found = co_await looking;
  if (!found.ok()) co_return found.status();
  const int64_t owner = request.take_over() ? engine->core().OwnerBack(id) : 0;

  const bool ended = IsFinal(found->job);
  const int attempts = found->job.attempts_size() == 0
                           ? 0
                           : found->job.attempts().rbegin()->number();
  if (!ended) {
    v1::WatchJobResponse first;
    *first.mutable_event()->mutable_job() = found->job;
    first.mutable_event()->set_cursor(watch.cursor().SerializeAsString());
    Task<bool> writing = stream->Write(first);
    co_await writing;
  }
  if (!request.skip_output()) {
    // What came before this watch and is not stored is in nobody's hands for
    // it: while a disk is full that may be much.
    Durable durable(engine);
    if (!ended) co_await durable;
    auto history =
        WriteHistory(services, &watch, request.job_id(), attempts, stream);
    absl::Status status = co_await history;
    if (!status.ok()) co_return status;
  }
  if (ended) TellEnd(*std::move(found), &watch);
  auto following = Follow(services, &watch, request.job_id(), stream);
  absl::Status status = co_await following;
  if (!status.ok() && request.take_over() && !services->stopping &&
      Owned(services, id)) {
    engine->core().OwnerGone(id, owner, engine->now());
  }
  co_return status;
}

}  // namespace vigil::coordinator
