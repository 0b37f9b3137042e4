#include "client/cli/live_ids.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/connection.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

// Those of `words` that are flags of a connection, or --namespace, with their
// values. The last word is not said yet.
std::vector<std::string> ConnectionWords(
    const std::vector<std::string>& words) {
  std::vector<std::string> found;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string name = absl::StrReplaceAll(
        absl::string_view(words[i]).substr(0, words[i].find('=')),
        {{"-", "_"}});
    if (name != "__address" && name != "__context" && name != "__namespace") {
      continue;
    }
    found.push_back(words[i]);
    if (words[i].find('=') == std::string::npos && i + 2 < words.size()) {
      found.push_back(words[++i]);
    }
  }
  return found;
}

}  // namespace

LiveIds::LiveIds(const std::vector<std::string>& words,
                 const Environment& environment)
    : environment_(environment),
      deadline_(environment.clock->Now() + kCompletionTimeout) {
  Connection connection;
  std::string name_space;
  FlagSet flags(FlagSet::Positionals::kAnywhere);
  connection.AddTo(&flags);
  flags.Add({.name = "namespace",
             .value = "NAME",
             .help = "",
             .set = SetText(&name_space)});
  if (!flags.Parse(ConnectionWords(words)).ok()) return;
  if (!connection.Resolve(environment).ok()) return;
  namespace_ = connection.NamespaceOr(name_space);
  auto client = connection.Connect();
  if (client.ok()) client_ = *std::move(client);
}

client::CallOptions LiveIds::Limit() const {
  // What is left of it, and some time for the call to be over at once.
  return {.timeout = std::max(deadline_ - environment_.clock->Now(),
                              absl::Milliseconds(1))};
}

std::vector<Candidate> LiveIds::Jobs(Which which) {
  std::vector<Candidate> ids;
  if (client_ == nullptr) return ids;
  v1::ListJobsRequest request;
  request.set_namespace_(namespace_);
  request.set_page_size(kCompletionIdsMax);
  if (which == Which::kLive) {
    for (const auto state : {v1::Job::STATE_QUEUED, v1::Job::STATE_RUNNING,
                             v1::Job::STATE_BACKOFF}) {
      request.mutable_filter()->add_states(state);
    }
  }
  const auto response = client_->Call(std::move(request), Limit()).Wait();
  if (!response.ok()) return ids;
  for (const v1::Job& job : response->jobs()) {
    ids.push_back(
        {OneLine(job.job_id()),
         absl::StrCat(
             StateName(job.state()), " ",
             job.spec().task_type().empty() ? "command"
                                            : OneLine(job.spec().task_type()),
             " of ", AgeOf(job.create_time(), environment_.clock->Now()),
             " ago")});
  }
  return ids;
}

std::vector<Candidate> LiveIds::Batches(Which which) {
  std::vector<Candidate> ids;
  if (client_ == nullptr) return ids;
  v1::ListBatchesRequest request;
  request.set_namespace_(namespace_);
  request.set_page_size(kCompletionIdsMax);
  if (which == Which::kLive) {
    for (const auto state : {v1::Batch::STATE_OPEN, v1::Batch::STATE_CLOSED,
                             v1::Batch::STATE_STOPPING}) {
      request.add_states(state);
    }
  }
  const auto response = client_->Call(std::move(request), Limit()).Wait();
  if (!response.ok()) return ids;
  for (const v1::Batch& batch : response->batches()) {
    ids.push_back(
        {OneLine(batch.batch_id()),
         absl::StrCat(
             Stripped(v1::Batch::State_Name(batch.state()), "STATE_",
                      batch.state()),
             " batch of ", Plural(batch.counts().accepted(), "item"), " of ",
             AgeOf(batch.create_time(), environment_.clock->Now()), " ago")});
  }
  return ids;
}

std::vector<Candidate> LiveIds::Workers() {
  std::vector<Candidate> ids;
  if (client_ == nullptr) return ids;
  const auto response = client_->Call(v1::GetStatusRequest(), Limit()).Wait();
  if (!response.ok()) return ids;
  for (const v1::Worker& worker : response->workers()) {
    ids.push_back({OneLine(worker.worker_id()),
                   absl::StrCat(WorkerStateName(worker.state()), " with ",
                                Plural(worker.slots_max(), "slot"), " on ",
                                OneLine(worker.hostname()))});
  }
  return ids;
}

}  // namespace vigil::cli
