#include "coordinator/rpc/job_handlers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/codec/stored_job.pb.h"
#include "coordinator/rpc/accept.h"
#include "coordinator/rpc/cursors.h"
#include "coordinator/rpc/job_lookup.h"
#include "coordinator/rpc/page_token.h"

namespace vigil::coordinator {
namespace {

constexpr int64_t kOutputPageDefault = 1 << 20;
constexpr int64_t kOutputPageMax = 3 << 20;

bool Matches(const v1::JobFilter& filter, const v1::Job& job) {
  const auto holds = [](const auto& wanted, const auto& value) {
    return wanted.empty() ||
           std::find(wanted.begin(), wanted.end(), value) != wanted.end();
  };
  if (!holds(filter.states(), job.state())) return false;
  if (!holds(filter.task_types(), job.spec().task_type())) return false;
  for (const auto& [key, value] : filter.labels()) {
    const auto it = job.spec().labels().find(key);
    if (it == job.spec().labels().end() || it->second != value) return false;
  }
  if (!filter.batch_id().empty() && job.batch_id() != filter.batch_id()) {
    return false;
  }
  return !filter.has_create_time_min() ||
         FromProto(job.create_time()) >= FromProto(filter.create_time_min());
}

}  // namespace

Task<absl::Status> SubmitJob(Services* services, CallContext* call,
                             const v1::SubmitJobRequest& request,
                             v1::SubmitJobResponse* response) {
  absl::Status allowed = RefuseNestedDispatch(services, *call, 1);
  if (!allowed.ok()) co_return allowed;
  auto accepting = AcceptJob(services, call, request, false);
  absl::StatusOr<Accepted> accepted = co_await accepting;
  if (!accepted.ok()) co_return accepted.status();
  *response->mutable_job() = std::move(accepted->job);
  response->set_existed(accepted->existed);
  Durable durable(services->engine);
  co_await durable;
  co_return absl::OkStatus();
}

Task<absl::Status> SubmitJobs(Services* services, CallContext* call,
                              const v1::SubmitJobsRequest& request,
                              v1::SubmitJobsResponse* response) {
  if (request.jobs().empty() || request.jobs_size() > kJobsPerRequestMax) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("jobs has ", request.jobs_size(),
                     " entries; it must have 1 to ", kJobsPerRequestMax));
  }
  absl::Status allowed =
      RefuseNestedDispatch(services, *call, request.jobs_size());
  if (!allowed.ok()) co_return allowed;
  for (const v1::SubmitJobRequest& item : request.jobs()) {
    if (response->results_size() % kJobsPerTurnMax == kJobsPerTurnMax - 1) {
      NextTurn turn(services);
      co_await turn;
    }
    auto accepting = AcceptJob(services, call, item, false);
    absl::StatusOr<Accepted> accepted = co_await accepting;
    v1::SubmitJobsResponse::Result* result = response->add_results();
    if (accepted.ok()) {
      result->set_job_id(accepted->job.job_id());
      result->set_existed(accepted->existed);
      continue;
    }
    v1::SubmitJobsResponse::Refusal* refusal = result->mutable_refusal();
    refusal->set_code(static_cast<int>(accepted.status().code()));
    refusal->set_message(std::string(accepted.status().message()));
    if (absl::IsResourceExhausted(accepted.status())) {
      vigil::ToProto(kAdmissionRetryDelay, refusal->mutable_retry_delay());
    }
  }
  Durable durable(services->engine);
  co_await durable;
  co_return absl::OkStatus();
}

Task<absl::Status> GetJob(Services* services, CallContext*,
                          const v1::GetJobRequest& request,
                          v1::GetJobResponse* response) {
  auto looking = LookUpJob(services, request.namespace_(), request.job_id());
  absl::StatusOr<FoundJob> found = co_await looking;
  if (!found.ok()) co_return found.status();
  auto reading = LookUpProgram(services, request.job_id());
  absl::StatusOr<v1::JobSpec> program = co_await reading;
  if (!program.ok()) co_return program.status();
  if (request.include_input()) {
    // Both might not fit into one message.
  } else {
    program->clear_input();
    program->clear_fallback();
    auto adding = LookUpResult(services, &*found);
    absl::Status status = co_await adding;
    if (!status.ok()) co_return status;
  }
  *response->mutable_job() = std::move(found->job);
  response->mutable_job()->mutable_spec()->MergeFrom(*program);
  co_return absl::OkStatus();
}

