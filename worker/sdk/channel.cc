#include "worker/sdk/channel.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/frames/frame_check.h"
#include "worker/frames/limits.h"
#include "worker/sdk/limits.h"

namespace vigil::task {
namespace {

using ::vigil::task::v1::Payload;
using ::vigil::task::v1::TaskFrame;
using ::vigil::task::v1::WorkerFrame;

// JSON may write a byte of text as six; base64 has a third more.
void MakeData(Payload* payload) {
  std::string bytes = worker::TakeBytes(payload);
  payload->set_data(std::move(bytes));
}

}  // namespace

Channel::Channel(UniqueFd fd, worker::FrameFormat format)
    : fd_(std::move(fd)),
      format_(format),
      decoder_(format, worker::kWorkerFrameBytesMax) {
  const int flags = fcntl(fd_.get(), F_GETFL);
  if (flags < 0 || fcntl(fd_.get(), F_SETFL, flags & ~O_NONBLOCK) < 0 ||
      fcntl(fd_.get(), F_SETFD, FD_CLOEXEC) < 0) {
    Fail(absl::ErrnoToStatus(errno, "the channel"));
  }
}

void Channel::Send(TaskFrame frame) {
  std::string bytes = worker::EncodeFrame(format_, frame);
  if (bytes.size() > worker::kFrameBytesMax) {
    if (frame.has_result()) MakeData(frame.mutable_result());
    if (frame.has_checkpoint()) MakeData(frame.mutable_checkpoint());
    bytes = worker::EncodeFrame(format_, frame);
  }
  Write(bytes);
}

std::optional<WorkerFrame> Channel::Next(Wait wait) {
  while (!closed_) {
    WorkerFrame frame;
    const absl::StatusOr<bool> next = decoder_.Next(&frame);
    if (!next.ok()) {
      Fail(next.status());
    } else if (*next) {
      return frame;
    } else if (!Read(wait)) {
      break;
    }
  }
  return std::nullopt;
}

void Channel::Fail(absl::Status status) {
  closed_ = true;
  status_ = std::move(status);
}

bool Channel::Read(Wait wait) {
  char buffer[kReadBytesMax];
  ssize_t count;
  do {
    count = recv(fd_.get(), buffer, sizeof(buffer),
                 wait == Wait::kNot ? MSG_DONTWAIT : 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    decoder_.Add(absl::string_view(buffer, count));
    return true;
  }
  if (count == 0 || errno == ECONNRESET) {
    closed_ = true;
  } else if (errno != EAGAIN) {
    Fail(absl::ErrnoToStatus(errno, "reading the channel"));
  }
  return false;
}

void Channel::Write(const std::string& bytes) {
  absl::string_view rest = bytes;
  while (!closed_ && !rest.empty()) {
    const ssize_t count =
        send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      rest.remove_prefix(count);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      closed_ = true;
    } else if (errno != EINTR) {
      Fail(absl::ErrnoToStatus(errno, "writing the channel"));
    }
  }
}

}  // namespace vigil::task
