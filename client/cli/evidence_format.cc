#include "client/cli/evidence_format.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/wire/time_wire.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

std::string Seconds(const google::protobuf::Duration& duration) {
  return HumanDuration(FromProto(duration));
}

// How the task was stopped, in half sentences.
std::vector<std::string> StopParts(const v1::Evidence& evidence) {
  std::vector<std::string> parts;
  if (evidence.has_age()) {
    parts.push_back(absl::StrCat("stopped at age ", Seconds(evidence.age())));
  }
  if (evidence.has_silence()) {
    parts.push_back(absl::StrCat("silent for ", Seconds(evidence.silence())));
  }
  if (evidence.has_cpu_time_in_silence()) {
    parts.push_back(absl::StrCat("used ",
                                 Seconds(evidence.cpu_time_in_silence()),
                                 " of CPU in that silence"));
  }
  if (evidence.killed()) {
    parts.push_back("did not heed SIGTERM and was killed");
  }
  if (evidence.leftover_processes_killed() > 0) {
    parts.push_back(absl::StrCat(evidence.leftover_processes_killed(),
                                 " processes left behind were killed"));
  }
  if (evidence.has_time_to_confirmed_death()) {
    parts.push_back(absl::StrCat(
        "proved dead ", Seconds(evidence.time_to_confirmed_death()), " later"));
  }
  if (evidence.death_unconfirmed()) {
    parts.push_back("could NOT be proved dead");
  }
  return parts;
}

// What the system's letter stands for; see proc_pid_stat(5).
std::string StateText(const std::string& state) {
  static constexpr struct {
    const char* letter;
    const char* text;
  } kStates[] = {
      {"R", "running"},
      {"S", "sleeping"},
      {"D", "waits in the kernel, where no signal reaches it,"},
      {"T", "stopped"},
      {"t", "stopped by a debugger"},
      {"Z", "zombie: it has ended, and its parent has not waited for it"},
      {"I", "idle"},
      {"X", "dead"},
  };
  for (const auto& row : kStates) {
    if (state == row.letter) return row.text;
  }
  return state.empty() ? "state not known" : absl::StrCat("state ", state);
}

std::string FormatProcess(const v1::ProcessFacts& process) {
  std::string text =
      absl::StrCat(process.pid(), " ", OneLine(process.command()), ": ",
                   StateText(process.state()));
  // It has nothing any more.
  if (process.state() == "Z") return text;
  if (!process.wait_channel().empty()) {
    absl::StrAppend(&text, " in ", OneLine(process.wait_channel()));
  } else if (process.state() == "D") {
    text.pop_back();
  }
  absl::StrAppend(&text, ", ", Plural(process.threads(), "thread"), ", CPU ",
                  Seconds(process.cpu_time()), ", memory ",
                  HumanBytes(process.rss_bytes()));
  if (process.peak_rss_bytes() > process.rss_bytes()) {
    absl::StrAppend(&text, " (at most ", HumanBytes(process.peak_rss_bytes()),
                    ")");
  }
  if (process.open_files() >= 0) {
    absl::StrAppend(&text, ", ", Plural(process.open_files(), "open file"));
  }
  return text;
}

// The tree, each process below its parent and further in.
std::string FormatTree(const v1::Evidence& evidence) {
  if (evidence.processes().empty() && evidence.process_count() == 0) return "";
  const int count =
      std::max(evidence.process_count(), evidence.processes_size());
  std::string text = absl::StrCat(
      "  before the kill: ",
      count == 1 ? "1 process" : absl::StrCat(count, " processes"));
  if (count > kProcessesLookedAtMax) {
    absl::StrAppend(&text, "; the first ", kProcessesLookedAtMax, ":");
  } else {
    absl::StrAppend(&text, count == 1 ? "," : ", together");
  }
  absl::StrAppend(&text, " ", Plural(evidence.threads(), "thread"), ", CPU ",
                  Seconds(evidence.cpu_time()), ", memory ",
                  HumanBytes(evidence.rss_bytes()), "\n");
  std::map<int, int> depths;
  for (const v1::ProcessFacts& process : evidence.processes()) {
    const auto parent = depths.find(process.parent_pid());
    const int depth = parent == depths.end() ? 0 : parent->second + 1;
    depths[process.pid()] = depth;
    absl::StrAppend(
        &text,
        std::string(
            static_cast<size_t>(4 + 2 * std::min(depth, kTreeDepthShownMax)),
            ' '),
        FormatProcess(process), "\n");
  }
  if (count > evidence.processes_size()) {
    absl::StrAppend(&text, "    and ", count - evidence.processes_size(),
                    " more, not listed\n");
  }
  return text;
}

std::string FormatStackDump(const std::string& dump) {
  if (dump.empty()) return "";
  std::vector<absl::string_view> lines = absl::StrSplit(dump, '\n');
  if (lines.back().empty()) lines.pop_back();
  std::string text = "  stack dump, from its stderr:\n";
  const size_t half = kStackDumpLinesMax / 2;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i == half && lines.size() > kStackDumpLinesMax) {
      const size_t hidden = lines.size() - kStackDumpLinesMax;
      absl::StrAppend(&text, "    ... ", hidden,
                      hidden == 1 ? " line is" : " lines are",
                      " left out; see -o json\n");
      i += hidden;
    }
    absl::StrAppend(&text, "    ", OneLine(lines[i]), "\n");
  }
  return text;
}

}  // namespace

std::string FormatEvidence(const v1::Evidence& evidence) {
  std::string text;
  const std::vector<std::string> parts = StopParts(evidence);
  if (!parts.empty()) {
    text = absl::StrCat("  evidence: ", absl::StrJoin(parts, ", "), "\n");
  }
  if (!evidence.last_output().empty()) {
    absl::StrAppend(&text, "  last output: ", OneLine(evidence.last_output()),
                    "\n");
  }
  absl::StrAppend(&text, FormatTree(evidence),
                  FormatStackDump(evidence.stack_dump()));
  return text;
}

}  // namespace vigil::cli
