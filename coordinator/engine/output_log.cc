#include "coordinator/engine/output_log.h"

#include <utility>

#include "coordinator/engine/limits.h"

namespace vigil::coordinator {
namespace {

// Rows of a later attempt sort behind those of an earlier one.
int64_t SeqOf(const AttemptId& attempt, int64_t row) {
  return (static_cast<int64_t>(attempt.number) << 40) | row;
}

}  // namespace

void OutputLog::Count(int64_t seq, int64_t size_bytes) {
  if (tail_.empty() && head_bytes_ < kOutputHeadBytesMax) {
    head_bytes_ += size_bytes;
    return;
  }
  tail_.push_back({seq, size_bytes});
  tail_bytes_ += size_bytes;
}

void OutputLog::Restore(const store::OutputIndexRow& row) {
  const int64_t end = row.offset + row.size_bytes;
  if (row.stream >= 1 && row.stream <= 2) {
    // Dropped rows count as received too, hence offsets rather than sums.
    offsets_[row.stream] = std::max(offsets_[row.stream], end);
  }
  received_bytes_ = offsets_[1] + offsets_[2];
  handed_bytes_ = durable_bytes_ = received_bytes_;
  rows_ = std::max(rows_, (row.seq & ((int64_t{1} << 40) - 1)) + 1);
  Count(row.seq, row.size_bytes);
}

bool OutputLog::Accept(v1::Output* output) {
  const int stream = output->stream();
  if (stream < 1 || stream > 2) return false;
  const int64_t size = static_cast<int64_t>(output->data().size());
  if (output->offset() < 0 || output->offset() > kOutputOffsetMax - size) {
    return false;
  }
  const int64_t known = offsets_[stream] - output->offset();
  if (known >= size) return false;
  if (known > 0) {
    output->mutable_data()->erase(0, static_cast<size_t>(known));
    output->set_offset(offsets_[stream]);
  }
  offsets_[stream] =
      output->offset() + static_cast<int64_t>(output->data().size());
  received_bytes_ = offsets_[1] + offsets_[2];
  return true;
}

void OutputLog::Store(const v1::Output& output,
                      std::vector<store::OutputRow>* rows,
                      std::vector<store::OutputTrim>* trims) {
  const int64_t size = static_cast<int64_t>(output.data().size());
  if (!rows->empty()) {
    store::OutputRow& last = rows->back();
    if (last.job_id == attempt_.job_id.value() &&
        last.attempt == attempt_.number && last.stream == output.stream() &&
        last.offset + static_cast<int64_t>(last.data.size()) ==
            output.offset() &&
        static_cast<int64_t>(last.data.size()) + size <= kOutputRowBytesMax) {
      last.data += output.data();
      if (tail_.empty()) {
        head_bytes_ += size;
      } else {
        tail_.back().size_bytes += size;
        tail_bytes_ += size;
      }
      return;
    }
  }
  store::OutputRow row;
  row.job_id = attempt_.job_id.value();
  row.attempt = attempt_.number;
  row.stream = output.stream();
  row.offset = output.offset();
  row.seq = SeqOf(attempt_, rows_++);
  row.data = output.data();
  Count(row.seq, size);
  rows->push_back(std::move(row));

  const int64_t first = tail_.empty() ? 0 : tail_.front().seq;
  int64_t last_dropped = -1;
  while (tail_bytes_ > kOutputTailBytesMax && tail_.size() > 1) {
    last_dropped = tail_.front().seq;
    tail_bytes_ -= tail_.front().size_bytes;
    tail_.pop_front();
  }
  if (last_dropped >= 0) {
    trims->push_back(
        {attempt_.job_id.value(), attempt_.number, first, last_dropped});
  }
}

}  // namespace vigil::coordinator
