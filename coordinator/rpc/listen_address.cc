#include "coordinator/rpc/listen_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/unique_fd.h"

namespace vigil::coordinator {
namespace {

constexpr size_t kSocketPathMax = sizeof(sockaddr_un::sun_path) - 1;

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host == "::1" || host == "[::1]") return true;
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 &&
         (ntohl(address.s_addr) >> 24) == 127;
}

absl::Status Invalid(absl::string_view flag, const std::string& text,
                     absl::string_view problem) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": '", text, "' ", problem));
}

// Checks a "host:port".
absl::Status CheckTcp(absl::string_view flag, const std::string& text,
                      Exposure exposure, absl::string_view form) {
  const size_t colon = text.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return Invalid(flag, text, absl::StrCat("must be ", form));
  }
  if (!IsLoopback(text.substr(0, colon)) &&
      exposure == Exposure::kLoopbackOnly) {
    return Invalid(
        flag, text,
        "is not on loopback, and nothing would protect it: use 127.0.0.1 or a "
        "unix socket, or add --insecure if the network is trusted");
  }
  return absl::OkStatus();
}

absl::StatusOr<ListenAddress> ParseOne(const std::string& text,
                                       Exposure exposure) {
  const auto invalid = [&](const std::string& problem) {
    return Invalid("--listen", text, problem);
  };
  if (absl::StartsWith(text, "unix:")) {
    const std::string path = text.substr(5);
    if (path.empty() || path[0] != '/') {
      return invalid("must name an absolute path, as in unix:/run/vigil.sock");
    }
    if (path.size() > kSocketPathMax) {
      return invalid(absl::StrCat("is ", path.size(),
                                  " bytes long; the system allows ",
                                  kSocketPathMax, " for a socket's path"));
    }
    return ListenAddress{text, path};
  }
  absl::Status status =
      CheckTcp("--listen", text, exposure, "unix:/path or host:port");
  if (!status.ok()) return status;
  return ListenAddress{text, ""};
}

}  // namespace

absl::StatusOr<std::vector<ListenAddress>> ParseListen(
    const std::string& listen, Exposure exposure) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text :
       std::vector<std::string>(absl::StrSplit(listen, ','))) {
    absl::StatusOr<ListenAddress> address = ParseOne(text, exposure);
    if (!address.ok()) return address.status();
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

absl::StatusOr<std::vector<std::string>> ParseHttpListen(
    const std::string& listen, Exposure exposure) {
  const std::vector<std::string> addresses = absl::StrSplit(listen, ',');
  for (const std::string& text : addresses) {
    absl::Status status = CheckTcp("--http_listen", text, exposure,
                                   "host:port, as in 127.0.0.1:8080");
    if (!status.ok()) return status;
  }
  return addresses;
}

absl::Status PrepareSocket(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  std::error_code error;
  const mode_t mask = umask(077);
  std::filesystem::create_directories(directory, error);
  umask(mask);
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("--listen: cannot make ", directory, ": ",
                     error ? error.message() : strerror(errno)));
  }
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("--listen: ", directory, " belongs to user ", info.st_uid,
                     ", who could replace the socket; use another directory"));
  }
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--listen: ", path, " is there and is not a socket; move it away"));
  }
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  if (connect(probe.get(), reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("--listen: somebody listens on ", path,
                     " already; use it, or choose another socket"));
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

}  // namespace vigil::coordinator
