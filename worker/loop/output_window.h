// OutputWindow: the output of one attempt from its reading until the
// coordinator has it. Pieces keep the order in which they were read; both
// streams count together. Thread-compatible. Owns the bytes not acknowledged.
#ifndef VIGIL_WORKER_LOOP_OUTPUT_WINDOW_H_
#define VIGIL_WORKER_LOOP_OUTPUT_WINDOW_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"

namespace vigil::worker {

enum class OutputStream { kStdout, kStderr };

struct OutputChunk {
  OutputStream stream = OutputStream::kStdout;
  // Position of the first byte in its stream.
  int64_t offset = 0;
  std::string data;
};

class OutputWindow {
 public:
  void Append(OutputStream stream, absl::string_view data);

  // The next piece that was not sent; null when all were. Valid until the next
  // call that is not const.
  const OutputChunk* NextUnsent() const;
  void MarkSent();

  // The coordinator has the first `total_bytes` of both streams together.
  // Numbers that were passed before, or lie past the end, change nothing.
  void Acknowledge(int64_t total_bytes);

  // The stream was lost: what is not acknowledged is sent again.
  void Rewind() { sent_ = 0; }

  // What is kept, with the cost of each piece, in bytes.
  int64_t held_bytes() const { return held_bytes_; }
  bool empty() const { return chunks_.empty(); }

 private:
  std::deque<OutputChunk> chunks_;
  // How many of them were sent.
  size_t sent_ = 0;
  int64_t stdout_bytes_ = 0;
  int64_t stderr_bytes_ = 0;
  // Bytes before chunks_.front().
  int64_t acknowledged_bytes_ = 0;
  int64_t held_bytes_ = 0;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_OUTPUT_WINDOW_H_
