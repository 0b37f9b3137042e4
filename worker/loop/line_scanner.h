// LineScanner: cuts a stream of bytes into lines for the patterns to look at.
// Thread-compatible. Owns the start of the line that is not complete.
#ifndef VIGIL_WORKER_LOOP_LINE_SCANNER_H_
#define VIGIL_WORKER_LOOP_LINE_SCANNER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace vigil::worker {

class LineScanner {
 public:
  using Visitor = absl::FunctionRef<void(absl::string_view)>;

  // Calls `visit` with each line that `bytes` completes, without its end. A
  // line ends at \n or at \r, as progress bars write it; of a longer one the
  // first kLineBytesMax are seen, empty ones are not. A view lives during the
  // call.
  void Add(absl::string_view bytes, Visitor visit);

 private:
  std::string start_;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_LINE_SCANNER_H_
