#include "client/cli/top_format.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/wire/time_wire.h"
#include "client/cli/limits.h"
#include "client/cli/telemetry_format.h"

namespace vigil::cli {
namespace {

std::string FormatStates(const v1::GetStatusResponse& status,
                         const Style& style) {
  std::vector<std::string> parts;
  for (const auto& count : status.states()) {
    if (count.jobs() == 0) continue;
    std::string part =
        absl::StrCat(count.jobs(), " ", StateName(count.state()));
    if (count.state() == v1::Job::STATE_FAILED) part = style.Red(part);
    parts.push_back(std::move(part));
  }
  return parts.empty() ? "none since the start" : absl::StrJoin(parts, ", ");
}

std::string FormatSlot(const v1::Slot& slot, absl::Time now,
                       const Style& style) {
  const std::string number = absl::StrCat("    slot ", slot.index(), "  ");
  if (slot.state() == v1::Slot::STATE_IDLE) {
    return absl::StrCat(number, style.Dim("idle"), "\n");
  }
  if (slot.state() == v1::Slot::STATE_STUCK) {
    return absl::StrCat(
        number,
        style.Red("STUCK: its processes cannot be killed; it was replaced"),
        "\n");
  }
  return absl::StrCat(
      number, "job ", slot.job_id(),
      slot.task_type().empty() ? "" : absl::StrCat(" (", slot.task_type(), ")"),
      "  ", FormatActivity(slot.attempt(), now), "\n");
}

std::string FormatTaskType(const v1::TaskTypeStatus& type, const Style& style) {
  std::string text =
      absl::StrCat("    ", type.name(), "  ", type.warm_processes(), " warm ",
                   type.warm_processes() == 1 ? "process" : "processes");
  if (type.in_flight() > 1) {
    absl::StrAppend(&text, ", each with up to ", type.in_flight(), " jobs");
  }
  if (!type.degraded().empty()) {
    absl::StrAppend(&text, "; ", style.Yellow("DEGRADED"), ": ",
                    OneLine(type.degraded()));
  }
  return text + "\n";
}

// How busy the worker's host is, and what is under stress there.
std::string FormatHost(const v1::HostLoad& host, const Style& style) {
  std::vector<std::string> parts;
  parts.push_back(absl::StrCat(
      "load ", absl::StrFormat("%.1f", host.load_average()),
      host.cpus() > 0 ? absl::StrCat(" on ", Plural(host.cpus(), "processor"))
                      : ""));
  if (host.memory_total_bytes() > 0) {
    parts.push_back(absl::StrCat(HumanBytes(host.memory_available_bytes()),
                                 " of ", HumanBytes(host.memory_total_bytes()),
                                 " memory available"));
  }
  if (host.threads() > 0) parts.push_back(Plural(host.threads(), "thread"));
  if (host.processes() > 0) {
    parts.push_back(Plural(host.processes(), "process"));
  }
  std::string text = absl::StrCat("    host  ", absl::StrJoin(parts, ", "));
  if (!host.stress().empty()) {
    std::vector<std::string> stress;
    for (const std::string& word : host.stress()) {
      stress.push_back(OneLine(word));
    }
    absl::StrAppend(
        &text, "; ",
        style.Red(absl::StrCat("STRESS: ", absl::StrJoin(stress, ", "))));
  }
  return text + "\n";
}

// Only what a person has to know: that nothing is enforced.
std::string FormatNestingFilter(const v1::NestingFilter& filter,
                                const Style& style) {
  if (filter.state() == v1::NestingFilter::STATE_ENFORCED) return "";
  std::string text = absl::StrCat("    ", style.Yellow("processes and threads "
                                                       "of tasks are NOT "
                                                       "limited"));
  if (filter.state() == v1::NestingFilter::STATE_UNSPECIFIED) {
    return absl::StrCat(text, ": the worker does not say that it can\n");
  }
  return absl::StrCat(text, ": ",
                      filter.problem().empty() ? "it does not say why"
                                               : OneLine(filter.problem()),
                      "\n");
}

std::string FormatWorker(const v1::Worker& worker, absl::Time now,
                         const Style& style) {
  int busy = 0;
  for (const v1::Slot& slot : worker.slots()) {
    busy += slot.state() == v1::Slot::STATE_BUSY ? 1 : 0;
  }
  std::string state = WorkerStateName(worker.state());
  if (worker.state() != v1::Worker::STATE_CONNECTED) {
    state = style.Yellow(state);
  }
  std::string text = absl::StrCat(
      "  ", style.Bold(OneLine(worker.worker_id())), "  ", state, "  ", busy,
      " of ", Plural(worker.slots_max(), "slot"), " busy",
      worker.local() ? "  local"
                     : absl::StrCat("  on ", OneLine(worker.hostname())),
      "  pid ", worker.pid(), "  up ",
      HumanDuration(FromProto(worker.uptime())), "  heard ",
      AgeOf(worker.last_heartbeat_time(), now), " ago\n");
  if (worker.usable_slots().slots() < worker.slots_max() &&
      worker.has_usable_slots()) {
    absl::StrAppend(
        &text, "    ",
        style.Yellow(absl::StrCat("slots ", worker.usable_slots().slots(),
                                  " of ", worker.slots_max(), " usable")),
        ": ", OneLine(worker.usable_slots().cause()), "\n");
  }
  if (worker.has_host()) {
    absl::StrAppend(&text, FormatHost(worker.host(), style));
  }
  absl::StrAppend(&text, FormatNestingFilter(worker.nesting_filter(), style));
  if (!worker.task_types().empty()) {
    absl::StrAppend(&text, "    offers ",
                    absl::StrJoin(worker.task_types(), ", "),
                    worker.allow_commands() ? " and commands" : "", "\n");
  }
  for (const v1::TaskTypeStatus& type : worker.task_type_statuses()) {
    absl::StrAppend(&text, FormatTaskType(type, style));
  }
  for (const v1::Slot& slot : worker.slots()) {
    absl::StrAppend(&text, FormatSlot(slot, now, style));
  }
  return text;
}

std::string FormatQueue(const v1::GetStatusResponse::Queue& queue,
                        absl::Time now, const Style& style) {
  std::string text = absl::StrCat(
      "  ", queue.task_type().empty() ? "commands" : queue.task_type(), "  ",
      queue.queued(), " queued, ", queue.running(), " running");
  if (queue.queued() > 0) {
    absl::StrAppend(&text, "; ",
                    style.Yellow(WaitingName(queue.waiting_reason())), ": ",
                    WaitingText(queue.waiting_reason()));
    if (queue.has_oldest_time()) {
      absl::StrAppend(&text, "; the oldest for ",
                      AgeOf(queue.oldest_time(), now));
    }
  }
  return text + "\n";
}

// Counts of what should be rare; nothing when all are zero.
std::string FormatTroubles(const v1::GetStatusResponse& status,
                           const Style& style) {
  std::vector<std::string> parts;
  const auto add = [&parts](int64_t count, absl::string_view what) {
    if (count > 0) parts.push_back(absl::StrCat(count, " ", what));
  };
  add(status.attempts_lost(), "attempts lost with their worker");
  add(status.local_workers_replaced(), "local workers replaced");
  add(status.fenced(), "outdated messages refused");
  add(status.refused(), "calls refused");
  add(status.deaths_unconfirmed(),
      "process trees that could not be proved dead");
  add(status.nested_calls(),
      "processes or threads beyond what a task may have");
  add(status.sequential_pools(), "pools run in sequence");
  add(status.nested_dispatches(), "jobs refused that tasks submitted");
  add(status.fallbacks(), "jobs that gave their fallback");
  if (parts.empty()) return "";
  return absl::StrCat(
      "since its start: ", style.Yellow(absl::StrJoin(parts, ", ")), "\n");
}

std::string LimitName(v1::Refusal::Limit limit) {
  const std::string name = v1::Refusal::Limit_Name(limit);
  if (name.empty()) return absl::StrCat("limit ", static_cast<int>(limit));
  return std::string(absl::StripPrefix(name, "LIMIT_"));
}

// Who was refused and why, the latest first.
std::string FormatRefusals(const v1::GetStatusResponse& status,
                           absl::Time now) {
  std::vector<const v1::Refusal*> refusals;
  for (const v1::Refusal& refusal : status.refusals()) {
    refusals.push_back(&refusal);
  }
  std::stable_sort(refusals.begin(), refusals.end(),
                   [](const v1::Refusal* a, const v1::Refusal* b) {
                     return FromProto(a->last_time()) >
                            FromProto(b->last_time());
                   });
  std::string text;
  for (size_t i = 0; i < refusals.size(); ++i) {
    if (i == kRefusalsShown) {
      absl::StrAppend(&text, "  and ", refusals.size() - i, " more\n");
      break;
    }
    const v1::Refusal& refusal = *refusals[i];
    absl::StrAppend(&text, "  refused: ", refusal.calls(), " x ",
                    LimitName(refusal.limit()));
    if (!refusal.namespace_().empty()) {
      absl::StrAppend(&text, " in namespace ", refusal.namespace_());
    }
    absl::StrAppend(&text, ", the last ", AgeOf(refusal.last_time(), now),
                    " ago\n");
  }
  return text;
}

}  // namespace

std::string WaitingText(v1::Job::WaitingReason reason) {
  static constexpr struct {
    v1::Job::WaitingReason reason;
    const char* text;
  } kTexts[] = {
      {v1::Job::WAITING_REASON_UNSPECIFIED, "nothing is known to hinder it"},
      {v1::Job::WAITING_REASON_NO_WORKER_FOR_TASK_TYPE,
       "no connected worker offers it; start one that does"},
      {v1::Job::WAITING_REASON_SLOTS_BUSY,
       "every slot that could run it is taken"},
      {v1::Job::WAITING_REASON_QUEUE_LIMIT,
       "a limit of its queue holds it back"},
      {v1::Job::WAITING_REASON_BACKOFF,
       "the time of its next attempt has not come"},
      {v1::Job::WAITING_REASON_SERVER_STARTING,
       "a server that it requires is starting"},
  };
  for (const auto& row : kTexts) {
    if (row.reason == reason) return row.text;
  }
  return "something that this version of vigil does not know";
}

std::string FormatActivity(const v1::Attempt& attempt, absl::Time now) {
  std::string text = absl::StrCat(PhaseName(attempt.phase()));
  if (attempt.has_start_time()) {
    absl::StrAppend(&text, "  age ", AgeOf(attempt.start_time(), now));
  } else if (attempt.has_assign_time()) {
    absl::StrAppend(&text, "  assigned ", AgeOf(attempt.assign_time(), now),
                    " ago");
  }
  if (attempt.has_last_activity_time()) {
    absl::StrAppend(&text, "  last activity ",
                    AgeOf(attempt.last_activity_time(), now), " ago");
  }
  absl::StrAppend(&text, "  ", Plural(attempt.tokens(), "token"));
  if (attempt.heartbeats() > 0) {
    absl::StrAppend(&text, "  ", Plural(attempt.heartbeats(), "heartbeat"));
  }
  absl::StrAppend(&text, "  ",
                  HumanBytes(attempt.stdout_bytes() + attempt.stderr_bytes()));
  if (attempt.has_longest_silence()) {
    absl::StrAppend(&text, "  longest silence ",
                    HumanDuration(FromProto(attempt.longest_silence())));
  }
  if (attempt.has_progress()) {
    absl::StrAppend(&text, "  progress ", ProgressText(attempt.progress()));
  }
  if (attempt.number() > 1) {
    absl::StrAppend(&text, "  attempt ", attempt.number());
  }
  return text;
}

std::string FormatStatus(const v1::GetStatusResponse& status, absl::Time now,
                         const Style& style) {
  std::string text =
      absl::StrCat(style.Bold("coordinator"), " ", status.build(), ", epoch ",
                   status.epoch(), ", up ", AgeOf(status.start_time(), now),
                   ", ", Plural(status.watchers(), "watcher"), "\n");
  absl::StrAppend(&text, "jobs: ", FormatStates(status, style), "\n");
  if (status.batches() > 0) {
    absl::StrAppend(&text, "batches: ", status.batches(), " not ended\n");
  }
  absl::StrAppend(&text, "slots: ", status.slots_busy(), " of ",
                  status.slots_total(), " busy on ",
                  Plural(status.worker_count(), "worker"), "\n");
  absl::StrAppend(&text, FormatTroubles(status, style));
  absl::StrAppend(&text, FormatRefusals(status, now));
  absl::StrAppend(&text, FormatTelemetry(status.telemetry(), style));
  if (status.workers().empty()) {
    absl::StrAppend(&text, style.Yellow("no worker is connected"),
                    ": nothing can run until one is\n");
  } else {
    absl::StrAppend(&text, "workers:\n");
  }
  for (const v1::Worker& worker : status.workers()) {
    absl::StrAppend(&text, FormatWorker(worker, now, style));
  }
  if (status.worker_count() > status.workers_size()) {
    absl::StrAppend(&text, "  and ",
                    status.worker_count() - status.workers_size(), " more\n");
  }
  if (!status.queues().empty()) absl::StrAppend(&text, "queues:\n");
  for (const auto& queue : status.queues()) {
    absl::StrAppend(&text, FormatQueue(queue, now, style));
  }
  return text;
}

}  // namespace vigil::cli
