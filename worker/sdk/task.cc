#include "worker/sdk/task.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "base/unique_fd.h"
#include "base/utf8.h"
#include "vigil/task/v1/frames.pb.h"
#include "worker/frames/frame_check.h"
#include "worker/frames/frame_codec.h"
#include "worker/frames/limits.h"
#include "worker/sdk/limits.h"
#include "worker/sdk/session.h"

namespace vigil::task {
namespace {

using ::vigil::task::v1::TaskFrame;
using ::vigil::worker::FrameFormat;

constexpr int kExitUsage = 64;

// The value of an environment variable; empty if it is not set.
std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int Refuse(int status, const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return status;
}

int WarmUp(const ServeOptions& options) {
  if (options.warm_up == nullptr) {
    return Refuse(1,
                  "This task has no warm-up of its own: give `warm_up.argv` in "
                  "the catalog, or leave `warm_up` out.");
  }
  return options.warm_up(Environment("VIGIL_CACHE_DIR")) ? 0 : 1;
}

}  // namespace

void Job::Token(std::string_view bytes) {
  do {
    const std::string_view piece = bytes.substr(0, worker::kTokenBytesMax);
    bytes.remove_prefix(piece.size());
    TaskFrame frame = session_.Frame();
    worker::SetBytes(std::string(piece), frame.mutable_token());
    session_.Send(std::move(frame));
  } while (!bytes.empty());
}

void Job::Progress(int64_t done, int64_t total, std::string_view message) {
  TaskFrame frame = session_.Frame();
  frame.mutable_progress()->set_done(done);
  frame.mutable_progress()->set_total(total);
  frame.mutable_progress()->set_message(
      ToUtf8(message, kProgressMessageBytesMax));
  session_.Send(std::move(frame));
}

void Job::Heartbeat() {
  TaskFrame frame = session_.Frame();
  frame.mutable_heartbeat();
  session_.Send(std::move(frame));
}

bool Job::Checkpoint(std::string state) {
  if (state.size() > worker::kCheckpointBytesMax) return false;
  TaskFrame frame = session_.Frame();
  worker::SetBytes(std::move(state), frame.mutable_checkpoint());
  session_.Send(std::move(frame));
  return true;
}

bool Job::stopping() { return session_.Stopping(); }

int Serve(const std::function<Outcome(Job&)>& run,
          const ServeOptions& options) {
  if (Environment("VIGIL_WARM_UP") == "1") return WarmUp(options);
  int fd;
  if (!absl::SimpleAtoi(Environment("VIGIL_FD"), &fd)) {
    return Refuse(kExitUsage,
                  "This is a warm task of Vigil, which takes its jobs from the "
                  "worker that starts it.\nName it in a catalog, with `frames: "
                  "FRAMES_PROTOBUF`, and give it jobs:\n  vigil run "
                  "--task_type=NAME --input=TEXT");
  }
  const std::string format = Environment("VIGIL_FRAMES");
  if (format != "json" && format != "protobuf") {
    return Refuse(kExitUsage, "VIGIL_FRAMES is \"" + format +
                                  "\"; json and protobuf are spoken here.");
  }
  Session session(UniqueFd(fd), format == "json" ? FrameFormat::kJson
                                                 : FrameFormat::kProtobuf);
  const absl::Status status = session.Run(run, options.reset);
  return status.ok() ? 0 : Refuse(1, status.ToString());
}

}  // namespace vigil::task
