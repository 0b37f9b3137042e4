#include "client/cli/watch.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "client/cc/client.h"
#include "client/cli/await_answer.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/verb.h"
#include "client/cli/watch_batch.h"
#include "client/cli/watch_job.h"
#include "client/cli/watch_options.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Follows a job or a batch to its end, through restarts of the "
    "coordinator.\n"
    "Of a job: its stdout and stderr as its program wrote them, what it does "
    "on\n"
    "stderr; of one that has ended, what is kept. Of a batch: a line on "
    "stdout\n"
    "for each item that has ended, its progress on stderr.\n"
    "\n"
    "Ctrl+C stops watching, and nothing else.\n"
    "\n"
    "Exit status: of a job as `vigil run` has it; of a batch 0, or 123 when "
    "an\n"
    "item did not succeed; 4 there is neither; 125 Vigil failed; 130 Ctrl+C.";

struct WatchFlags {
  Connection connection;
  WatchOptions options;
  std::string id_namespace;
  absl::Duration reconnect = client::kReconnectForDefault;

  void AddTo(FlagSet* flags);
};

void WatchFlags::AddTo(FlagSet* flags) {
  flags->Add({.name = "from",
              .value = "WHERE",
              .help = "`start`: all that is kept. `now`: only what comes from "
                      "now on. Default `start`.",
              .choices = {"start", "now"},
              .set = SetChoice<WatchOptions::From>(
                  &options.from, {{"start", WatchOptions::From::kStart},
                                  {"now", WatchOptions::From::kNow}})});
  flags->Add({.name = "in_order",
              .help = "Of a batch: items in their order, not in that of their "
                      "ends.",
              .set = SetSwitch(&options.in_order)});
  flags->Add(
      {.name = "output",
       .letter = 'o',
       .value = "FORMAT",
       .help = "`json`: the last line on stderr is the job or batch as "
               "JSON, in place of the report. `jsonl`: a line of JSON "
               "on stdout for each event, and nothing else. Default "
               "`text`.",
       .choices = {"text", "json", "jsonl"},
       .set = SetChoice<WatchOptions::Format>(
           &options.format, {{"text", WatchOptions::Format::kText},
                             {"json", WatchOptions::Format::kJson},
                             {"jsonl", WatchOptions::Format::kJsonLines}})});
  flags->Add({.name = "namespace",
              .value = "NAME",
              .help = "Where it is. Default: the context's, else `default`.",
              .set = SetText(&id_namespace)});
  flags->Add({.name = "reconnect",
              .value = "DURATION",
              .help = "How long the coordinator may be away. Default 60s.",
              .set = SetTimeSpan(&reconnect)});
  connection.AddTo(flags);
}

// Finds out what has the id, and follows it.
int WatchId(const std::string& id, const WatchFlags& flags,
            const Environment& environment) {
  const Connection& connection = flags.connection;
  client::ClientOptions options;
  options.backoff.give_up_after = flags.reconnect;
  auto connected = connection.Connect(options);
  if (!connected.ok()) return Fail(connected.status().message());
  std::unique_ptr<client::Client> client = *std::move(connected);
  const std::string& name_space = connection.NamespaceOr(flags.id_namespace);
  int signal = 0;

  v1::GetJobRequest job_request;
  job_request.set_namespace_(name_space);
  job_request.set_job_id(id);
  const auto job =
      AwaitAnswer(client.get(), job_request, environment.events, &signal);
  if (signal != 0) return kExitSignal + signal;
  if (job.ok()) {
    return WatchedJob(environment, connection, flags.options, job->job())
        .Follow(std::move(client));
  }
  if (!absl::IsNotFound(job.status())) {
    return Fail(connection.Explain(job.status()));
  }

  v1::GetBatchRequest batch_request;
  batch_request.set_namespace_(name_space);
  batch_request.set_batch_id(id);
  const auto batch =
      AwaitAnswer(client.get(), batch_request, environment.events, &signal);
  if (signal != 0) return kExitSignal + signal;
  if (batch.ok()) {
    return WatchedBatch(environment, connection, flags.options, batch->batch())
        .Follow(std::move(client));
  }
  if (!absl::IsNotFound(batch.status())) {
    return Fail(connection.Explain(batch.status()));
  }
  Fail(absl::StrCat(
      "neither a job nor a batch `", OneLine(id), "` in namespace `",
      name_space.empty() ? "default" : name_space,
      "`, or its retention is over; `vigil job list` shows jobs, `vigil batch "
      "list` batches"));
  return kExitNoSuchThing;
}

}  // namespace

int Watch(const std::vector<std::string>& arguments,
          const Environment& environment) {
  WatchFlags flags;
  Verb verb(FlagSet::Positionals::kAnywhere, "watch", "watch JOB|BATCH [flags]",
            kAbout);
  flags.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (words.size() == 1 && words[0].empty()) {
    return Fail("the id is missing: vigil watch ID");
  }
  if (words.size() != 1 || !IsUtf8(words[0])) {
    return Fail("watch wants the id of one job or batch: vigil watch ID");
  }
  if (flags.options.in_order &&
      flags.options.from == WatchOptions::From::kNow) {
    return Fail(
        "--from=now and --in_order exclude each other: what has ended by now "
        "is not the first in order");
  }
  if (absl::Status status = flags.connection.Resolve(environment);
      !status.ok()) {
    return Fail(status.message());
  }
  return WatchId(words[0], flags, environment);
}

}  // namespace vigil::cli
