// Client: talks to a coordinator, asynchronously. Thread-safe; callbacks come
// on the library's threads and must not block for long. Owns its connection and
// every call in flight: its destructor ends them all, waits for their
// callbacks, and so must not run inside one.
#ifndef VIGIL_CLIENT_CC_CLIENT_H_
#define VIGIL_CLIENT_CC_CLIENT_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cc/awaitable.h"
#include "client/cc/batch_observer.h"
#include "client/cc/batch_stream.h"
#include "client/cc/batch_watch.h"
#include "client/cc/call_options.h"
#include "client/cc/job_observer.h"
#include "client/cc/job_stream.h"
#include "client/cc/methods.h"
#include "client/cc/stream_options.h"
#include "google/protobuf/message.h"
#include "vigil/v1/batch_service.pb.h"
#include "vigil/v1/job_service.pb.h"

namespace vigil::client {

class Channel;

class Client {
 public:
  // Makes a client for `address` (see default_address.h). Does not block and
  // does not connect: a coordinator that is not there shows at the first call,
  // as UNAVAILABLE. In a process that a task of Vigil started, calls carry the
  // task's token: it may look, watch and cancel, and is refused jobs of its own
  // (FAILED_PRECONDITION, NESTED_DISPATCH).
  //
  // - INVALID_ARGUMENT: as CheckAddress.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(
      const std::string& address, const ClientOptions& options = {});

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Makes one of the unary calls that methods.h lists, by its request. It
  // begins when it is awaited:
  //   absl::StatusOr<v1::GetJobResponse> got = client->Call(request).Wait();
  //   absl::StatusOr<v1::GetJobResponse> got = co_await client->Call(request);
  // Errors are those of the method in proto/vigil/v1, and
  // - DEADLINE_EXCEEDED: as the options say. What becomes of the call is not
  //   known.
  // - CANCELLED: the client went away meanwhile. Nor is it then.
  // - INTERNAL: what came is no such answer.
  template <typename Request>
  Awaitable<absl::StatusOr<ResponseTo<Request>>> Call(
      Request request, CallOptions options = {}) {
    return Awaitable<absl::StatusOr<ResponseTo<Request>>>(
        [this, request = std::move(request),
         options](Callback<ResponseTo<Request>> callback) mutable {
          Call(std::move(request), std::move(callback), options);
        },
        executor_);
  }

  // The same, begun at once and told by a callback on the library's threads.
  template <typename Request>
  void Call(Request request, Callback<ResponseTo<Request>> callback,
            CallOptions options = {}) {
    auto response = std::make_unique<ResponseTo<Request>>();
    google::protobuf::Message* filled = response.get();
    Start(
        &request, filled,
        [response = std::move(response),
         callback = std::move(callback)](const absl::Status& status) mutable {
          if (status.ok()) {
            callback(std::move(*response));
          } else {
            callback(status);
          }
        },
        options);
  }

  // Runs a job and streams it to its end, through broken connections and
  // restarts of the coordinator. A request_id is made up if there is none. The
  // job is started once: a stream that breaks before the first event is asked
  // for again under the same request_id, one that breaks later goes on behind
  // the last event.
  JobStream RunJob(v1::RunJobRequest request, JobObserver observer,
                   const StreamOptions& options = {});

  // Watches a job to its end, reconnecting likewise. request.cursor, if set,
  // says behind which event to begin.
  JobStream WatchJob(v1::WatchJobRequest request, JobObserver observer,
                     const StreamOptions& options = {});

  // Runs a batch: items are given to the handle, results come to the observer,
  // through broken connections and restarts of the coordinator. A request_id is
  // made up if there is none. Each item is started once (its attempts aside),
  // and its result comes once.
  BatchStream RunBatch(v1::OpenBatch open, v1::ResultOrder order,
                       BatchObserver observer,
                       const StreamOptions& options = {});

  // Watches a batch to its end, reconnecting likewise. request.cursor, if set,
  // says behind which event to begin. Needs a batch_id.
  BatchWatch WatchBatch(v1::WatchBatchRequest request, BatchObserver observer,
                        const StreamOptions& options = {});

  // As in the options.
  const Executor& executor() const { return executor_; }

 private:
  Client(std::unique_ptr<Channel> channel, Executor executor);

  // Gives `request` what makes it repeatable, if the options want that, and is
  // done with it; fills `response` before it calls `done`.
  void Start(google::protobuf::Message* request,
             google::protobuf::Message* response,
             absl::AnyInvocable<void(const absl::Status& status)> done,
             CallOptions options);

  const Executor executor_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_CLIENT_H_
