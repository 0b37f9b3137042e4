#include "worker/frames/frame_codec.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::worker {
namespace {

using ::google::protobuf::Message;
using ::google::protobuf::io::CodedOutputStream;
namespace util = ::google::protobuf::util;

// Bytes of a varint that holds 32 bits.
constexpr size_t kLengthBytesMax = 5;

// `bytes` escaped, cut to kFrameQuoteBytesMax with a sign that it was.
std::string Escape(absl::string_view bytes) {
  // No more than these can be shown.
  const std::string escaped =
      absl::CHexEscape(bytes.substr(0, kFrameQuoteBytesMax));
  if (bytes.size() <= kFrameQuoteBytesMax &&
      escaped.size() <= kFrameQuoteBytesMax) {
    return escaped;
  }
  // An escape sequence that is cut in the middle still reads as what it is.
  return absl::StrCat(escaped.substr(0, kFrameQuoteBytesMax - 3), "...");
}

absl::Status Broken(absl::string_view what, absl::string_view bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": \"", Escape(bytes), "\""));
}

// What protobuf says of broken JSON: its first line, since the others quote the
// bytes as they are.
std::string Reason(absl::string_view message) {
  message = message.substr(0, message.find('\n'));
  absl::ConsumePrefix(&message, ": ");
  return Escape(absl::StripSuffix(message, "."));
}

}  // namespace

std::string EncodeFrame(FrameFormat format, const Message& frame) {
  std::string out;
  switch (format) {
    case FrameFormat::kJson: {
      util::JsonPrintOptions options;
      options.preserve_proto_field_names = true;
      const auto status = util::MessageToJsonString(frame, &out, options);
      VIGIL_CHECK(status.ok(), status.ToString());
      out += '\n';
      break;
    }
    case FrameFormat::kProtobuf: {
      const size_t length = frame.ByteSizeLong();
      uint8_t prefix[kLengthBytesMax];
      uint8_t* end = CodedOutputStream::WriteVarint32ToArray(
          static_cast<uint32_t>(length), prefix);
      out.reserve(sizeof(prefix) + length);
      out.append(prefix, end);
      VIGIL_CHECK(frame.AppendToString(&out), "frame above 2 GiB");
      break;
    }
  }
  return out;
}

FrameDecoder::FrameDecoder(FrameFormat format, size_t frame_bytes_max)
    : format_(format), frame_bytes_max_(frame_bytes_max) {}

void FrameDecoder::Add(absl::string_view bytes) {
  if (!status_.ok()) return;
  // Moves what is held only when at least as much was consumed before it: each
  // byte is moved once on average, however the stream is cut.
  if (begin_ > 0 && begin_ >= held_bytes()) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes.data(), bytes.size());
}

absl::StatusOr<bool> FrameDecoder::Next(Message* frame) {
  if (!status_.ok()) return status_;
  absl::StatusOr<bool> next =
      format_ == FrameFormat::kJson ? NextLine(frame) : NextMessage(frame);
  if (!next.ok()) {
    status_ = next.status();
    Consume(held_bytes());
  }
  return next;
}

absl::StatusOr<bool> FrameDecoder::NextLine(Message* frame) {
  const absl::string_view held = Held();
  const size_t newline = held.find('\n', searched_);
  if (std::min(newline, held.size()) > frame_bytes_max_) {
    return Broken(
        absl::StrCat("a line of more than ", frame_bytes_max_, " bytes"), held);
  }
  if (newline == absl::string_view::npos) {
    searched_ = held.size();
    return false;
  }
  const absl::string_view line =
      absl::StripSuffix(held.substr(0, newline), "\r");
  if (line.empty()) {
    return absl::InvalidArgumentError("an empty line where a frame should be");
  }
  util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status =
      util::JsonStringToMessage({line.data(), line.size()}, frame, options);
  if (!status.ok()) {
    const auto message = status.message();
    return Broken(absl::StrCat("a line that is not a frame in JSON (",
                               Reason({message.data(), message.size()}), ")"),
                  line);
  }
  Consume(newline + 1);
  return true;
}

absl::StatusOr<bool> FrameDecoder::NextMessage(Message* frame) {
  const absl::string_view held = Held();
  uint64_t length = 0;
  size_t prefix = 0;
  for (bool more = true; more; ++prefix) {
    if (prefix == kLengthBytesMax) {
      return Broken("a frame's length that is not a varint of 32 bits", held);
    }
    if (prefix == held.size()) return false;
    const auto byte = static_cast<uint8_t>(held[prefix]);
    length |= static_cast<uint64_t>(byte & 0x7f) << (7 * prefix);
    more = (byte & 0x80) != 0;
  }
  if (length > frame_bytes_max_) {
    return Broken(absl::StrCat("a frame of ", length, " bytes, more than ",
                               frame_bytes_max_),
                  held);
  }
  if (held.size() - prefix < length) return false;
  if (!frame->ParseFromArray(held.data() + prefix, static_cast<int>(length))) {
    return Broken(absl::StrCat("a frame of ", length,
                               " bytes that is not a protobuf message"),
                  held.substr(prefix, length));
  }
  Consume(prefix + length);
  return true;
}

void FrameDecoder::Consume(size_t bytes) {
  begin_ += bytes;
  searched_ = 0;
  if (begin_ < buffer_.size()) return;
  begin_ = 0;
  if (buffer_.capacity() > kDecoderIdleBytesMax) {
    buffer_ = std::string();
  } else {
    buffer_.clear();
  }
}

}  // namespace vigil::worker
