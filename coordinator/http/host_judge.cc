#include "coordinator/http/host_judge.h"

#include <arpa/inet.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace vigil::coordinator {
namespace {

constexpr char kDefaultPort[] = "80";

// Splits "host", "host:port" or "[v6]:port"; without a port it is HTTP's.
std::pair<absl::string_view, absl::string_view> SplitPort(
    absl::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  if (colon == absl::string_view::npos ||
      (bracket != absl::string_view::npos && bracket > colon)) {
    return {host, kDefaultPort};
  }
  return {host.substr(0, colon), host.substr(colon + 1)};
}

bool IsLiteralAddress(absl::string_view host) {
  unsigned char bytes[sizeof(in6_addr)];
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") &&
           inet_pton(AF_INET6, std::string(host).c_str(), bytes) == 1;
  }
  return inet_pton(AF_INET, std::string(host).c_str(), bytes) == 1;
}

}  // namespace

HostJudge::HostJudge(const std::vector<std::string>& addresses,
                     const std::vector<std::string>& names) {
  const auto add = [&](absl::string_view host, absl::string_view port) {
    hosts_.insert(absl::StrCat(absl::AsciiStrToLower(host), ":", port));
  };
  for (const std::string& address : addresses) {
    const auto [host, port] = SplitPort(address);
    add(host, port);
    add("localhost", port);
    add("127.0.0.1", port);
    add("[::1]", port);
    if (host == "0.0.0.0" || host == "[::]") {
      open_ports_.insert(std::string(port));
    }
  }
  for (const std::string& name : names) {
    const auto [host, port] = SplitPort(name);
    add(host, port);
  }
}

absl::Status HostJudge::CheckHost(absl::string_view text) const {
  const auto [host, port] = SplitPort(text);
  if (hosts_.contains(absl::StrCat(absl::AsciiStrToLower(host), ":", port)) ||
      (open_ports_.contains(port) && IsLiteralAddress(host))) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat(
      "the request is for host '", text,
      "', and this coordinator does not go by that name; use an address that "
      "it listens on, or name it with --http_hosts"));
}

absl::Status HostJudge::CheckOrigin(absl::string_view origin,
                                    absl::string_view host) {
  if (absl::EqualsIgnoreCase(origin, absl::StrCat("http://", host)) ||
      absl::EqualsIgnoreCase(origin, absl::StrCat("https://", host))) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat(
      "the request comes from a web page of ", origin,
      ", and pages of other origins may not call this coordinator"));
}

}  // namespace vigil::coordinator
