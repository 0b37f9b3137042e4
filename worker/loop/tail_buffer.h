// TailBuffer: the last bytes of a stream. Thread-compatible. Owns at most twice
// its capacity.
#ifndef VIGIL_WORKER_LOOP_TAIL_BUFFER_H_
#define VIGIL_WORKER_LOOP_TAIL_BUFFER_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace vigil::worker {

class TailBuffer {
 public:
  explicit TailBuffer(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Add(absl::string_view bytes) {
    if (bytes.size() >= bytes_max_) {
      bytes.remove_prefix(bytes.size() - bytes_max_);
      data_.assign(bytes.data(), bytes.size());
      return;
    }
    data_.append(bytes.data(), bytes.size());
    if (data_.size() > 2 * bytes_max_) {
      data_.erase(0, data_.size() - bytes_max_);
    }
  }

  void Clear() { data_.clear(); }

  // The last bytes, at most `bytes_max`. Valid until the next Add.
  absl::string_view view() const {
    const absl::string_view all = data_;
    return all.size() <= bytes_max_ ? all : all.substr(all.size() - bytes_max_);
  }

 private:
  const size_t bytes_max_;
  std::string data_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_TAIL_BUFFER_H_
