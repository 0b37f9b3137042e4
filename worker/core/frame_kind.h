// FrameKind: the kinds of frames that a warm task sends, as the core judges
// them; see proto/vigil/task/v1/frames.proto. Values, thread-compatible.
#ifndef VIGIL_WORKER_CORE_FRAME_KIND_H_
#define VIGIL_WORKER_CORE_FRAME_KIND_H_

namespace vigil::worker {

enum class FrameKind {
  kHello,
  kStarted,
  kToken,
  kProgress,
  kHeartbeat,
  kCheckpoint,
  kResult,
  kError,
  kResetDone,
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_FRAME_KIND_H_
