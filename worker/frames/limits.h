// Caps of the frames between a worker and a warm task, each with its unit and
// reason. What a TaskFrame may hold is what frames.proto states.
#ifndef VIGIL_WORKER_FRAMES_LIMITS_H_
#define VIGIL_WORKER_FRAMES_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace vigil::worker {

// Version of the protocol, as in Hello.
inline constexpr int32_t kFrameVersion = 1;

// A TaskFrame as written, in bytes, without the newline or the length: the
// largest result (3 MiB) is 4 MiB in base64, and the rest is envelope.
inline constexpr size_t kFrameBytesMax = (4 << 20) + (4 << 10);

// A WorkerFrame as written, in bytes: input and checkpoint (4 MiB) as text of
// which JSON escapes every byte (`\u0000`), and envelope.
inline constexpr size_t kWorkerFrameBytesMax = (24 << 20) + (4 << 10);

// TaskFrame.attempt_id, in bytes: a job's id (64), a separator and a number.
inline constexpr size_t kAttemptIdBytesMax = 96;

// Hello.features: their number, and the bytes of one. No version has that many.
inline constexpr int kFeaturesMax = 32;
inline constexpr size_t kFeatureBytesMax = 64;

// Content of a frame, in bytes: a piece of output is read at once and held as a
// whole; checkpoints and results are stored with the job.
inline constexpr size_t kTokenBytesMax = 256 << 10;
inline constexpr size_t kCheckpointBytesMax = 1 << 20;
inline constexpr size_t kResultBytesMax = 3 << 20;

// Bytes of a broken frame, and of the reason that the parser gives, that an
// error quotes: enough to recognise a stray print.
inline constexpr size_t kFrameQuoteBytesMax = 200;

// Memory of an empty decoder, in bytes: a large frame is rare, and its buffer
// is given back.
inline constexpr size_t kDecoderIdleBytesMax = 64 << 10;

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_FRAMES_LIMITS_H_
