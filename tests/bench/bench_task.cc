// The warm task of the benchmarks. Its input says what to do:
//   (nothing)      ends at once
//   stamp          a token with the time at which the job was read
//   tokens N       N tokens of 8 bytes, as fast as it can
//   stamps N USEC  N tokens, each the time of its writing, USEC apart
// Times are CLOCK_MONOTONIC in nanoseconds.
#include <unistd.h>

#include <sstream>
#include <string>

#include "tests/bench/bench_util.h"
#include "worker/sdk/task.h"

int main() {
  using vigil::bench::NowNanoseconds;
  return vigil::task::Serve([](vigil::task::Job& job) -> vigil::task::Outcome {
    const int64_t now = NowNanoseconds();
    std::istringstream input(job.input());
    std::string what;
    int count = 0;
    int microseconds = 0;
    input >> what >> count >> microseconds;
    if (what == "stamp") job.Token(std::to_string(now));
    for (int i = 0; i < count && !job.stopping(); ++i) {
      if (what == "tokens") {
        job.Token("12345678");
        continue;
      }
      usleep(static_cast<useconds_t>(microseconds));
      job.Token(std::to_string(NowNanoseconds()));
    }
    return "";
  });
}
