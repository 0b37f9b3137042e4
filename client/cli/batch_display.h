// BatchDisplay: shows a batch while it goes on: a bar that is drawn again on a
// terminal, a line now and then elsewhere, notes between them, all on stderr.
// Main thread only; descriptors and environment are borrowed.
#ifndef VIGIL_CLIENT_CLI_BATCH_DISPLAY_H_
#define VIGIL_CLIENT_CLI_BATCH_DISPLAY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/environment.h"
#include "client/cli/progress_bar.h"
#include "client/cli/rate_meter.h"

namespace vigil::cli {

class BatchDisplay {
 public:
  BatchDisplay(const Environment& environment, absl::Time now);

  // When Show wants to be called next.
  absl::Time next_time() const { return next_; }

  // Shows the progress if it is time to. Fills in its rate.
  void Show(BatchProgress progress, absl::Time now);

  // Writes `text`, which ends with a newline, where the bar was.
  void Write(absl::string_view text);

  // Removes the bar, for example before something else is written to the
  // terminal.
  void Clear();

 private:
  const bool is_terminal_;
  const Style style_;
  RateMeter rate_;
  absl::Time next_;
  // What was written last, and when: the same line is not repeated often.
  std::string last_line_;
  absl::Time last_line_time_ = absl::InfinitePast();
  bool drawn_ = false;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_BATCH_DISPLAY_H_
