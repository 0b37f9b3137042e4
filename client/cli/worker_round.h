// WorkerRound: one call to each worker that it concerns, or to one that is
// named, all at the same time, each told as it is answered. For the main
// thread; borrows its surroundings.
#ifndef VIGIL_CLIENT_CLI_WORKER_ROUND_H_
#define VIGIL_CLIENT_CLI_WORKER_ROUND_H_

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cc/client.h"
#include "client/cli/connection.h"
#include "client/cli/environment.h"

namespace vigil::cli {

class WorkerRound {
 public:
  // What is asked of the workers.
  class Question {
   public:
    virtual ~Question() = default;
    // Of those that are connected, whether this one is asked too.
    virtual bool Concerns(const v1::Worker& worker) const = 0;
    // Makes the call. `answered` is called once, on any thread, with what is
    // then done about the answer on the main thread.
    using Report = std::function<absl::Status()>;
    virtual void Ask(client::Client* client, const std::string& worker_id,
                     std::function<void(Report)> answered) = 0;
    // What to do about a worker that did not do it; empty: nothing is known.
    virtual std::string AdviceFor(const absl::Status& status) const = 0;
    // Told when no worker is concerned.
    virtual std::string NobodyToAsk() const = 0;
  };

  WorkerRound(const Environment& environment, const Connection& connection,
              Question* question)
      : environment_(environment),
        connection_(connection),
        question_(question) {}

  // Returns the exit status. An empty `worker_id` is every worker.
  int Execute(const std::string& worker_id);

 private:
  void List(const std::string& page_token);
  void OnWorkers(const absl::StatusOr<v1::ListWorkersResponse>& response);
  void Ask(const std::string& worker_id);

  const Environment& environment_;
  const Connection& connection_;
  Question* const question_;
  std::unique_ptr<client::Client> client_;
  // Calls under way.
  int calls_ = 0;
  // Those asked; a worker may be listed once for each of its lives.
  std::set<std::string> workers_;
  bool failed_ = false;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WORKER_ROUND_H_
