#include "tests/sim/trace.h"

#include <cstdio>
#include <utility>

#include "tests/sim/event_queue.h"

namespace vigil::sim {
namespace {

void PrintLine(absl::Time time, const std::string& line) {
  std::fprintf(stderr, "%14.6f  %s\n", absl::ToDoubleSeconds(time - kStart),
               line.c_str());
}

}  // namespace

void Trace::Add(absl::Time now, std::string line) {
  // FNV-1a.
  const auto mix = [this](uint8_t byte) {
    digest_ = (digest_ ^ byte) * 1099511628211u;
  };
  const int64_t nanos = absl::ToInt64Nanoseconds(now - kStart);
  for (int i = 0; i < 8; ++i) mix(static_cast<uint8_t>(nanos >> (8 * i)));
  for (const char c : line) mix(static_cast<uint8_t>(c));
  if (mode_ == Mode::kVerbose) PrintLine(now, line);
  const size_t index = added_++ % kLinesMax;
  times_[index] = now;
  lines_[index] = std::move(line);
}

void Trace::Print() const {
  const size_t first = added_ > kLinesMax ? added_ - kLinesMax : 0;
  for (size_t i = first; i < added_; ++i) {
    PrintLine(times_[i % kLinesMax], lines_[i % kLinesMax]);
  }
}

}  // namespace vigil::sim
