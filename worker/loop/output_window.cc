#include "worker/loop/output_window.h"

#include "base/check.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

int64_t CostOf(const OutputChunk& chunk) {
  return static_cast<int64_t>(chunk.data.size() + kChunkOverheadBytes);
}

}  // namespace

void OutputWindow::Append(OutputStream stream, absl::string_view data) {
  int64_t& end =
      stream == OutputStream::kStdout ? stdout_bytes_ : stderr_bytes_;
  chunks_.push_back({stream, end, std::string(data)});
  end += static_cast<int64_t>(data.size());
  held_bytes_ += CostOf(chunks_.back());
}

const OutputChunk* OutputWindow::NextUnsent() const {
  return sent_ < chunks_.size() ? &chunks_[sent_] : nullptr;
}

void OutputWindow::MarkSent() {
  VIGIL_CHECK(sent_ < chunks_.size(), "nothing is unsent");
  ++sent_;
}

void OutputWindow::Acknowledge(int64_t total_bytes) {
  if (total_bytes > stdout_bytes_ + stderr_bytes_) return;
  while (!chunks_.empty() && acknowledged_bytes_ < total_bytes) {
    OutputChunk& first = chunks_.front();
    const int64_t size = static_cast<int64_t>(first.data.size());
    if (acknowledged_bytes_ + size > total_bytes) {
      const int64_t taken = total_bytes - acknowledged_bytes_;
      first.data.erase(0, static_cast<size_t>(taken));
      first.offset += taken;
      acknowledged_bytes_ = total_bytes;
      held_bytes_ -= taken;
      return;
    }
    acknowledged_bytes_ += size;
    held_bytes_ -= CostOf(first);
    chunks_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

}  // namespace vigil::worker
