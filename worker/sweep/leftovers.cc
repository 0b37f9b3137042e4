#include "worker/sweep/leftovers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace vigil::sweep {
namespace {

// A process on the way up from another to the root.
using Line = std::vector<const Process*>;

enum class Belongs {
  kToWorker,
  kElsewhere,
  // The lists do not agree.
  kUnknown,
};

class Family {
 public:
  Family(const std::vector<Process>& first, const std::vector<Process>& second,
         pid_t self)
      : self_(self) {
    for (const Process& process : first) first_[process.key.pid] = &process;
    for (const Process& process : second) second_[process.key.pid] = &process;
  }

  // Whether the mark was seen in either list: while a program is being started
  // it has no environment.
  bool IsMarked(const Process& process) const {
    const Process* before = Find(first_, process.key.pid);
    return process.marked ||
           (before != nullptr && before->marked && before->key == process.key);
  }

  // Goes up from `process`, which is in the second list. `line` is it and its
  // ancestors.
  Belongs Ascend(const Process& process, Line* line) const {
    line->clear();
    bool agreed = true;
    for (const Process* at = &process;;) {
      if (at->key.pid == self_) return Belongs::kToWorker;
      line->push_back(at);
      const Process* before = Find(first_, at->key.pid);
      if (before == nullptr || before->key != at->key ||
          before->parent != at->parent) {
        agreed = false;
      }
      // A ring can only come of lists that are not true.
      if (line->size() > second_.size()) return Belongs::kUnknown;
      if (at->parent == 0) break;
      const Process* parent = Find(second_, at->parent);
      if (parent == nullptr) {
        // A parent that was there all the time and is in neither list is hidden
        // from this user. It is nobody's of ours.
        if (Find(first_, at->parent) != nullptr) agreed = false;
        break;
      }
      at = parent;
    }
    return agreed ? Belongs::kElsewhere : Belongs::kUnknown;
  }

 private:
  using ByPid = absl::flat_hash_map<pid_t, const Process*>;
  static const Process* Find(const ByPid& processes, pid_t pid) {
    const auto it = processes.find(pid);
    return it == processes.end() ? nullptr : it->second;
  }

  const pid_t self_;
  ByPid first_;
  ByPid second_;
};

}  // namespace

absl::string_view FoundByText(FoundBy found_by) {
  switch (found_by) {
    case FoundBy::kSlotRecord:
      return "by the record of its slot, as the slot";
    case FoundBy::kTaskRecord:
      return "by the record of its slot, as the task";
    case FoundBy::kMark:
      return "by the worker's mark in its environment";
    case FoundBy::kDescent:
      return "as a descendant of such a process";
  }
  return "";
}

Findings FindLeftovers(const std::vector<Process>& first,
                       const std::vector<Process>& second, pid_t self,
                       const Recognised& recognised) {
  const Family family(first, second, self);
  // What is a leftover by itself, dead or not: its children are leftovers too.
  const auto recognise = [&](const Process& process) -> std::optional<FoundBy> {
    const auto it = recognised.find(process.key);
    if (it != recognised.end()) return it->second;
    if (family.IsMarked(process)) return FoundBy::kMark;
    return std::nullopt;
  };
  Findings findings;
  std::vector<std::pair<size_t, Leftover>> found;
  Line line;
  for (const Process& process : second) {
    if (process.dead) continue;
    const Belongs belongs = family.Ascend(process, &line);
    if (belongs == Belongs::kToWorker) continue;
    std::optional<FoundBy> found_by = recognise(process);
    for (size_t i = 1; i < line.size() && !found_by.has_value(); ++i) {
      if (recognise(*line[i]).has_value()) found_by = FoundBy::kDescent;
    }
    if (process.unreadable && !found_by.has_value()) {
      findings.unreadable.push_back(process);
    }
    if (!found_by.has_value()) continue;
    if (belongs == Belongs::kUnknown) {
      findings.unsettled = true;
      continue;
    }
    found.push_back({line.size(), Leftover{process, *found_by}});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first > b.first;
    return a.second.process.key < b.second.process.key;
  });
  for (auto& [depth, leftover] : found) {
    findings.leftovers.push_back(std::move(leftover));
  }
  return findings;
}

}  // namespace vigil::sweep
