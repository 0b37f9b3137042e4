// What a handler may know of its call, and what it stands on. Loop thread only;
// owns nothing.
#ifndef VIGIL_COORDINATOR_RPC_CALL_CONTEXT_H_
#define VIGIL_COORDINATOR_RPC_CALL_CONTEXT_H_

#include <grpcpp/server_context.h>

#include <coroutine>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/task_token.h"
#include "coordinator/codec/spec_resolver.h"
#include "coordinator/engine/engine.h"
#include "coordinator/rpc/worker_messages.h"
#include "coordinator/rpc/write_budget.h"

namespace vigil::coordinator {

// What all handlers share.
struct Services {
  Engine* engine;
  const SpecResolver* resolver;
  // Accept JobSpec.command from clients on a unix socket.
  bool allow_commands = false;
  std::string build;
  LocalAttach local_attach;
  int64_t local_workers_replaced = 0;
  // request_ids, with their namespaces, of batches that are being made.
  std::set<std::string> opening_batches;
  // Called when the coordinator drains: has what it waits for end, after which
  // RpcServer::Stop is called. Unset: nothing is waited for.
  std::function<void()> drain;
  // Called when the coordinator is asked to stop, before the calls end.
  std::function<void()> before_stop;
  // For what is large and goes to watchers; set by the server.
  WriteBudget* large_writes = nullptr;
  // Runs a closure in a later turn; set by the server.
  std::function<void(std::function<void()>)> post;
  // Set when the coordinator ends: streams finish with UNAVAILABLE.
  bool stopping = false;
};

// One call.
class CallContext {
 public:
  explicit CallContext(grpc::ServerContext* context) : context_(context) {}

  // Whether the client came over a unix socket, whose file permissions say who
  // it may be.
  bool over_unix_socket() const {
    return context_->peer().rfind("unix:", 0) == 0;
  }

  // The token of the task that calls, as it came (see base/task_token.h);
  // empty: no task does.
  std::string task_token() const {
    const auto& metadata = context_->client_metadata();
    const auto found = metadata.find(kTaskTokenMetadataKey);
    if (found == metadata.end()) return "";
    return std::string(found->second.data(), found->second.size());
  }

  // Tells the client when to try again.
  void SetRetryDelay(absl::Duration delay) {
    context_->AddTrailingMetadata(
        "grpc-retry-pushback-ms",
        std::to_string(absl::ToInt64Milliseconds(delay)));
  }

  // Returns `status`, an error; of one for want of room the client is told when
  // to try again.
  absl::Status Refuse(absl::Status status) {
    if (absl::IsResourceExhausted(status)) SetRetryDelay(kAdmissionRetryDelay);
    return status;
  }

 private:
  grpc::ServerContext* const context_;
};

// co_await Durable: goes on when everything that happened so far is durable.
class Durable {
 public:
  explicit Durable(Engine* engine) : engine_(engine) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    engine_->WhenDurable([waiter] { waiter.resume(); });
  }
  void await_resume() {}

 private:
  Engine* const engine_;
};

// co_await DurableOrStalled: as Durable, but false, and soon, while the disk is
// full: what is not durable now may be so much later.
class DurableOrStalled {
 public:
  explicit DurableOrStalled(Engine* engine) : engine_(engine) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    engine_->WhenDurableOrStalled([this, waiter](bool durable) {
      durable_ = durable;
      waiter.resume();
    });
  }
  bool await_resume() const { return durable_; }

 private:
  Engine* const engine_;
  bool durable_ = false;
};

// co_await NextTurn: goes on in a later turn, after what waits now.
class NextTurn {
 public:
  explicit NextTurn(Services* services) : services_(services) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    services_->post([waiter] { waiter.resume(); });
  }
  void await_resume() {}

 private:
  Services* const services_;
};

// The error of a stream that the coordinator's end cuts off.
inline absl::Status StoppingStream() {
  return absl::UnavailableError(
      "the coordinator is stopping; connect again and go on with the cursor");
}

// Counts and returns the refusal of a call whose StoreRead found too many
// waiting.
inline absl::Status TooManyReads(Engine* engine) {
  return engine->Refuse(
      Limit::kStoreReads, "",
      absl::ResourceExhaustedError(
          "too many reads of the store wait; try again in a moment"));
}

// co_await StoreRead: runs a closure on the reader's thread and goes on when it
// is done. False: too many reads wait.
class StoreRead {
 public:
  StoreRead(Engine* engine, std::function<void(store::StoreView&)> read)
      : engine_(engine), read_(std::move(read)) {}
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    queued_ = engine_->Read(read_, [waiter] { waiter.resume(); });
    return queued_;
  }
  bool await_resume() const { return queued_; }

 private:
  Engine* const engine_;
  const std::function<void(store::StoreView&)> read_;
  bool queued_ = false;
};

// co_await WorkerAnswer: asks a worker for something and goes on with what it
// answers, or with why it was not asked or did not answer. `Result` as in
// WorkerCalls.
template <typename Result>
class WorkerAnswer {
 public:
  // Engine::ClearCache or Engine::Sweep, but for its last argument.
  using Ask = std::function<absl::Status(std::function<void(Result)> done)>;

  explicit WorkerAnswer(Ask ask) : ask_(std::move(ask)) {}
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    absl::Status asked = ask_([this, waiter](Result result) {
      result_ = std::move(result);
      waiter.resume();
    });
    if (asked.ok()) return true;
    result_ = std::move(asked);
    return false;
  }
  Result await_resume() { return std::move(result_); }

 private:
  const Ask ask_;
  Result result_ = absl::UnknownError("not answered");
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_CALL_CONTEXT_H_
