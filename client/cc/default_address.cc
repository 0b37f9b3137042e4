#include "client/cc/default_address.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cc/limits.h"

namespace vigil::client {
namespace {

constexpr absl::string_view kForms =
    "give unix:/absolute/path or host:port, such as 127.0.0.1:7070";

}  // namespace

absl::string_view SocketPath(absl::string_view address) {
  return absl::ConsumePrefix(&address, "unix:") ? address : absl::string_view();
}

absl::Status CheckAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) {
    const absl::string_view path = SocketPath(address);
    if (!absl::StartsWith(path, "/")) {
      return absl::InvalidArgumentError(
          absl::StrCat("address `", address,
                       "`: the socket's path is not absolute; ", kForms));
    }
    if (path.size() > kSocketPathBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("address `", address, "`: the socket's path has ",
                       path.size(), " bytes, but the system allows ",
                       kSocketPathBytesMax, "; use a shorter directory"));
    }
    return absl::OkStatus();
  }
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      absl::StrContains(address, "/") ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("address `", address, "` has no known form; ", kForms));
  }
  return absl::OkStatus();
}

absl::StatusOr<Address> ResolveAddress(const AddressSources& sources) {
  Address address;
  if (!sources.flag.empty()) {
    address = {sources.flag, Address::Origin::kFlag};
  } else if (!sources.vigil_address.empty()) {
    address = {sources.vigil_address, Address::Origin::kEnvironment};
  } else if (absl::StartsWith(sources.xdg_runtime_dir, "/")) {
    address.text =
        absl::StrCat("unix:", sources.xdg_runtime_dir, "/vigil/vigil.sock");
  } else {
    address.text = absl::StrCat("unix:/tmp/vigil-", sources.uid, "/vigil.sock");
  }
  if (absl::Status status = CheckAddress(address.text); !status.ok()) {
    return status;
  }
  return address;
}

}  // namespace vigil::client
