// OutputSaver: writes the kept output of ended jobs to files, some at a time.
// Main thread only: the client's answers come by way of the event queue. The
// client and the queue are borrowed; the client must be gone before this is.
#ifndef VIGIL_CLIENT_CLI_OUTPUT_SAVER_H_
#define VIGIL_CLIENT_CLI_OUTPUT_SAVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cc/client.h"
#include "client/cli/event_queue.h"

namespace vigil::cli {

class OutputSaver {
 public:
  // Writes into `directory`, which exists. Calls are tried again for
  // `retry_for`.
  OutputSaver(client::Client* client, EventQueue* events, std::string directory,
              absl::Duration retry_for)
      : client_(client),
        events_(events),
        directory_(std::move(directory)),
        retry_for_(retry_for) {}

  // Writes stdout of the job's last attempt to INDEX.out, and to INDEX.err its
  // stderr if it has any; then calls `done` with the bytes that are not kept
  // any more, or with what went wrong.
  using Done = std::function<void(absl::StatusOr<int64_t> missing_bytes)>;
  void Save(const std::string& job_namespace, const std::string& job_id,
            int64_t index, Done done);

 private:
  struct Saving;
  void ReadPage(std::shared_ptr<Saving> saving);
  void OnPage(const std::shared_ptr<Saving>& saving,
              const absl::StatusOr<v1::ReadOutputResponse>& page);

  client::Client* const client_;
  EventQueue* const events_;
  const std::string directory_;
  const absl::Duration retry_for_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_OUTPUT_SAVER_H_
