#include "worker/loop/task_channel.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/string_view.h"
#include "worker/loop/limits.h"

namespace vigil::worker {

TaskChannel::TaskChannel(UniqueFd fd, FrameFormat format)
    : fd_(std::move(fd)), format_(format), decoder_(format) {}

void TaskChannel::Send(const task::v1::WorkerFrame& frame) {
  if (ending_) return;
  unsent_ += EncodeFrame(format_, frame);
  Flush();
}

void TaskChannel::End() {
  ending_ = true;
  Flush();
}

void TaskChannel::Flush() {
  size_t sent = 0;
  while (fd_.valid() && sent < unsent_.size()) {
    const ssize_t size = send(fd_.get(), unsent_.data() + sent,
                              unsent_.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    // The task has closed it, which is seen, and acted upon, when it is read.
    sent = size < 0 ? unsent_.size() : sent + static_cast<size_t>(size);
  }
  unsent_.erase(0, sent);
  if (ending_ && unsent_.empty() && fd_.valid()) shutdown(fd_.get(), SHUT_WR);
}

TaskChannel::ReadResult TaskChannel::Read(size_t* size) {
  if (!fd_.valid()) return ReadResult::kEnd;
  std::array<char, kReadBytesMax> buffer;
  for (;;) {
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return ReadResult::kEmpty;
    // ECONNRESET: the task ended and had not read all that was sent.
    if (got <= 0) return ReadResult::kEnd;
    decoder_.Add(absl::string_view(buffer.data(), static_cast<size_t>(got)));
    *size += static_cast<size_t>(got);
    return ReadResult::kBytes;
  }
}

absl::StatusOr<bool> TaskChannel::Next(task::v1::TaskFrame* frame) {
  return decoder_.Next(frame);
}

}  // namespace vigil::worker
