// OutputSkip: leaves out what a job had written before somebody began to watch
// it. Thread-compatible. Owns a record for each attempt there was.
#ifndef VIGIL_CLIENT_CLI_OUTPUT_SKIP_H_
#define VIGIL_CLIENT_CLI_OUTPUT_SKIP_H_

#include <cstdint>
#include <map>
#include <utility>

#include "vigil/v1/job.pb.h"
#include "vigil/v1/output.pb.h"

namespace vigil::cli {

class OutputSkip {
 public:
  // Leaves nothing out.
  OutputSkip() = default;
  // Leaves out what is known of this job.
  explicit OutputSkip(const v1::Job& job);

  // What is left of a piece of output; empty: nothing.
  v1::Output Rest(v1::Output output);

  // Whether any of the gap lies behind what is left out.
  bool Shows(const v1::OutputGap& gap) const;

  // Whether anything written to stdout was left out.
  bool skipped_stdout() const { return skipped_stdout_; }

 private:
  // Where what is shown of this stream begins.
  int64_t Start(int attempt, v1::Output::Stream stream) const;

  std::map<std::pair<int, v1::Output::Stream>, int64_t> starts_;
  bool skipped_stdout_ = false;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_OUTPUT_SKIP_H_
