// WatchOperation: a job's stream of events from RunJob or WatchJob, resumed
// when it breaks. Threads and ownership as ResumableStream.
#ifndef VIGIL_CLIENT_CC_WATCH_OPERATION_H_
#define VIGIL_CLIENT_CC_WATCH_OPERATION_H_

#include <memory>
#include <optional>
#include <string>

#include "client/cc/channel.h"
#include "client/cc/job_observer.h"
#include "client/cc/job_stream.h"
#include "client/cc/resumable_stream.h"

namespace vigil::client {

class WatchOperation
    : public ResumableStream<StreamControl, JobObserver, v1::Job> {
 public:
  // Starts a job. request.job.request_id is set.
  static JobStream Run(Channel& channel, v1::RunJobRequest request,
                       JobObserver observer, const StreamOptions& options);

  // Watches a job that exists.
  static JobStream Watch(Channel& channel, v1::WatchJobRequest request,
                         JobObserver observer, const StreamOptions& options);

  WatchOperation(Channel& channel, std::optional<v1::RunJobRequest> run,
                 v1::WatchJobRequest watch, JobObserver observer,
                 const StreamOptions& options);

  // What the open stream read.
  void OnEvent(const v1::WatchEvent& event);

 private:
  std::unique_ptr<Stream> NewStream() override;
  void SendCancel() override;

  const std::string namespace_;
  // Set for a run until its first event came: then it is watched.
  std::optional<v1::RunJobRequest> run_;
  v1::WatchJobRequest watch_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_WATCH_OPERATION_H_
