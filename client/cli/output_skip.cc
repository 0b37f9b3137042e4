#include "client/cli/output_skip.h"

#include <algorithm>

namespace vigil::cli {

OutputSkip::OutputSkip(const v1::Job& job) {
  for (const v1::Attempt& attempt : job.attempts()) {
    starts_[{attempt.number(), v1::Output::STREAM_STDOUT}] =
        attempt.stdout_bytes();
    starts_[{attempt.number(), v1::Output::STREAM_STDERR}] =
        attempt.stderr_bytes();
  }
}

int64_t OutputSkip::Start(int attempt, v1::Output::Stream stream) const {
  auto found = starts_.find({attempt, stream});
  return found == starts_.end() ? 0 : found->second;
}

v1::Output OutputSkip::Rest(v1::Output output) {
  const int64_t start = Start(output.attempt(), output.stream());
  const int64_t skipped = std::clamp<int64_t>(
      start - output.offset(), 0, static_cast<int64_t>(output.data().size()));
  if (skipped == 0) return output;
  if (output.stream() == v1::Output::STREAM_STDOUT) skipped_stdout_ = true;
  output.mutable_data()->erase(0, static_cast<size_t>(skipped));
  output.set_offset(output.offset() + skipped);
  return output;
}

bool OutputSkip::Shows(const v1::OutputGap& gap) const {
  return gap.offset() + gap.size_bytes() > Start(gap.attempt(), gap.stream());
}

}  // namespace vigil::cli
