// Decodes what a task might write. Bit 0 of the first byte picks the format,
// the others how long the pieces are in which the rest is read. Beside what the
// sanitizers see, it checks that pieces change nothing, that what is held is
// bounded, and that a frame that came out comes out again when it is written in
// either format.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/utf8.h"
#include "vigil/task/v1/frames.pb.h"
#include "worker/frames/frame_check.h"
#include "worker/frames/frame_codec.h"
#include "worker/frames/limits.h"

namespace {

using ::vigil::IsUtf8;
using ::vigil::task::v1::TaskFrame;
using ::vigil::worker::CheckTaskFrame;
using ::vigil::worker::EncodeFrame;
using ::vigil::worker::FrameDecoder;
using ::vigil::worker::FrameFormat;
using ::vigil::worker::kFrameQuoteBytesMax;

// Longest frame as written, in bytes: so small that it is reached.
constexpr size_t kBytesMax = 1024;
// The length of a protobuf frame, in bytes.
constexpr size_t kLengthBytesMax = 5;

// What a decoder gave for some bytes.
struct Decoded {
  std::vector<TaskFrame> frames;
  std::vector<std::string> written;
  absl::Status status;
  size_t held_bytes = 0;
};

void CheckError(const absl::Status& status) {
  VIGIL_CHECK(absl::IsInvalidArgument(status), status.ToString());
  VIGIL_CHECK(IsUtf8({status.message().data(), status.message().size()}) &&
                  status.message().size() < 3 * kFrameQuoteBytesMax,
              status.ToString());
}

Decoded Decode(FrameFormat format, absl::string_view bytes, size_t piece) {
  FrameDecoder decoder(format, kBytesMax);
  Decoded decoded;
  while (!bytes.empty()) {
    decoder.Add(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    TaskFrame frame;
    absl::StatusOr<bool> next = decoder.Next(&frame);
    for (; next.ok() && *next; next = decoder.Next(&frame)) {
      decoded.written.push_back(frame.SerializeAsString());
      decoded.frames.push_back(frame);
    }
    decoded.held_bytes = decoder.held_bytes();
    decoded.status = next.status();
    VIGIL_CHECK(decoded.held_bytes <= kBytesMax + kLengthBytesMax, "bound");
    if (!next.ok()) {
      CheckError(next.status());
      VIGIL_CHECK(decoded.held_bytes == 0, "held after an error");
    }
  }
  return decoded;
}

void CheckWritten(FrameFormat format, const TaskFrame& frame) {
  const std::string bytes = EncodeFrame(format, frame);
  FrameDecoder decoder(format);
  decoder.Add(bytes);
  TaskFrame read;
  const absl::StatusOr<bool> next = decoder.Next(&read);
  VIGIL_CHECK(next.ok() && *next, next.status().ToString() + bytes);
  VIGIL_CHECK(read.SerializeAsString() == frame.SerializeAsString(), bytes);
  VIGIL_CHECK(decoder.held_bytes() == 0, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const FrameFormat format =
      (data[0] & 1) == 0 ? FrameFormat::kJson : FrameFormat::kProtobuf;
  const size_t piece = 1 + data[0] / 2;
  const absl::string_view bytes(reinterpret_cast<const char*>(data + 1),
                                size - 1);

  Decoded decoded = Decode(format, bytes, bytes.size());
  const Decoded in_pieces = Decode(format, bytes, piece);
  VIGIL_CHECK(in_pieces.written == decoded.written, "other frames in pieces");
  VIGIL_CHECK(in_pieces.held_bytes == decoded.held_bytes, "other bytes held");
  VIGIL_CHECK(in_pieces.status.ok() == decoded.status.ok(),
              in_pieces.status.ToString());

  for (TaskFrame& frame : decoded.frames) {
    const absl::StatusOr<bool> checked = CheckTaskFrame(frame);
    if (!checked.ok()) CheckError(checked.status());
    CheckWritten(format, frame);
    // JSON has neither unknown fields nor durations out of range.
    frame.DiscardUnknownFields();
    if (frame.has_error()) frame.mutable_error()->clear_next_retry_delay();
    CheckWritten(FrameFormat::kJson, frame);
  }
  return 0;
}
