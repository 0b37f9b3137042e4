#include "client/cli/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "client/cli/config_file.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/nearest.h"

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

absl::Status NoSuchContext(const std::string& name, const std::string& origin,
                           const ConfigFile& file, const Config& config) {
  return absl::NotFoundError(
      absl::StrCat("no context `", OneLine(name), "` (", origin, ") in ",
                   file.path(), DidYouMean(name, ContextNames(config)),
                   "; `vigil context list` shows them"));
}

}  // namespace

void Connection::AddTo(FlagSet* flags) {
  flags->Add({.name = "address",
              .value = "ADDRESS",
              .help = "The coordinator: unix:/path or host:port. Default: that "
                      "of --context, else $VIGIL_ADDRESS, else that of "
                      "$VIGIL_CONTEXT or the current context, else "
                      "vigil/vigil.sock in $XDG_RUNTIME_DIR, else in "
                      "/tmp/vigil-UID.",
              .set = SetText(&flag_)});
  flags->Add({.name = "context",
              .value = "CONTEXT",
              .help = "Take address and namespace from this context; see "
                      "`vigil context --help`.",
              .set = SetText(&context_flag_)});
}

absl::StatusOr<Config::Context> Connection::ChooseContext(
    const Environment& environment) {
  std::string name = context_flag_;
  std::string origin = "given by --context";
  if (name.empty()) {
    name = environment.Variable("VIGIL_CONTEXT");
    origin = "given by VIGIL_CONTEXT";
  }
  const bool has_address =
      !flag_.empty() || !environment.Variable("VIGIL_ADDRESS").empty();
  if (name.empty() && has_address) return Config::Context();
  const ConfigFile file = ConfigFile::Of(environment);
  absl::StatusOr<Config> config = file.Read();
  if (!config.ok()) return config.status();
  if (name.empty()) {
    if (config->current().empty()) return Config::Context();
    name = config->current();
    origin = "the current one";
  }
  const Config::Context* found = FindContext(*config, name);
  if (found == nullptr) return NoSuchContext(name, origin, file, *config);
  context_ = name;
  context_origin_ = origin;
  return *found;
}

absl::Status Connection::Resolve(const Environment& environment) {
  const absl::StatusOr<Config::Context> context = ChooseContext(environment);
  if (!context.ok()) return context.status();
  namespace_ = context->namespace_();
  client::AddressSources sources{
      .flag = flag_,
      .vigil_address = environment.Variable("VIGIL_ADDRESS"),
      .xdg_runtime_dir = environment.Variable("XDG_RUNTIME_DIR"),
      .uid = environment.uid};
  // What is typed precedes the environment, which precedes the file.
  address_of_context_ =
      flag_.empty() && !context->address().empty() &&
      (!context_flag_.empty() || sources.vigil_address.empty());
  if (address_of_context_) sources.flag = context->address();
  absl::StatusOr<client::Address> address = client::ResolveAddress(sources);
  if (!address.ok()) return address.status();
  address_ = *std::move(address);
  return absl::OkStatus();
}

std::string Connection::OriginText() const {
  if (address_of_context_) {
    return absl::StrCat("that of context `", context_, "`, ", context_origin_);
  }
  switch (address_.origin) {
    case client::Address::Origin::kFlag:
      return "given by --address";
    case client::Address::Origin::kEnvironment:
      return "given by VIGIL_ADDRESS";
    case client::Address::Origin::kDefault:
      return "the default";
  }
  return "";
}

std::string Connection::GivenFlags() const {
  return absl::StrCat(
      flag_.empty() ? "" : absl::StrCat(" --address=", flag_),
      context_flag_.empty() ? "" : absl::StrCat(" --context=", context_flag_));
}

bool Connection::NothingRuns() const {
  return address_.origin == client::Address::Origin::kDefault &&
         NobodyListens(ConnectError(client::SocketPath(address_.text)));
}

absl::StatusOr<std::unique_ptr<client::Client>> Connection::Connect(
    const client::ClientOptions& options) const {
  return client::Client::Connect(address_.text, options);
}

std::string Connection::Reason(const absl::Status& status) const {
  const absl::string_view path = client::SocketPath(address_.text);
  if (absl::IsUnavailable(status) && !path.empty()) {
    const int error = ConnectError(path);
    if (NobodyListens(error)) return "nobody listens there";
    if (error != 0) return strerror(error);
  }
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ",
                      OneLine(status.message()));
}

std::string Connection::Explain(const absl::Status& status) const {
  const std::string reason = Reason(status);
  const absl::string_view path = client::SocketPath(address_.text);
  // Where somebody answers, what went wrong is what the status says.
  if (!absl::IsUnavailable(status) ||
      (!path.empty() && ConnectError(path) == 0)) {
    return reason;
  }
  return absl::StrCat("cannot reach the coordinator at ", address_.text, " (",
                      OriginText(), "): ", reason,
                      "; start one with `coordinator --listen=", address_.text,
                      "`, or name another with --address");
}

}  // namespace vigil::cli
