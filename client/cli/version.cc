#include "client/cli/version.h"

#include "absl/strings/str_cat.h"
#include "base/build_version.h"
#include "client/cc/client.h"
#include "client/cli/connection.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Says which version this program is, which API it speaks, and which the\n"
    "coordinator is, if one answers within 2 s.\n"
    "\n"
    "Exit status: 0, also when no coordinator answers, or the contexts or the\n"
    "address make no sense.";

// The package of the API, which is its version.
std::string Api() {
  return v1::GetStatusResponse::descriptor()->file()->package();
}

// Asks the coordinator; an error's message is for people.
absl::StatusOr<v1::GetStatusResponse> Ask(const Environment& environment,
                                          Connection* connection) {
  if (absl::Status status = connection->Resolve(environment); !status.ok()) {
    return status;
  }
  auto client = connection->Connect();
  if (!client.ok()) return client.status();
  absl::StatusOr<v1::GetStatusResponse> status =
      (*client)
          ->Call(v1::GetStatusRequest(), {.timeout = kVersionTimeout})
          .Wait();
  if (status.ok()) return status;
  return absl::Status(status.status().code(),
                      connection->Explain(status.status()));
}

std::string Text(const Connection& connection,
                 const absl::StatusOr<v1::GetStatusResponse>& status) {
  if (!status.ok()) {
    return absl::StrCat("coordinator: ", status.status().message(), "\n");
  }
  return absl::StrCat("coordinator ", OneLine(status->build()), ", epoch ",
                      status->epoch(), ", at ", connection.address(), " (",
                      connection.OriginText(), ")\n");
}

std::string Json(const Connection& connection,
                 const absl::StatusOr<v1::GetStatusResponse>& status) {
  const std::string address = absl::StrCat(",\"coordinator\":{\"address\":",
                                           JsonString(connection.address()));
  if (!status.ok()) {
    return absl::StrCat(
        address, ",\"error\":", JsonString(status.status().message()), "}");
  }
  return absl::StrCat(address, ",\"build\":", JsonString(status->build()),
                      ",\"epoch\":", status->epoch(), "}");
}

}  // namespace

int Version(const std::vector<std::string>& arguments,
            const Environment& environment) {
  Connection connection;
  bool client_only = false;
  bool json = false;
  Verb verb(FlagSet::Positionals::kAnywhere, "version", "version [flags]",
            kAbout);
  verb.flags()->Add({.name = "client",
                     .help = "Only of this program; asks nobody.",
                     .set = SetSwitch(&client_only)});
  verb.flags()->Add({.name = "output",
                     .letter = 'o',
                     .value = "FORMAT",
                     .help = "`json`: as JSON. Default `text`.",
                     .choices = {"text", "json"},
                     .set = SetOutputFormat(&json)});
  connection.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (!words.empty()) {
    return Fail(absl::StrCat("`", OneLine(words[0]), "` is not wanted here"));
  }
  std::string text =
      json ? absl::StrCat("{\"client\":{\"build\":", JsonString(kBuildVersion),
                          ",\"api\":", JsonString(Api()), "}")
           : absl::StrCat("vigil ", kBuildVersion, ", API ", Api(), "\n");
  if (!client_only) {
    const absl::StatusOr<v1::GetStatusResponse> status =
        Ask(environment, &connection);
    absl::StrAppend(&text,
                    json ? Json(connection, status) : Text(connection, status));
  }
  if (json) absl::StrAppend(&text, "}\n");
  return Print(text);
}

}  // namespace vigil::cli
