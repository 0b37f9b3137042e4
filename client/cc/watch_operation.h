// WatchOperation: a job's stream of events from RunJob or WatchJob, resumed
// when it breaks. Thread-safe; its observer is called by one thread at a time.
// Owned by its channel's set of operations and by gRPC's callbacks until on_end
// has returned, then by handles alone.
#ifndef VIGIL_CLIENT_CC_WATCH_OPERATION_H_
#define VIGIL_CLIENT_CC_WATCH_OPERATION_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/synchronization/mutex.h"
#include "client/cc/backoff.h"
#include "client/cc/channel.h"
#include "client/cc/job_observer.h"
#include "client/cc/job_stream.h"

namespace vigil::client {

class WatchOperation : public Operation,
                       public JobStreamControl,
                       public std::enable_shared_from_this<WatchOperation> {
 public:
  // Starts a job. request.job.request_id is set.
  static JobStream Run(Channel& channel, v1::RunJobRequest request,
                       JobObserver observer);

  // Watches a job that exists.
  static JobStream Watch(Channel& channel, v1::WatchJobRequest request,
                         JobObserver observer);

  WatchOperation(Channel& channel, std::optional<v1::RunJobRequest> run,
                 v1::WatchJobRequest watch, JobObserver observer);
  ~WatchOperation() override;

  // JobStreamControl:
  void CancelJob() override;
  void Abandon() override;
  std::string job_id() const override;

 private:
  class Stream;
  template <typename Response>
  class StreamOf;

  // A step of the one chain of calls that drives the stream.
  void Start();
  void Open();
  void OnEvent(const v1::WatchEvent& event);
  void OnStreamDone(absl::Status status,
                    std::optional<absl::Duration> pushback);
  void End(absl::StatusOr<v1::Job> job);

  // Needs mu_, which keeps the operation, and so the channel, from ending.
  void SendCancel();

  Channel& channel_;
  const std::string namespace_;
  // Set for a run until its first event came: then it is watched.
  std::optional<v1::RunJobRequest> run_;
  v1::WatchJobRequest watch_;
  JobObserver observer_;
  Backoff backoff_;
  // The job in its final state, once it was told.
  std::optional<v1::Job> final_job_;

  mutable absl::Mutex mu_;
  std::string job_id_;
  bool cancel_wanted_ = false;
  bool abandoned_ = false;
  // Told its end; the channel may be gone.
  bool ended_ = false;
  // The stream that is open, and the one before it, whose last callback may
  // not quite have returned.
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Stream> previous_;
  std::unique_ptr<grpc::Alarm> timer_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_WATCH_OPERATION_H_