Task<absl::Status> ListJobs(Services* services, CallContext*,
                            const v1::ListJobsRequest& request,
                            v1::ListJobsResponse* response) {
  absl::StatusOr<std::string> name_space = NamespaceOf(request.namespace_());
  if (!name_space.ok()) co_return name_space.status();
  absl::StatusOr<int> page_size = PageSizeOf(request.page_size());
  if (!page_size.ok()) co_return page_size.status();
  const uint64_t hash = HashWithoutToken(request);
  absl::StatusOr<ListJobsToken> token =
      ParseToken<ListJobsToken>(request.page_token(), hash);
  if (!token.ok()) co_return token.status();

  Durable durable(services->engine);
  co_await durable;
  store::StoreView::ListQuery query;
  query.namespace_id = *name_space;
  query.before_job_id = token->before_job_id();
  absl::StatusOr<std::optional<std::string>> last;
  StoreRead read(services->engine, [&](store::StoreView& view) {
    int64_t bytes = 0;
    last = view.ListJobs(query, [&](store::JobRow row) {
      bytes += static_cast<int64_t>(row.value.size());
      absl::StatusOr<StoredJobView> stored = ViewRow(row);
      if (stored.ok() && Matches(request.filter(), stored->job)) {
        *response->add_jobs() = std::move(stored->job);
      }
      return response->jobs_size() < *page_size && bytes < kMessageBytesSoftMax
                 ? store::Visit::kContinue
                 : store::Visit::kStop;
    });
  });
  const bool queued = co_await read;
  if (!queued) co_return TooManyReads(services->engine);
  if (!last.ok()) co_return last.status();
  for (v1::Job& job : *response->mutable_jobs()) {
    const Job* live = services->engine->core().FindJob(JobId(job.job_id()));
    if (live != nullptr) {
      job.set_waiting_reason(static_cast<v1::Job::WaitingReason>(
          services->engine->core().WaitingReasonOf(*live)));
    }
  }
  if (last->has_value()) {
    ListJobsToken next;
    next.set_before_job_id(**last);
    next.set_request_hash(hash);
    response->set_next_page_token(FormatToken(next));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> CancelJob(Services* services, CallContext*,
                             const v1::CancelJobRequest& request,
                             v1::CancelJobResponse* response) {
  auto looking = LookUpJob(services, request.namespace_(), request.job_id());
  absl::StatusOr<FoundJob> found = co_await looking;
  if (!found.ok()) co_return found.status();
  Engine* engine = services->engine;
  const JobId id(request.job_id());
  if (engine->core().Cancel(id, engine->now(), engine->fx())) {
    const Job* job = engine->core().FindJob(id);
    found->job = ToProto(*job, engine->core().WaitingReasonOf(*job));
  }
  *response->mutable_job() = std::move(found->job);
  Durable durable(engine);
  co_await durable;
  co_return absl::OkStatus();
}

Task<absl::Status> ReadOutput(Services* services, CallContext*,
                              const v1::ReadOutputRequest& request,
                              v1::ReadOutputResponse* response) {
  if (request.size_bytes_max() < 0 ||
      request.size_bytes_max() > kOutputPageMax) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("size_bytes_max is ", request.size_bytes_max(),
                     "; it must be from 0 (the default) to ", kOutputPageMax));
  }
  auto looking = LookUpJob(services, request.namespace_(), request.job_id());
  absl::StatusOr<FoundJob> found = co_await looking;
  if (!found.ok()) co_return found.status();
  const uint64_t hash = HashWithoutToken(request);
  absl::StatusOr<ReadOutputToken> token =
      ParseOutputToken(request.page_token(), hash);
  if (!token.ok()) co_return token.status();
  const auto& attempts = found->job.attempts();
  if (!request.page_token().empty()) {
    // The attempt that the first page chose.
  } else if (request.attempt() != 0) {
    token->set_attempt(request.attempt());
  } else if (!attempts.empty()) {
    token->set_attempt(attempts[attempts.size() - 1].number());
  }
  const int64_t bytes_max = request.size_bytes_max() == 0
                                ? kOutputPageDefault
                                : request.size_bytes_max();
  std::optional<int> stream;
  if (request.stream() != v1::Output::STREAM_UNSPECIFIED) {
    stream = request.stream();
  }
  absl::StatusOr<store::StoreView::OutputPage> page;
  StoreRead read(services->engine, [&](store::StoreView& view) {
    page = view.ReadOutput(request.job_id(), token->attempt(), stream,
                           token->after_seq(), bytes_max);
  });
  const bool queued = co_await read;
  if (!queued) co_return TooManyReads(services->engine);
  if (!page.ok()) co_return page.status();
  int64_t expected[3] = {0, token->stdout_offset(), token->stderr_offset()};
  for (store::OutputRow& row : page->rows) {
    const auto row_stream = static_cast<v1::Output::Stream>(row.stream);
    if (row.offset > expected[row.stream]) {
      v1::OutputGap* gap = response->add_gaps();
      gap->set_attempt(row.attempt);
      gap->set_stream(row_stream);
      gap->set_offset(expected[row.stream]);
      gap->set_size_bytes(row.offset - expected[row.stream]);
    }
    expected[row.stream] = row.offset + static_cast<int64_t>(row.data.size());
    v1::Output* output = response->add_output();
    output->set_attempt(row.attempt);
    output->set_stream(row_stream);
    output->set_offset(row.offset);
    output->set_data(std::move(row.data));
  }
  if (page->next_after_seq.has_value()) {
    token->set_after_seq(*page->next_after_seq);
    token->set_request_hash(hash);
    token->set_stdout_offset(expected[1]);
    token->set_stderr_offset(expected[2]);
    response->set_next_page_token(FormatToken(*token));
  }
  co_return absl::OkStatus();
}

}  // namespace vigil::coordinator
