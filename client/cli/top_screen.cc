#include "client/cli/top_screen.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/wire/time_wire.h"
#include "client/cli/fitted_text.h"
#include "client/cli/top_format.h"

namespace vigil::cli {
namespace {

// Characters of a worker's id, and of a remark, that are shown at least: enough
// to tell it from others, and to know what it is about.
constexpr size_t kIdCharactersMin = 12;
constexpr size_t kNoteCharactersMin = 16;

using Row = std::vector<Toned>;
using Side = FittedColumn::Side;

std::string PerSecond(double rate) {
  return rate < 10 ? absl::StrFormat("%.1f", rate)
                   : absl::StrFormat("%.0f", rate);
}

std::string AndMore(int64_t count, const TopView& view, const Style& style) {
  return WrapPieces({{absl::StrCat("and ", count, " more"), Tone::kDim}},
                    view.columns, style)
      .front();
}

Tone ToneOf(v1::Job::State state) {
  switch (state) {
    case v1::Job::STATE_FAILED:
      return Tone::kBad;
    case v1::Job::STATE_BACKOFF:
    case v1::Job::STATE_CANCELLED:
      return Tone::kWarning;
    case v1::Job::STATE_SUCCEEDED:
      return Tone::kGood;
    default:
      return Tone::kPlain;
  }
}

Toned HealthOf(const v1::Telemetry& telemetry) {
  switch (telemetry.health()) {
    case v1::Telemetry::HEALTH_OK:
      return {"health OK", Tone::kGood};
    case v1::Telemetry::HEALTH_WARNING:
      return {"health WARNING", Tone::kWarning};
    case v1::Telemetry::HEALTH_ACTION:
      return {"health ACTION", Tone::kBad};
    default:
      return {};
  }
}

// The coordinator, jobs and rates.
std::vector<std::string> Summary(const TopView& view, const Style& style) {
  const v1::GetStatusResponse& status = view.status;
  const auto wrap = [&](const std::vector<Toned>& pieces) {
    return WrapPieces(pieces, view.columns, style);
  };
  std::vector<std::string> lines;
  const auto append = [&lines](std::vector<std::string> more) {
    for (std::string& line : more) lines.push_back(std::move(line));
  };
  append(wrap({{"vigil top", Tone::kBold},
               {view.address},
               {OneLine(status.build())},
               {absl::StrCat("epoch ", status.epoch())},
               {absl::StrCat("up ", AgeOf(status.start_time(), view.now))}}));
  append(wrap({{view.trouble, Tone::kBad}}));

  std::vector<Toned> jobs = {HealthOf(status.telemetry())};
  for (const auto& count : status.states()) {
    if (count.jobs() == 0) continue;
    jobs.push_back({absl::StrCat(count.jobs(), " ", StateName(count.state())),
                    ToneOf(count.state())});
  }
  append(wrap(jobs));

  std::vector<Toned> rates = {{absl::StrCat(
      status.slots_busy(), " of ", status.slots_total(), " slots busy")}};
  if (view.rates->known()) {
    rates.push_back(
        {absl::StrCat(PerSecond(view.rates->jobs_per_second()), " jobs/s")});
    rates.push_back({absl::StrCat(PerSecond(view.rates->tokens_per_second()),
                                  " tokens/s")});
  }
  rates.push_back({Plural(status.worker_count(), "worker")});
  if (status.batches() > 0) {
    rates.push_back({absl::StrCat(
        status.batches(), status.batches() == 1 ? " batch" : " batches")});
  }
  rates.push_back({Plural(status.watchers(), "watcher")});
  append(wrap(rates));
  return lines;
}

// What there is to say of a worker beside figures.
Toned NoteOn(const v1::Worker& worker) {
  if (!worker.host().stress().empty()) {
    return {absl::StrCat("STRESS: ",
                         OneLine(absl::StrJoin(worker.host().stress(), ", "))),
            Tone::kBad};
  }
  if (worker.has_usable_slots() &&
      worker.usable_slots().slots() < worker.slots_max()) {
    return {absl::StrCat("only ", worker.usable_slots().slots(),
                         " usable: ", OneLine(worker.usable_slots().cause())),
            Tone::kWarning};
  }
  if (worker.nesting_filter().state() != v1::NestingFilter::STATE_ENFORCED) {
    return {"tasks NOT limited", Tone::kWarning};
  }
  return {};
}

std::vector<std::string> Workers(const TopView& view, const Style& style) {
  static const std::vector<FittedColumn> kTable = {
      {"WORKER", 9, Side::kLeft, kIdCharactersMin},
      {"HOST", 1, Side::kLeft, kNoteCharactersMin},
      {"STATE", 8},
      {"BUSY", 10, Side::kRight},
      {"LOAD", 5, Side::kRight},
      {"MEMORY FREE", 3, Side::kRight},
      {"HEARD", 6, Side::kRight},
      {"UP", 2, Side::kRight},
      {"NOTE", 4, Side::kLeft, kNoteCharactersMin}};
  std::vector<Row> rows;
  for (const v1::Worker& worker : view.status.workers()) {
    int64_t busy = 0;
    for (const v1::Slot& slot : worker.slots()) {
      busy += slot.state() == v1::Slot::STATE_BUSY ? 1 : 0;
    }
    const bool well = worker.state() == v1::Worker::STATE_CONNECTED;
    rows.push_back(
        {{OneLine(worker.worker_id()), Tone::kBold},
         {worker.local() ? "local" : OneLine(worker.hostname())},
         {WorkerStateName(worker.state()), well ? Tone::kGood : Tone::kWarning},
         {absl::StrCat(busy, "/", worker.slots_max())},
         {worker.has_host()
              ? absl::StrFormat("%.1f", worker.host().load_average())
              : ""},
         {worker.host().memory_total_bytes() > 0
              ? HumanBytes(worker.host().memory_available_bytes())
              : ""},
         {AgeOf(worker.last_heartbeat_time(), view.now)},
         {HumanDuration(FromProto(worker.uptime()))},
         NoteOn(worker)});
  }
  if (rows.empty()) {
    return WrapPieces({{"no worker is connected:", Tone::kWarning},
                       {"nothing can run until one is", Tone::kWarning}},
                      view.columns, style);
  }
  std::vector<std::string> lines = FitTable(kTable, rows, view.columns, style);
  const int more = view.status.worker_count() - view.status.workers_size();
  if (more > 0) lines.push_back(AndMore(more, view, style));
  return lines;
}

// What a slot runs, and since when it is silent.
struct Place {
  const v1::Worker* worker;
  const v1::Slot* slot;
  absl::Duration silence;
};

std::vector<Place> PlacesOf(const TopView& view) {
  std::vector<Place> places;
  for (const v1::Worker& worker : view.status.workers()) {
    for (const v1::Slot& slot : worker.slots()) {
      if (slot.state() == v1::Slot::STATE_IDLE) continue;
      const v1::Attempt& attempt = slot.attempt();
      const google::protobuf::Timestamp& since =
          attempt.has_last_activity_time() ? attempt.last_activity_time()
          : attempt.has_start_time()       ? attempt.start_time()
                                           : attempt.assign_time();
      const bool stuck = slot.state() == v1::Slot::STATE_STUCK;
      places.push_back({&worker, &slot,
                        stuck ? absl::InfiniteDuration()
                              : std::max(absl::ZeroDuration(),
                                         view.now - FromProto(since))});
    }
  }
  std::stable_sort(
      places.begin(), places.end(),
      [](const Place& a, const Place& b) { return a.silence > b.silence; });
  return places;
}

Row AttemptRow(const Place& place, const TopView& view) {
  const v1::Slot& slot = *place.slot;
  const std::string worker = OneLine(place.worker->worker_id());
  if (slot.state() == v1::Slot::STATE_STUCK) {
    return {{"(cannot be killed)", Tone::kBad},
            {},
            {"STUCK", Tone::kBad},
            {},
            {},
            {},
            {},
            {},
            {},
            {absl::StrCat(slot.index())},
            {worker}};
  }
  const v1::Attempt& attempt = slot.attempt();
  const bool stopping = attempt.phase() == v1::Attempt::PHASE_STOPPING;
  return {
      {OneLine(slot.job_id()), Tone::kBold},
      {OneLine(slot.task_type())},
      {PhaseName(attempt.phase()), stopping ? Tone::kWarning : Tone::kPlain},
      {attempt.has_start_time() ? AgeOf(attempt.start_time(), view.now) : ""},
      {HumanDuration(place.silence)},
      {absl::StrCat(attempt.tokens())},
      {view.rates->known() ? PerSecond(view.rates->TokensPerSecond(slot)) : ""},
      {attempt.has_progress() ? ProgressText(attempt.progress()) : ""},
      {attempt.number() > 1 ? absl::StrCat(attempt.number()) : ""},
      {absl::StrCat(slot.index())},
      {worker}};
}

std::vector<std::string> Attempts(const TopView& view, const Style& style) {
  static const std::vector<FittedColumn> kTable = {
      {"JOB", 9},
      {"TYPE", 3},
      {"PHASE", 8},
      {"AGE", 7, Side::kRight},
      {"SILENT", 10, Side::kRight},
      {"TOKENS", 4, Side::kRight},
      {"TOKENS/S", 5, Side::kRight},
      {"PROGRESS", 6},
      {"ATTEMPT", 2, Side::kRight},
      {"SLOT", 1, Side::kRight},
      {"WORKER", 0, Side::kLeft, kIdCharactersMin}};
  std::vector<Row> rows;
  for (const Place& place : PlacesOf(view)) {
    rows.push_back(AttemptRow(place, view));
  }
  if (rows.empty()) return {};
  return FitTable(kTable, rows, view.columns, style);
}

std::vector<std::string> Queues(const TopView& view, const Style& style) {
  static const std::vector<FittedColumn> kTable = {{"QUEUE", 9},
                                                   {"QUEUED", 10, Side::kRight},
                                                   {"RUNNING", 5, Side::kRight},
                                                   {"OLDEST", 6, Side::kRight},
                                                   {"WAITS FOR", 8}};
  std::vector<Row> rows;
  for (const auto& queue : view.status.queues()) {
    const bool waits = queue.queued() > 0;
    rows.push_back(
        {{queue.task_type().empty() ? "commands" : OneLine(queue.task_type())},
         {absl::StrCat(queue.queued())},
         {absl::StrCat(queue.running())},
         {waits && queue.has_oldest_time()
              ? AgeOf(queue.oldest_time(), view.now)
              : ""},
         {waits ? WaitingName(queue.waiting_reason()) : "", Tone::kWarning}});
  }
  if (rows.empty()) return {};
  return FitTable(kTable, rows, view.columns, style);
}

// Failures of the telemetry's window by class, and why it is not well.
std::vector<std::string> Failures(const TopView& view, const Style& style) {
  static const std::vector<FittedColumn> kTable = {
      {"FAILURE", 10},
      {"TYPE", 5},
      {"ATTEMPTS", 9, Side::kRight},
      {"RATE", 8, Side::kRight}};
  const v1::Telemetry& telemetry = view.status.telemetry();
  std::vector<Row> rows;
  for (const auto& count : telemetry.reasons()) {
    if (count.reason() == v1::Failure::REASON_UNSPECIFIED) continue;
    rows.push_back(
        {{FailureName(count.reason()), Tone::kBad},
         {count.task_type().empty() ? "commands" : OneLine(count.task_type())},
         {absl::StrCat(count.attempts())},
         {absl::StrFormat("%.1f %%", 100 * count.rate())}});
  }
  std::vector<std::string> lines;
  if (!rows.empty()) lines = FitTable(kTable, rows, view.columns, style);
  for (const std::string& cause : telemetry.causes()) {
    for (std::string& line :
         WrapPieces({{OneLine(cause), Tone::kWarning}}, view.columns, style)) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace

std::vector<std::string> RenderTop(const TopView& view, const Style& style) {
  std::vector<std::string> lines = Summary(view, style);
  std::vector<std::vector<std::string>> sections;
  for (std::vector<std::string> section :
       {Workers(view, style), Attempts(view, style), Queues(view, style),
        Failures(view, style)}) {
    if (!section.empty()) sections.push_back(std::move(section));
  }
  std::vector<size_t> wanted;
  size_t all = lines.size() + sections.size();
  for (const auto& section : sections) {
    wanted.push_back(section.size());
    all += section.size();
  }
  // A blank line stands before each, if there is room for it.
  const size_t blanks = all <= view.rows ? sections.size() : 0;
  const size_t used = lines.size() + blanks;
  const std::vector<size_t> shares =
      ShareRows(wanted, view.rows > used ? view.rows - used : 0);
  for (size_t i = 0; i < sections.size(); ++i) {
    std::vector<std::string>& section = sections[i];
    if (shares[i] == 0) continue;
    if (blanks > 0) lines.push_back("");
    if (section.size() > shares[i]) {
      const size_t left = section.size() - shares[i] + 1;
      section.resize(shares[i] - 1);
      section.push_back(AndMore(static_cast<int64_t>(left), view, style));
    }
    for (std::string& line : section) lines.push_back(std::move(line));
  }
  if (lines.size() > view.rows) lines.resize(view.rows);
  return lines;
}

}  // namespace vigil::cli
