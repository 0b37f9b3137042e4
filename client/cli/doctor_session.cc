#include "client/cli/doctor_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

// How often the workers are looked at again while slots are waited for.
constexpr absl::Duration kSurveyInterval = absl::Milliseconds(20);

}  // namespace

DoctorSession::DoctorSession(std::unique_ptr<client::Client> client,
                             const PrivateCoordinator* coordinator,
                             absl::Duration timeout,
                             const Environment& environment)
    : environment_(environment),
      coordinator_(coordinator),
      timeout_(timeout),
      deadline_(environment.clock->Now() + timeout),
      client_(std::move(client)) {}

DoctorSession::~DoctorSession() {
  for (const auto& job : jobs_) {
    if (!job->end_time.has_value()) job->stream.Cancel();
  }
  for (const auto& batch : batches_) {
    if (!batch->end_time.has_value()) batch->stream.Cancel();
  }
  // A signal that came before is why it is cleaned up; another one leaves.
  signal_ = 0;
  // What does not end in time is left to the coordinator, which was told, or is
  // by the end of the stream.
  AwaitUntil(Now() + kDoctorCleanUpTimeout, [this] {
    const auto ended = [](const auto& one) {
      return one->end_time.has_value();
    };
    return std::all_of(jobs_.begin(), jobs_.end(), ended) &&
           std::all_of(batches_.begin(), batches_.end(), ended);
  }).IgnoreError();
}

absl::Status DoctorSession::Await(const std::function<bool()>& done) {
  return AwaitUntil(deadline_, done);
}

absl::Status DoctorSession::AwaitUntil(absl::Time deadline,
                                       const std::function<bool()>& done) {
  const int process = coordinator_ ? coordinator_->process_fd() : -1;
  while (signal_ == 0) {
    if (done()) return absl::OkStatus();
    const absl::Duration left = deadline - Now();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError("its time was over");
    }
    const EventQueue::Wakeup wakeup = environment_.events->Wait(left, process);
    if (wakeup.signal != 0) signal_ = wakeup.signal;
    if (wakeup.readable) {
      return absl::UnavailableError(
          absl::StrCat("the private coordinator ended; its log ends:\n",
                       coordinator_->LogTail()));
    }
  }
  return absl::CancelledError("interrupted");
}

absl::Status DoctorSession::AwaitEnd(const SeenJob& job) {
  absl::Status status = Await([&job] { return job.end_time.has_value(); });
  return status.ok() ? job.error : status;
}

absl::Status DoctorSession::AwaitEnd(const SeenBatch& batch) {
  absl::Status status = Await([&batch] { return batch.end_time.has_value(); });
  return status.ok() ? batch.error : status;
}

absl::Status DoctorSession::Pause(absl::Duration time) {
  absl::Status status = AwaitUntil(Now() + time, [] { return false; });
  return absl::IsDeadlineExceeded(status) ? absl::OkStatus() : status;
}

void DoctorSession::Extend(absl::Duration time) {
  deadline_ = std::max(deadline_, Now() + time);
}

absl::StatusOr<std::vector<v1::Worker>> DoctorSession::ListWorkers() {
  std::vector<v1::Worker> workers;
  v1::ListWorkersRequest request;
  do {
    using Answer = absl::StatusOr<v1::ListWorkersResponse>;
    // Shared: the answer may come when nobody waits for it any more.
    auto answer = std::make_shared<std::optional<Answer>>();
    client_->Call(
        request,
        [this, answer](Answer response) {
          Post([answer, response = std::move(response)] {
            answer->emplace(response);
          });
        },
        {.timeout = std::max(absl::Milliseconds(1), deadline_ - Now())});
    absl::Status status = Await([&answer] { return answer->has_value(); });
    if (!status.ok()) return status;
    if (!(*answer)->ok()) return (*answer)->status();
    const v1::ListWorkersResponse& response = (*answer)->value();
    workers.insert(workers.end(), response.workers().begin(),
                   response.workers().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return workers;
}

absl::StatusOr<SlotSurvey> DoctorSession::Survey(int wanted,
                                                 absl::Duration patience) {
  const absl::Time give_up = Now() + patience;
  for (;;) {
    absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers();
    if (!workers.ok()) return workers.status();
    SlotSurvey survey = SurveyOf(*workers, Now());
    if (survey.free >= wanted || Now() >= give_up) return survey;
    if (absl::Status paused = Pause(kSurveyInterval); !paused.ok()) {
      return paused;
    }
  }
}

std::shared_ptr<const SeenJob> DoctorSession::Start(v1::JobSpec spec) {
  auto seen = std::make_shared<SeenJob>(SeenJob{.submit_time = Now()});
  jobs_.push_back(seen);
  v1::RunJobRequest request;
  request.mutable_job()->set_namespace_(kDoctorNamespace);
  *request.mutable_job()->mutable_spec() = std::move(spec);

  client::JobObserver observer;
  observer.on_job = [this, seen](const v1::Job& job) {
    Post([seen, job] { seen->job = job; });
  };
  observer.on_output = [this, seen](const v1::Output& output) {
    Post([seen, output, now = Now()] {
      if (!seen->first_output_time.has_value()) seen->first_output_time = now;
      if (output.stream() == v1::Output::STREAM_STDOUT) {
        seen->output += output.data();
      }
    });
  };
  observer.on_end = [this, seen](absl::StatusOr<v1::Job> job) {
    Post([seen, job = std::move(job), now = Now()] {
      seen->end_time = now;
      seen->error = job.status();
      if (job.ok()) seen->job = *job;
    });
  };
  seen->stream = client_->RunJob(std::move(request), std::move(observer));
  return seen;
}

void DoctorSession::Cancel(const SeenJob& job) {
  client::JobStream stream = job.stream;
  stream.Cancel();
}

std::shared_ptr<const SeenBatch> DoctorSession::StartBatch(
    v1::BatchSpec spec, const std::vector<v1::BatchItem>& items) {
  auto seen = std::make_shared<SeenBatch>(SeenBatch{.submit_time = Now()});
  batches_.push_back(seen);
  v1::OpenBatch open;
  open.set_namespace_(kDoctorNamespace);
  *open.mutable_spec() = std::move(spec);

  client::BatchObserver observer;
  observer.on_event = [this, seen](const v1::BatchEvent& event) {
    Post([seen, event, now = Now()] {
      if (event.has_batch()) seen->batch = event.batch();
      for (const v1::BatchResult& result : event.results()) {
        seen->results.push_back({now, result});
      }
    });
  };
  observer.on_end = [this, seen](absl::StatusOr<v1::Batch> batch) {
    Post([seen, batch = std::move(batch), now = Now()] {
      seen->end_time = now;
      seen->error = batch.status();
      if (batch.ok()) seen->batch = *batch;
    });
  };
  seen->stream = client_->RunBatch(
      std::move(open), v1::RESULT_ORDER_AS_COMPLETED, std::move(observer));
  for (const v1::BatchItem& item : items) seen->stream.Add(item);
  seen->stream.Close();
  return seen;
}

std::vector<std::shared_ptr<const SeenJob>> DoctorSession::Unended() const {
  std::vector<std::shared_ptr<const SeenJob>> unended;
  for (const auto& job : jobs_) {
    if (!job->end_time.has_value()) unended.push_back(job);
  }
  return unended;
}

}  // namespace vigil::cli
