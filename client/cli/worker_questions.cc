#include "client/cli/worker_questions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

// Of SweptProcess.start_ticks; the same on every Linux that Vigil knows.
constexpr int kTicksPerSecond = 100;

absl::Status Printed(const std::string& text) {
  return Print(text) ? absl::OkStatus()
                     : absl::DataLossError("its answer could not be written");
}

class ClearCache : public WorkerRound::Question {
 public:
  explicit ClearCache(std::string task_type)
      : task_type_(std::move(task_type)) {}

  bool Concerns(const v1::Worker& worker) const override {
    const auto& types = worker.task_types();
    return std::find(types.begin(), types.end(), task_type_) != types.end();
  }

  void Ask(client::Client* client, const std::string& worker_id,
           std::function<void(Report)> answered) override {
    v1::ClearWorkerCacheRequest request;
    request.set_worker_id(worker_id);
    request.set_task_type(task_type_);
    client->ClearWorkerCache(
        std::move(request),
        [worker_id, answered](
            const absl::StatusOr<v1::ClearWorkerCacheResponse>& response) {
          answered([worker_id, status = response.status()] {
            if (!status.ok()) return status;
            return Printed(absl::StrCat(worker_id, "  cleared\n"));
          });
        },
        {.timeout = kWorkerCallTimeout});
  }

  std::string AdviceFor(const absl::Status& status) const override {
    if (absl::IsNotFound(status)) {
      return "; `vigil status` shows the workers and what they offer";
    }
    if (absl::IsFailedPrecondition(status)) {
      return "; try again when it is connected and runs no job of this type";
    }
    if (absl::IsDeadlineExceeded(status)) {
      return "; try again: it is safe to repeat";
    }
    return "";
  }

  std::string NobodyToAsk() const override {
    return absl::StrCat("no connected worker offers `", task_type_,
                        "`; `vigil status` shows what they offer");
  }

 private:
  const std::string task_type_;
};

class Sweep : public WorkerRound::Question {
 public:
  explicit Sweep(SweepMode mode) : mode_(mode) {}

  bool Concerns(const v1::Worker&) const override { return true; }

  void Ask(client::Client* client, const std::string& worker_id,
           std::function<void(Report)> answered) override {
    v1::SweepWorkerRequest request;
    request.set_worker_id(worker_id);
    request.set_dry_run(mode_ == SweepMode::kDryRun);
    client->SweepWorker(
        std::move(request),
        [this, worker_id,
         answered](absl::StatusOr<v1::SweepWorkerResponse> response) {
          answered([this, worker_id, response = std::move(response)] {
            if (!response.ok()) return response.status();
            return Tell(worker_id, response->result());
          });
        },
        {.timeout = kWorkerCallTimeout});
  }

  std::string AdviceFor(const absl::Status& status) const override {
    if (absl::IsNotFound(status)) return "; `vigil status` shows the workers";
    if (absl::IsFailedPrecondition(status)) {
      return "; try again when it is connected";
    }
    if (absl::IsDeadlineExceeded(status)) {
      return "; try again: it is safe to repeat";
    }
    return "";
  }

  std::string NobodyToAsk() const override {
    return "no worker is connected; `vigil status` shows those there are";
  }

 private:
  absl::Status Tell(const std::string& worker_id,
                    const v1::SweepResult& result) const {
    std::string text;
    int alive = 0;
    for (const v1::SweptProcess& process : result.processes()) {
      const bool dry = mode_ == SweepMode::kDryRun;
      if (!dry && !process.killed()) ++alive;
      absl::StrAppend(&text, worker_id, "  pid ", process.pid(), "  started ",
                      HumanDuration(absl::Seconds(1) * process.start_ticks() /
                                    kTicksPerSecond),
                      " after boot  ", OneLine(process.command()), "  found ",
                      process.found_by(), "  ",
                      dry                ? "would be killed"
                      : process.killed() ? "killed"
                                         : "could not be killed",
                      "\n");
    }
    if (result.processes().empty()) {
      absl::StrAppend(&text, worker_id, "  nothing is left behind\n");
    }
    if (result.unreadable() > 0) {
      absl::StrAppend(&text, worker_id, "  ", result.unreadable(),
                      result.unreadable() == 1 ? " process" : " processes",
                      " of others may not be looked into\n");
    }
    absl::Status printed = Printed(text);
    if (!printed.ok() || alive == 0) return printed;
    return absl::UnavailableError(
        absl::StrCat(alive, alive == 1 ? " process" : " processes",
                     " could not be killed; try again, or restart the host"));
  }

  const SweepMode mode_;
};

class Drain : public WorkerRound::Question {
 public:
  explicit Drain(v1::DrainWorkerRequest request)
      : request_(std::move(request)) {}

  // Asked of one worker only, which is named.
  bool Concerns(const v1::Worker&) const override { return false; }

  void Ask(client::Client* client, const std::string& worker_id,
           std::function<void(Report)> answered) override {
    v1::DrainWorkerRequest request = request_;
    request.set_worker_id(worker_id);
    client->DrainWorker(
        std::move(request),
        [this, worker_id,
         answered](absl::StatusOr<v1::DrainWorkerResponse> response) {
          answered([this, worker_id, response = std::move(response)] {
            if (!response.ok()) return response.status();
            return Printed(absl::StrCat(worker_id, "  ",
                                        Outcome(response->worker()), "\n"));
          });
        });
  }

  std::string AdviceFor(const absl::Status& status) const override {
    return absl::IsNotFound(status) ? "; `vigil status` shows the workers" : "";
  }

  std::string NobodyToAsk() const override { return "no worker is named"; }

 private:
  std::string Outcome(const v1::Worker& worker) const {
    if (request_.resume()) return "takes work again";
    const auto busy = std::count_if(
        worker.slots().begin(), worker.slots().end(),
        [](const v1::Slot& slot) { return !slot.job_id().empty(); });
    return absl::StrCat(
        request_.stay() ? "gets no more work" : "leaves when it is done", "; ",
        busy, busy == 1 ? " job runs there" : " jobs run there");
  }

  const v1::DrainWorkerRequest request_;
};

}  // namespace

std::unique_ptr<WorkerRound::Question> DrainQuestion(
    v1::DrainWorkerRequest request) {
  return std::make_unique<Drain>(std::move(request));
}

std::unique_ptr<WorkerRound::Question> ClearCacheQuestion(
    std::string task_type) {
  return std::make_unique<ClearCache>(std::move(task_type));
}

std::unique_ptr<WorkerRound::Question> SweepQuestion(SweepMode mode) {
  return std::make_unique<Sweep>(mode);
}

}  // namespace vigil::cli
