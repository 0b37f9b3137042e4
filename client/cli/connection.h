// Connection: how a verb reaches the coordinator: the flags --address and
// --context, the client that comes of them, and errors told so that a person
// knows what to do. Thread-compatible; must outlive the FlagSet that it was
// added to.
#ifndef VIGIL_CLIENT_CLI_CONNECTION_H_
#define VIGIL_CLIENT_CLI_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cc/client.h"
#include "client/cc/default_address.h"
#include "client/cli/config.pb.h"
#include "client/cli/environment.h"
#include "client/cli/flags.h"

namespace vigil::cli {

class Connection {
 public:
  void AddTo(FlagSet* flags);

  // Decides on the address: --address, else that of --context, else
  // VIGIL_ADDRESS, else that of VIGIL_CONTEXT, else that of the current
  // context, else the default. The namespace is that of the context: of one
  // that is named, or of the current one where nothing names an address. Call
  // it before the rest.
  //
  // - INVALID_ARGUMENT: the address has no known form, or the file of contexts
  //   is damaged.
  // - NOT_FOUND: no context has the name given.
  // - What the system says of a file of contexts that cannot be read.
  absl::Status Resolve(const Environment& environment);

  // Whether the address is the default one and nothing listens there.
  bool NothingRuns() const;

  const std::string& address() const { return address_.text; }

  // Who chose the address: "given by --address", "the default"...
  std::string OriginText() const;

  // The flags of it that were given, each with a blank before it; it need not
  // be resolved.
  std::string GivenFlags() const;

  // The namespace to use where none is given; empty: the coordinator's default.
  const std::string& default_namespace() const { return namespace_; }

  // `given`, or where that is empty the default.
  const std::string& NamespaceOr(const std::string& given) const {
    return given.empty() ? namespace_ : given;
  }

  // The context in force, and who chose it: "given by --context"...; empty:
  // none is.
  const std::string& context() const { return context_; }
  const std::string& context_origin() const { return context_origin_; }

  // Talks to this address from now on.
  void Use(const std::string& address) { address_.text = address; }

  absl::StatusOr<std::unique_ptr<client::Client>> Connect(
      const client::ClientOptions& options = {}) const;

  // An error of a call as one line: its code, its message and, where the
  // coordinator could not be reached, what was tried and what to do.
  std::string Explain(const absl::Status& status) const;

  // Only why a call failed: "nobody listens there"; else its code and message.
  std::string Reason(const absl::Status& status) const;

 private:
  // Finds the context that is in force, if one is.
  absl::StatusOr<Config::Context> ChooseContext(const Environment& environment);

  std::string flag_;
  std::string context_flag_;
  client::Address address_;
  // The address is the context's.
  bool address_of_context_ = false;
  std::string namespace_;
  std::string context_;
  std::string context_origin_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_CONNECTION_H_
