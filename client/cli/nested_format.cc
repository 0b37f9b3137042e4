#include "client/cli/nested_format.h"

#include <string.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/attempt.h"
#include "client/cli/format.h"

namespace vigil::cli {
namespace {

// Of the calls that are alike: how many, and who made them.
struct Tally {
  int64_t count = 0;
  std::vector<std::string> callers;

  void Add(const v1::NestedCall& call, const std::string& caller) {
    count += call.count();
    callers.push_back(caller);
  }
};

struct Tallies {
  Tally processes_refused;
  Tally processes_allowed;
  Tally threads_refused;
  Tally pools_in_sequence;
};

bool IsThread(const v1::NestedCall& call) { return call.call() == kThreadCall; }

Tallies TallyOf(const v1::Attempt& attempt) {
  Tallies tallies;
  for (const v1::NestedCall& call : attempt.nested_calls()) {
    const std::string program = OneLine(call.program());
    const std::string name = OneLine(call.call());
    if (call.outcome() == v1::NestedCall::OUTCOME_SEQUENTIAL) {
      tallies.pools_in_sequence.Add(
          call, call.where().empty()
                    ? absl::StrCat(program, ": ", name)
                    : absl::StrCat(name, " at ", OneLine(call.where())));
    } else if (IsThread(call)) {
      tallies.threads_refused.Add(call, program);
    } else if (call.outcome() == v1::NestedCall::OUTCOME_ALLOWED) {
      tallies.processes_allowed.Add(call, absl::StrCat(program, ": ", name));
    } else {
      tallies.processes_refused.Add(call, absl::StrCat(program, ": ", name));
    }
  }
  return tallies;
}

std::string PolicyName(v1::JobSpec::OnNestedPool policy) {
  return Stripped(v1::JobSpec::OnNestedPool_Name(policy), "ON_NESTED_POOL_",
                  policy);
}

std::string OutcomeText(v1::NestedCall::Outcome outcome) {
  switch (static_cast<NestedCall::Outcome>(outcome)) {
    case NestedCall::Outcome::kRefused:
      return "refused";
    case NestedCall::Outcome::kAllowed:
      return "let through and counted";
    case NestedCall::Outcome::kSequential:
      return "run in the task's own process";
    case NestedCall::Outcome::kUnspecified:
      break;
  }
  return absl::StrCat("outcome ", outcome);  // Of a newer coordinator.
}

std::string FormatCall(const v1::NestedCall& call) {
  std::string text = absl::StrCat("  nested: ", OneLine(call.program()));
  if (IsThread(call)) {
    absl::StrAppend(&text, " wanted ", Plural(call.count(), "thread"),
                    " too many");
  } else {
    absl::StrAppend(&text,
                    call.outcome() == v1::NestedCall::OUTCOME_SEQUENTIAL
                        ? " opened "
                        : " called ",
                    OneLine(call.call()), " ", Plural(call.count(), "time"));
  }
  absl::StrAppend(&text, ", ", OutcomeText(call.outcome()));
  if (!call.where().empty()) {
    absl::StrAppend(&text, ", last at ", OneLine(call.where()));
  }
  return text + "\n";
}

// What allows what was refused; empty if nothing was.
std::string HowToAllow(const Tallies& tallies, const v1::JobSpec& spec) {
  const auto now = [](bool known, int value) {
    return known ? absl::StrCat(" (now ", value, ")") : "";
  };
  std::vector<std::string> ways;
  if (tallies.processes_refused.count + tallies.processes_allowed.count > 0) {
    ways.push_back(absl::StrCat(
        "--max_processes=N",
        now(spec.has_max_processes(), spec.max_processes()),
        ", or --on_nested_pool=sequential for pools of Python, or =audit for "
        "everything"));
  }
  if (tallies.threads_refused.count > 0) {
    ways.push_back(absl::StrCat(
        "--max_threads=N", now(spec.has_max_threads(), spec.max_threads())));
  }
  if (ways.empty()) return "";
  return absl::StrCat(
      "  how to allow: ", absl::StrJoin(ways, "; "),
      spec.task_type().empty() ? "" : "; for a warm task in its catalog", "\n");
}

}  // namespace

std::string FormatNested(const v1::Attempt& attempt, const v1::JobSpec& spec) {
  std::string text;
  if (attempt.sequential()) {
    text =
        "  ran SEQUENTIAL, because an attempt before it had ended "
        "NESTED_POOL\n";
  }
  for (const v1::NestedCall& call : attempt.nested_calls()) {
    absl::StrAppend(&text, FormatCall(call));
  }
  absl::StrAppend(&text, HowToAllow(TallyOf(attempt), spec));
  if (attempt.nested_dispatches() > 0) {
    absl::StrAppend(&text, "  submitted ",
                    Plural(attempt.nested_dispatches(), "job"),
                    " to Vigil, refused: a task cannot wait for other jobs\n");
  }
  return text;
}

std::string NestedSummary(const v1::Attempt& attempt, const v1::JobSpec& spec) {
  const Tallies tallies = TallyOf(attempt);
  const std::string catalog =
      spec.task_type().empty() ? "" : " (a warm task's: in its catalog)";
  std::vector<std::string> parts;
  const auto add = [&parts](const Tally& tally, const char* noun,
                            const char* became, const std::string& advice) {
    if (tally.count == 0) return;
    parts.push_back(absl::StrCat(
        Plural(tally.count, noun), tally.count == 1 ? " was " : " were ",
        became, " (", absl::StrJoin(tally.callers, ", "), ")",
        advice.empty() ? "" : absl::StrCat("; ", advice)));
  };
  add(tallies.processes_refused, "process", "refused",
      absl::StrCat("--max_processes=N allows more", catalog));
  add(tallies.processes_allowed, "process",
      "let through that --max_processes does not allow", "");
  add(tallies.threads_refused, "thread", "refused",
      absl::StrCat("--max_threads=N allows more", catalog));
  add(tallies.pools_in_sequence, "pool", "run in the task's own process", "");
  return absl::StrJoin(parts, "; ");
}

std::string NestingText(const v1::JobSpec& spec) {
  if (spec.on_nested_pool() == v1::JobSpec::ON_NESTED_POOL_UNSPECIFIED) {
    return "";
  }
  std::string text =
      absl::StrCat(Plural(spec.max_processes(), "process"), " beside its own, ",
                   PolicyName(spec.on_nested_pool()), " at one more; ",
                   Plural(spec.max_threads(), "thread"));
  if (spec.max_rss_bytes() > 0) {
    absl::StrAppend(&text, "; ", HumanBytes(spec.max_rss_bytes()),
                    " of memory");
  }
  if (spec.stack_dump_signal() != 0) {
    const char* name = sigabbrev_np(spec.stack_dump_signal());
    absl::StrAppend(&text, "; asked for its stack by signal ",
                    spec.stack_dump_signal(),
                    name == nullptr ? "" : absl::StrCat(" (", name, ")"));
  }
  return text;
}

}  // namespace vigil::cli
