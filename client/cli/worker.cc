#include "client/cli/worker.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "client/cc/client.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/flag_values.h"
#include "client/cli/limits.h"
#include "client/cli/nearest.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kClearCache[] = "clear-cache";

constexpr char kAbout[] =
    "clear-cache removes what the warm-up of a task type left on every worker\n"
    "that is connected and offers it, or on one: the warm-up is done again\n"
    "before the next job of that type. Idle warm processes of it are ended.\n"
    "\n"
    "Exit status: 0 every worker did it; 125 one did not, none was found, or\n"
    "the coordinator does not answer; 130 Ctrl+C.";

bool IsConnected(const v1::Worker& worker) {
  return worker.state() == v1::Worker::STATE_CONNECTED ||
         worker.state() == v1::Worker::STATE_DRAINING;
}

std::string AdviceFor(const absl::Status& status) {
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

// One clear-cache, from the workers it concerns to its exit status.
class CacheClearer {
 public:
  CacheClearer(const Environment& environment, const Connection& connection,
               std::string task_type)
      : environment_(environment),
        connection_(connection),
        task_type_(std::move(task_type)) {}

  // An empty `worker_id` is every worker.
  int Execute(const std::string& worker_id);

 private:
  void List(const std::string& page_token);
  void OnWorkers(const absl::StatusOr<v1::ListWorkersResponse>& response);
  void Clear(const std::string& worker_id);
  void OnCleared(const std::string& worker_id, const absl::Status& status);

  const Environment& environment_;
  const Connection& connection_;
  const std::string task_type_;
  std::unique_ptr<client::Client> client_;
  // Calls under way.
  int calls_ = 0;
  int workers_ = 0;
  bool failed_ = false;
};

int CacheClearer::Execute(const std::string& worker_id) {
  auto client = connection_.Connect();
  if (!client.ok()) return Fail(client.status().message());
  client_ = *std::move(client);
  if (worker_id.empty()) {
    List("");
  } else {
    Clear(worker_id);
  }
  int signal = 0;
  while (calls_ > 0 && signal == 0) {
    signal = environment_.events->Wait(absl::InfiniteDuration()).signal;
  }
  // Ends what is under way; nothing is posted any more.
  client_.reset();
  if (signal != 0) return kExitSignal + signal;
  if (workers_ == 0 && !failed_) {
    return Fail(absl::StrCat("no connected worker offers `", task_type_,
                             "`; `vigil status` shows what they offer"));
  }
  return failed_ ? kExitVigil : 0;
}

void CacheClearer::List(const std::string& page_token) {
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

void CacheClearer::OnWorkers(
    const absl::StatusOr<v1::ListWorkersResponse>& response) {
  if (!response.ok()) {
    Fail(connection_.Explain(response.status()));
    failed_ = true;
    return;
  }
  for (const v1::Worker& worker : response->workers()) {
    const auto& types = worker.task_types();
    if (IsConnected(worker) &&
        std::find(types.begin(), types.end(), task_type_) != types.end()) {
      Clear(worker.worker_id());
    }
  }
  if (!response->next_page_token().empty()) List(response->next_page_token());
}

void CacheClearer::Clear(const std::string& worker_id) {
  v1::ClearWorkerCacheRequest request;
  request.set_worker_id(worker_id);
  request.set_task_type(task_type_);
  ++calls_;
  ++workers_;
  client_->ClearWorkerCache(
      std::move(request),
      [this, worker_id](
          const absl::StatusOr<v1::ClearWorkerCacheResponse>& response) {
        environment_.events->Post(
            [this, worker_id, status = response.status()] {
              --calls_;
              OnCleared(worker_id, status);
            });
      },
      {.timeout = kClearCacheTimeout});
}

void CacheClearer::OnCleared(const std::string& worker_id,
                             const absl::Status& status) {
  if (status.ok()) {
    if (!Print(absl::StrCat(worker_id, "  cleared\n"))) failed_ = true;
    return;
  }
  Fail(absl::StrCat("worker ", worker_id, ": ", connection_.Explain(status),
                    AdviceFor(status)));
  failed_ = true;
}

}  // namespace

int Worker(const std::vector<std::string>& arguments,
           const Environment& environment) {
  Connection connection;
  std::string worker_id;
  Verb verb(FlagSet::Positionals::kAnywhere, "worker",
            "worker clear-cache TYPE [flags]", kAbout);
  verb.flags()->Add({.name = "worker",
                     .value = "ID",
                     .help = "Only this one. Default: all that are connected "
                             "and offer the task type.",
                     .set = SetText(&worker_id)});
  connection.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, &words)) return *status;
  if (!words.empty() && words[0] != kClearCache) {
    const std::string nearest = Nearest(words[0], {kClearCache});
    return Fail(absl::StrCat(
        "worker has no `", words[0], "`",
        nearest.empty() ? "" : absl::StrCat("; did you mean `", nearest, "`?"),
        " (see `vigil worker --help`)"));
  }
  if (words.size() != 2 || !IsUtf8(words[1])) {
    return Fail(
        "worker clear-cache wants the name of one task type: vigil worker "
        "clear-cache TYPE");
  }
  if (absl::Status status = connection.Resolve(environment); !status.ok()) {
    return Fail(status.message());
  }
  return CacheClearer(environment, connection, words[1]).Execute(worker_id);
}

}  // namespace vigil::cli
