// HostJudge: keeps web pages away from a coordinator that listens on the same
// machine. A page of a foreign origin says so in Origin; one whose own name was
// made to point here (DNS rebinding) has that name in Host. Thread-safe once
// made; owns nothing but its names.
#ifndef VIGIL_COORDINATOR_HTTP_HOST_JUDGE_H_
#define VIGIL_COORDINATOR_HTTP_HOST_JUDGE_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vigil::coordinator {

class HostJudge {
 public:
  // `addresses` are those that are listened on, as "127.0.0.1:8080" or
  // "[::]:80": good as they stand and, with the same port, as localhost and as
  // loopback's addresses; of one that stands for all addresses each literal
  // address is, since no name can be made to be one. `names` are good besides,
  // exactly as clients send them in Host.
  HostJudge(const std::vector<std::string>& addresses,
            const std::vector<std::string>& names);

  // PERMISSION_DENIED: this Host is nobody who listens here.
  absl::Status CheckHost(absl::string_view host) const;

  // PERMISSION_DENIED: this Origin is not `host`'s own.
  static absl::Status CheckOrigin(absl::string_view origin,
                                  absl::string_view host);

 private:
  // In lower case; without the port where that is 80, as browsers have it.
  absl::flat_hash_set<std::string> hosts_;
  // Ports of addresses that stand for all.
  absl::flat_hash_set<std::string> open_ports_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_HOST_JUDGE_H_
