// How frames between a worker and a warm task are written and read again: a
// line of JSON, or a length and a protobuf message (see frames.proto). Pure;
// functions are thread-safe, a decoder is thread-compatible. A decoder copies
// what it is given and owns nothing else.
#ifndef VIGIL_WORKER_FRAMES_FRAME_CODEC_H_
#define VIGIL_WORKER_FRAMES_FRAME_CODEC_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "worker/frames/limits.h"

namespace vigil::worker {

enum class FrameFormat {
  // One line of protobuf JSON, with the field names of the proto, ended by a
  // newline.
  kJson,
  // Length as a varint, then the message.
  kProtobuf,
};

// The frame as written, with its newline or length. Strings in `frame` are
// UTF-8 and durations in the range of google.protobuf.Duration.
std::string EncodeFrame(FrameFormat format,
                        const google::protobuf::Message& frame);

// Finds frames in a stream of bytes that comes in any pieces.
class FrameDecoder {
 public:
  // `frame_bytes_max`: longest frame as written, without newline or length.
  explicit FrameDecoder(FrameFormat format,
                        size_t frame_bytes_max = kFrameBytesMax);

  // Takes the next bytes. Call Next until it is false before adding more: that
  // is what bounds held_bytes() to one frame and one piece.
  void Add(absl::string_view bytes);

  // True: `frame` is the next one, and nothing else. False: more bytes are
  // needed. INVALID_ARGUMENT: the bytes are no frame, as the message says,
  // which quotes them; the decoder then holds nothing, and gives the same error
  // for ever.
  absl::StatusOr<bool> Next(google::protobuf::Message* frame);

  // Bytes that are not yet part of a frame that was given out.
  size_t held_bytes() const { return buffer_.size() - begin_; }

 private:
  absl::string_view Held() const {
    return absl::string_view(buffer_).substr(begin_);
  }
  absl::StatusOr<bool> NextLine(google::protobuf::Message* frame);
  absl::StatusOr<bool> NextMessage(google::protobuf::Message* frame);
  void Consume(size_t bytes);

  const FrameFormat format_;
  const size_t frame_bytes_max_;
  std::string buffer_;
  size_t begin_ = 0;  // Of what is held in buffer_.
  // Bytes of Held() in which there is no newline, so that a line that comes in
  // many pieces is not searched again for each.
  size_t searched_ = 0;
  absl::Status status_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_FRAMES_FRAME_CODEC_H_
