#include "client/cli/status.h"

#include "absl/strings/str_cat.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/status_format.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Shows what a coordinator runs, phase by phase, and what waits for what.\n"
    "\n"
    "Exit status: 0, or 125 when the coordinator does not answer.";

}  // namespace

int Status(const std::vector<std::string>& arguments,
           const Environment& environment) {
  Connection connection;
  bool json = false;
  Verb verb(FlagSet::Positionals::kAnywhere, "status", "status [flags]",
            kAbout);
  verb.flags()->Add({.name = "output",
                     .letter = 'o',
                     .value = "FORMAT",
                     .help = "`json`: GetStatusResponse as JSON. Default "
                             "`text`.",
                     .set = SetOutputFormat(&json)});
  connection.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, &words)) return *status;
  if (!words.empty()) {
    return Fail(absl::StrCat("`", words[0],
                             "` is not wanted here; to ask for "
                             "one job: vigil explain ",
                             words[0]));
  }
  if (absl::Status status = connection.Resolve(environment); !status.ok()) {
    return Fail(status.message());
  }
  auto client = connection.Connect();
  if (!client.ok()) return Fail(client.status().message());
  absl::StatusOr<v1::GetStatusResponse> response = (*client)->GetStatus();
  if (!response.ok()) return Fail(connection.Explain(response.status()));
  const std::string text =
      json ? absl::StrCat(ToJson(*response, JsonLayout::kIndented))
           : FormatStatus(*response, environment.clock->Now(),
                          environment.StyleOfStdout());
  return Print(text) ? 0 : kExitVigil;
}

}  // namespace vigil::cli
