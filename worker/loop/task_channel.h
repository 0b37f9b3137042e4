// TaskChannel: the worker's end of a warm task's channel: frames out, without
// blocking, and frames in. Loop thread only. Owns the descriptor, which the
// caller removes from its poller before Close.
#ifndef VIGIL_WORKER_LOOP_TASK_CHANNEL_H_
#define VIGIL_WORKER_LOOP_TASK_CHANNEL_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "vigil/task/v1/frames.pb.h"
#include "worker/frames/frame_codec.h"

namespace vigil::worker {

class TaskChannel {
 public:
  enum class ReadResult { kBytes, kEmpty, kEnd };

  // `fd` does not block.
  TaskChannel(UniqueFd fd, FrameFormat format);

  // Sends a frame, now or when the task has read what came before.
  void Send(const task::v1::WorkerFrame& frame);
  // Lets the task see the end of the channel behind all that was sent.
  void End();
  // Writes what waits.
  void Flush();
  // Whether something waits for the task to read.
  bool blocked() const { return !unsent_.empty(); }

  // Reads once, at most kReadBytesMax, and adds it to what Next looks at;
  // `size` grows by what was read.
  ReadResult Read(size_t* size);
  // As FrameDecoder::Next.
  absl::StatusOr<bool> Next(task::v1::TaskFrame* frame);

  int fd() const { return fd_.get(); }
  bool open() const { return fd_.valid(); }
  void Close() { fd_.Reset(); }

 private:
  UniqueFd fd_;
  const FrameFormat format_;
  FrameDecoder decoder_;
  std::string unsent_;
  bool ending_ = false;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TASK_CHANNEL_H_
