// LiveIds: asks the coordinator for ids that somebody may want to type, and
// gives up soon and silently. Main thread only; blocks up to kCompletionTimeout
// in all. Owns its client.
#ifndef VIGIL_CLIENT_CLI_LIVE_IDS_H_
#define VIGIL_CLIENT_CLI_LIVE_IDS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cc/client.h"
#include "client/cli/command/complete.h"
#include "client/cli/environment.h"

namespace vigil::cli {

class LiveIds {
 public:
  // `words` are those of the command line: what they say of the coordinator and
  // the namespace counts.
  LiveIds(const std::vector<std::string>& words,
          const Environment& environment);

  // Newest first; at most kCompletionIdsMax. Empty if nobody answers in time.
  enum class Which { kLive, kAll };
  std::vector<Candidate> Jobs(Which which);
  std::vector<Candidate> Batches(Which which);
  std::vector<Candidate> Workers();

 private:
  client::CallOptions Limit() const;

  const Environment& environment_;
  const absl::Time deadline_;
  std::string namespace_;
  // Null: there is no address to ask.
  std::unique_ptr<client::Client> client_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_LIVE_IDS_H_
