#include "client/cli/worker_round.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

bool IsConnected(const v1::Worker& worker) {
  return worker.state() == v1::Worker::STATE_CONNECTED ||
         worker.state() == v1::Worker::STATE_DRAINING;
}

}  // namespace

int WorkerRound::Execute(const std::string& worker_id) {
  auto client = connection_.Connect();
  if (!client.ok()) return Fail(client.status().message());
  client_ = *std::move(client);
  if (worker_id.empty()) {
    List("");
  } else {
    Ask(worker_id);
  }
  int signal = 0;
  while (calls_ > 0 && signal == 0) {
    signal = environment_.events->Wait(absl::InfiniteDuration()).signal;
  }
  // Ends what is under way; nothing is posted any more.
  client_.reset();
  if (signal != 0) return kExitSignal + signal;
  if (workers_.empty() && !failed_) return Fail(question_->NobodyToAsk());
  return failed_ ? kExitVigil : 0;
}

void WorkerRound::List(const std::string& page_token) {
  v1::ListWorkersRequest request;
  request.set_page_token(page_token);
  ++calls_;
  client_->ListWorkers(
      std::move(request),
      [this](absl::StatusOr<v1::ListWorkersResponse> response) {
        environment_.events->Post([this, response = std::move(response)] {
          --calls_;
          OnWorkers(response);
        });
      });
}

void WorkerRound::OnWorkers(
    const absl::StatusOr<v1::ListWorkersResponse>& response) {
  if (!response.ok()) {
    Fail(connection_.Explain(response.status()));
    failed_ = true;
    return;
  }
  for (const v1::Worker& worker : response->workers()) {
    if (IsConnected(worker) && question_->Concerns(worker)) {
      Ask(worker.worker_id());
    }
  }
  if (!response->next_page_token().empty()) List(response->next_page_token());
}

void WorkerRound::Ask(const std::string& worker_id) {
  if (!workers_.insert(worker_id).second) return;
  ++calls_;
  question_->Ask(client_.get(), worker_id, [this, worker_id](auto report) {
    environment_.events->Post([this, worker_id, report = std::move(report)] {
      --calls_;
      const absl::Status status = report();
      if (status.ok()) return;
      failed_ = true;
      Fail(absl::StrCat("worker ", worker_id, ": ", connection_.Explain(status),
                        question_->AdviceFor(status)));
    });
  });
}

}  // namespace vigil::cli
