// A warm task in C++: counts the letters of each word of its input.
#include <sstream>

#include "worker/sdk/task.h"

int main() {
  // What takes long to load is loaded here, once.
  return vigil::task::Serve([](vigil::task::Job& job) -> vigil::task::Outcome {
    std::istringstream words(job.input());
    int count = 0;
    for (std::string word; !job.stopping() && words >> word;) {
      job.Token(word + ": " + std::to_string(word.size()) + "\n");
      job.Progress(++count);
    }
    if (count > 0) return std::to_string(count) + " words";
    return vigil::task::Error{vigil::Reason::kInvalidInput, "no words"};
  });
}
