// WatchedBatch: a batch that is followed to its end: a line on stdout for each
// item that has ended, its progress on stderr. Main thread only; answers of the
// client come by way of the event queue. Borrows all but its stream, and the
// client must be gone before it.
#ifndef VIGIL_CLIENT_CLI_WATCH_BATCH_H_
#define VIGIL_CLIENT_CLI_WATCH_BATCH_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cc/client.h"
#include "client/cli/batch_display.h"
#include "client/cli/batch_summary.h"
#include "client/cli/connection.h"
#include "client/cli/environment.h"
#include "client/cli/watch_options.h"
#include "vigil/v1/batch.pb.h"

namespace vigil::cli {

class WatchedBatch {
 public:
  // `batch` is what is known of it.
  WatchedBatch(const Environment& environment, const Connection& connection,
               const WatchOptions& options, const v1::Batch& batch);

  // Follows it. Returns the exit status of the process: that of `vigil batch`.
  int Follow(std::unique_ptr<client::Client> client);

 private:
  bool writes_events() const {
    return options_.format == WatchOptions::Format::kJsonLines;
  }
  void OnEvent(v1::BatchEvent event);
  void Write(const std::string& line);
  void OnRetry(const absl::Status& error);
  void OnSignal(int signal);
  int Finish(const absl::StatusOr<v1::Batch>& batch);

  const Environment& environment_;
  const Connection& connection_;
  const WatchOptions options_;
  // As last heard.
  v1::Batch batch_;
  // Results that are not to be shown.
  int64_t skip_ = 0;
  BatchSummary summary_;
  BatchDisplay display_;
  client::BatchWatch stream_;
  absl::Time last_note_ = absl::InfinitePast();
  std::optional<absl::StatusOr<v1::Batch>> end_;
  // The signal that asked for the end; 0: none.
  int signal_ = 0;
  absl::Status write_error_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WATCH_BATCH_H_
