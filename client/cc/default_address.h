// Where the coordinator listens when nobody says otherwise, and which forms an
// address has: `unix:/absolute/path` or `host:port`. Pure functions,
// thread-safe: the caller reads the environment and hands the values in.
#ifndef VIGIL_CLIENT_CC_DEFAULT_ADDRESS_H_
#define VIGIL_CLIENT_CC_DEFAULT_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vigil::client {

// What may name an address, in order of precedence. Empty: not given.
struct AddressSources {
  // The flag --address.
  std::string flag;
  // The environment's VIGIL_ADDRESS.
  std::string vigil_address;
  // The environment's XDG_RUNTIME_DIR; ignored unless absolute.
  std::string xdg_runtime_dir;
  // The effective user id.
  uint32_t uid = 0;
};

// An address, and who chose it.
struct Address {
  enum class Origin { kFlag, kEnvironment, kDefault };
  std::string text;
  Origin origin = Origin::kDefault;
};

// Returns the address to use: the flag, else VIGIL_ADDRESS, else
// unix:$XDG_RUNTIME_DIR/vigil/vigil.sock, else unix:/tmp/vigil-UID/vigil.sock.
//
// - INVALID_ARGUMENT: as CheckAddress.
absl::StatusOr<Address> ResolveAddress(const AddressSources& sources);

// Tells whether `address` has one of the two forms.
//
// - INVALID_ARGUMENT: it has not, or its path is too long for a socket; the
//   message says what is wrong and what the forms are.
absl::Status CheckAddress(absl::string_view address);

// The path of a unix address; empty for a host and port.
absl::string_view SocketPath(absl::string_view address);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_DEFAULT_ADDRESS_H_
