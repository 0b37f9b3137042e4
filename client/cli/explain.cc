#include "client/cli/explain.h"

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "client/cli/await_answer.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/explain_format.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Says what a job waits for, or why and how it ended: each attempt with\n"
    "its times, its reason, the evidence taken before it was stopped, and\n"
    "advice.\n"
    "\n"
    "Exit status: 0; 4 there is no such job; 125 there is no result to write, "
    "or\n"
    "no coordinator.";

// Writes what the job left, as it is.
int WriteResult(const v1::Job& job) {
  if (job.has_result()) return Print(job.result());
  if (job.has_partial_result()) {
    return Print(job.partial_result());
  }
  const std::string& id = job.job_id();
  const std::string state = StateName(job.state());
  if (!IsFinal(job.state())) {
    return Fail(absl::StrCat("job ", id, " is ", state,
                             " and has no result yet; ask again when it has "
                             "ended"));
  }
  return Fail(absl::StrCat("job ", id, " ", state,
                           " and left no result; only warm tasks do, what a "
                           "command wrote is its output"));
}

}  // namespace

int Explain(const std::vector<std::string>& arguments,
            const Environment& environment) {
  Connection connection;
  bool json = false;
  bool result = false;
  std::string job_namespace;
  Verb verb(FlagSet::Positionals::kAnywhere, "explain", "explain JOB [flags]",
            kAbout);
  verb.flags()->Add({.name = "output",
                     .letter = 'o',
                     .value = "FORMAT",
                     .help = "`json`: the job as JSON. Default `text`.",
                     .set = SetOutputFormat(&json)});
  verb.flags()->Add({.name = "result",
                     .help = "Write the result of the job to stdout as it is, "
                             "or the partial result that it left, and nothing "
                             "else.",
                     .set = SetSwitch(&result)});
  verb.flags()->Add({.name = "namespace",
                     .value = "NAME",
                     .help =
                         "Namespace of the job. Default: the context's, else "
                         "`default`.",
                     .set = SetText(&job_namespace)});
  connection.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (words.size() == 1 && words[0].empty()) {
    return Fail("the id is missing: vigil explain JOB");
  }
  if (words.size() != 1 || !IsUtf8(words[0])) {
    return Fail("explain wants the id of one job: vigil explain JOB");
  }
  if (result && json) return Fail("--result and -o json exclude each other");
  if (absl::Status status = connection.Resolve(environment); !status.ok()) {
    return Fail(status.message());
  }
  auto client = connection.Connect();
  if (!client.ok()) return Fail(client.status().message());
  v1::GetJobRequest request;
  request.set_namespace_(connection.NamespaceOr(job_namespace));
  request.set_job_id(words[0]);
  int signal = 0;
  const absl::StatusOr<v1::GetJobResponse> response =
      AwaitAnswer(client->get(), request, environment.events, &signal);
  if (signal != 0) return kExitSignal + signal;
  if (!response.ok()) {
    Fail(connection.Explain(response.status()));
    return absl::IsNotFound(response.status()) ? kExitNoSuchThing : kExitVigil;
  }
  const v1::Job& job = response->job();
  if (result) return WriteResult(job);
  if (json) {
    return Print(ToJson(job, JsonLayout::kIndented));
  }
  // Who is in the way of a job that waits.
  v1::GetStatusResponse status;
  if (job.state() == v1::Job::STATE_QUEUED) {
    absl::StatusOr<v1::GetStatusResponse> got = AwaitAnswer(
        client->get(), v1::GetStatusRequest(), environment.events, &signal);
    if (signal != 0) return kExitSignal + signal;
    if (!got.ok()) return Fail(connection.Explain(got.status()));
    status = *std::move(got);
  }
  const ExplainContext context{.now = environment.clock->Now(),
                               .zone = environment.zone,
                               .style = environment.StyleOfStdout(),
                               .status = &status};
  return Print(FormatExplanation(job, context));
}

}  // namespace vigil::cli
