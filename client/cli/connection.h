// Connection: how a verb reaches the coordinator: the flag --address, the
// client that comes of it, and errors told so that a person knows what to do.
// Thread-compatible; must outlive the FlagSet that it was added to.
#ifndef VIGIL_CLIENT_CLI_CONNECTION_H_
#define VIGIL_CLIENT_CLI_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cc/client.h"
#include "client/cc/default_address.h"
#include "client/cli/environment.h"
#include "client/cli/flags.h"

namespace vigil::cli {

class Connection {
 public:
  void AddTo(FlagSet* flags);

  // Decides on the address. Call it before the rest.
  //
  // - INVALID_ARGUMENT: the address has no known form.
  absl::Status Resolve(const Environment& environment);

  // Whether the address is the default one and nothing listens there.
  bool NothingRuns() const;

  const std::string& address() const { return address_.text; }

  // The namespace of whoever names none; empty: the coordinator's default.
  const std::string& default_namespace() const { return namespace_; }

  // Talks to this address from now on.
  void Use(const std::string& address) { address_.text = address; }

  absl::StatusOr<std::unique_ptr<client::Client>> Connect(
      const client::ClientOptions& options = {}) const;

  // An error of a call as one line: its code, its message and, where the
  // coordinator could not be reached, what was tried and what to do.
  std::string Explain(const absl::Status& status) const;

 private:
  std::string flag_;
  std::string namespace_;
  client::Address address_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_CONNECTION_H_
