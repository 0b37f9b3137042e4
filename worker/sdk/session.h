// One life of a warm task: which attempt runs, which wait, and which were asked
// to stop. For one thread. Owns the channel.
#ifndef VIGIL_WORKER_SDK_SESSION_H_
#define VIGIL_WORKER_SDK_SESSION_H_

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "base/unique_fd.h"
#include "vigil/task/v1/frames.pb.h"
#include "worker/frames/frame_codec.h"
#include "worker/sdk/channel.h"
#include "worker/sdk/task.h"

namespace vigil::task {

class Session {
 public:
  Session(UniqueFd fd, worker::FrameFormat format)
      : channel_(std::move(fd), format) {}

  // Serves until the channel is closed; OK if the worker closed it.
  absl::Status Run(const std::function<Outcome(Job&)>& run,
                   const std::function<void()>& reset);

  // A frame of the attempt that runs, of no kind yet.
  v1::TaskFrame Frame() const;
  void Send(v1::TaskFrame frame) { channel_.Send(std::move(frame)); }

  // Takes what has come, without blocking; whether the attempt should end.
  bool Stopping();

 private:
  // A start or reset that waits, and whether its attempt was asked to stop.
  struct Queued {
    v1::WorkerFrame frame;
    bool stopped = false;
  };

  // Waits for the worker's hello and answers it.
  void Greet();
  // Takes a frame that came.
  void Take(v1::WorkerFrame frame);
  void Stop(const std::string& attempt_id);
  void RunAttempt(Queued queued, const std::function<Outcome(Job&)>& run);
  void Finish(Outcome outcome);

  Channel channel_;
  std::deque<Queued> queue_;
  std::string attempt_id_;  // That runs; empty between attempts.
  bool stopping_ = false;
};

}  // namespace vigil::task

#endif  // VIGIL_WORKER_SDK_SESSION_H_
