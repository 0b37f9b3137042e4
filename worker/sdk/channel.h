// A warm task's end of the channel to its worker: whole frames in, whole frames
// out, blocking. For one thread. Owns the descriptor.
#ifndef VIGIL_WORKER_SDK_CHANNEL_H_
#define VIGIL_WORKER_SDK_CHANNEL_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "base/unique_fd.h"
#include "vigil/task/v1/frames.pb.h"
#include "worker/frames/frame_codec.h"

namespace vigil::task {

class Channel {
 public:
  enum class Wait { kForever, kNot };

  // `fd` is a connected stream socket. It is made blocking, and closed on exec.
  Channel(UniqueFd fd, worker::FrameFormat format);

  // Writes a frame; without effect when the channel is closed. A payload that
  // does not fit as text is written as data.
  void Send(v1::TaskFrame frame);

  // The next frame; none when there is none yet (Wait::kNot) or when the
  // channel is closed.
  std::optional<v1::WorkerFrame> Next(Wait wait);

  // Whether the worker closed its end, or something went wrong.
  bool closed() const { return closed_; }
  // What went wrong; OK if nothing did.
  const absl::Status& status() const { return status_; }
  // Closes the channel for a fault of the worker's.
  void Fail(absl::Status status);

 private:
  // Reads once into decoder_; false if nothing came.
  bool Read(Wait wait);
  void Write(const std::string& bytes);

  const UniqueFd fd_;
  const worker::FrameFormat format_;
  worker::FrameDecoder decoder_;
  bool closed_ = false;
  absl::Status status_;
};

}  // namespace vigil::task

#endif  // VIGIL_WORKER_SDK_CHANNEL_H_
