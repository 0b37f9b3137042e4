#include "client/cli/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"

namespace vigil::cli {
namespace {

// The error of connecting to a socket; 0: somebody listens.
int ConnectError(absl::string_view path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  memcpy(address.sun_path, path.data(), path.size());
  UniqueFd probe(
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return errno;
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0) {
    return 0;
  }
  return errno;
}

bool NobodyListens(int error) {
  return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
}

std::string OriginText(client::Address::Origin origin) {
  switch (origin) {
    case client::Address::Origin::kFlag:
      return "given by --address";
    case client::Address::Origin::kEnvironment:
      return "given by VIGIL_ADDRESS";
    case client::Address::Origin::kDefault:
      return "the default";
  }
  return "";
}

}  // namespace

void Connection::AddTo(FlagSet* flags) {
  flags->Add({.name = "address",
              .value = "ADDRESS",
              .help = "The coordinator: unix:/path or host:port. Default: "
                      "$VIGIL_ADDRESS, else vigil/vigil.sock in "
                      "$XDG_RUNTIME_DIR, else in /tmp/vigil-UID.",
              .set = SetText(&flag_)});
}

absl::Status Connection::Resolve(const Environment& environment) {
  absl::StatusOr<client::Address> address = client::ResolveAddress(
      {.flag = flag_,
       .vigil_address = environment.Variable("VIGIL_ADDRESS"),
       .xdg_runtime_dir = environment.Variable("XDG_RUNTIME_DIR"),
       .uid = environment.uid});
  if (!address.ok()) return address.status();
  address_ = *std::move(address);
  return absl::OkStatus();
}

bool Connection::NothingRuns() const {
  return address_.origin == client::Address::Origin::kDefault &&
         NobodyListens(ConnectError(client::SocketPath(address_.text)));
}

absl::StatusOr<std::unique_ptr<client::Client>> Connection::Connect(
    const client::ClientOptions& options) const {
  return client::Client::Connect(address_.text, options);
}

std::string Connection::Explain(const absl::Status& status) const {
  const std::string plain = absl::StrCat(
      absl::StatusCodeToString(status.code()), ": ", OneLine(status.message()));
  if (!absl::IsUnavailable(status)) return plain;
  const absl::string_view path = client::SocketPath(address_.text);
  std::string why = plain;
  if (!path.empty()) {
    const int error = ConnectError(path);
    // Somebody answers: what went wrong is what the status says.
    if (error == 0) return plain;
    why = NobodyListens(error) ? "nobody listens there" : strerror(error);
  }
  return absl::StrCat("cannot reach the coordinator at ", address_.text, " (",
                      OriginText(address_.origin), "): ", why,
                      "; start one with `coordinator --listen=", address_.text,
                      "`, or name another with --address");
}

}  // namespace vigil::cli
