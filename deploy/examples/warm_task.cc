// A warm task: takes numbers as input, and writes the prime factors of each.
// Its table of primes takes a while to make, and serves every job. In a
// catalog:
//
//   task_types { name: "factors" argv: "{catalog_dir}/warm_task"
//                frames: FRAMES_PROTOBUF }
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "worker/sdk/task.h"

constexpr int kNumberMax = 10'000'000;

// The smallest prime factor of each number.
static std::vector<int> SmallestFactors() {
  std::vector<int> factors(kNumberMax + 1);
  for (int i = 2; i <= kNumberMax; ++i) {
    if (factors[i] != 0) continue;
    for (int j = i; j <= kNumberMax; j += i) {
      if (factors[j] == 0) factors[j] = i;
    }
  }
  return factors;
}

int main() {
  const std::vector<int> factors = SmallestFactors();
  return vigil::task::Serve([&](vigil::task::Job& job) -> vigil::task::Outcome {
    std::istringstream input(job.input());
    int done = 0;
    for (std::string word; !job.stopping() && input >> word;) {
      int number;
      if (!absl::SimpleAtoi(word, &number) || number < 2 ||
          number > kNumberMax) {
        return vigil::task::Error{.reason = vigil::Reason::kInvalidInput,
                                  .message = word + " is not 2 to 10000000"};
      }
      std::string line = word + ":";
      for (; number > 1; number /= factors[number]) {
        absl::StrAppend(&line, " ", factors[number]);
      }
      job.Token(line + "\n");
      job.Progress(++done);
    }
    return absl::StrCat(done, " numbers");
  });
}
