#include "worker/core/type_table.h"

#include <algorithm>
#include <utility>

#include "worker/core/work_ahead.h"

namespace vigil::worker {

void TypeTable::Set(std::vector<OfferedType> types) {
  absl::btree_map<std::string, Record> before = std::move(types_);
  types_.clear();
  for (OfferedType& type : types) {
    Record record;
    const auto known = before.find(type.rules->name);
    if (known != before.end() && known->second.rules == type.rules) {
      record = std::move(known->second);
    } else if (type.rules->warm_up.has_value()) {
      record.cache = type.cached ? CacheState::kReady : CacheState::kMissing;
    }
    record.rules = type.rules;
    types_[type.rules->name] = std::move(record);
  }
  Changed();
}

const TypeTable::Record* TypeTable::Of(const TaskTypeRulesPtr& rules) const {
  if (rules == nullptr) return nullptr;
  const auto it = types_.find(rules->name);
  return it == types_.end() || it->second.rules != rules ? nullptr
                                                         : &it->second;
}

TypeTable::Record* TypeTable::Of(const TaskTypeRulesPtr& rules) {
  return const_cast<Record*>(std::as_const(*this).Of(rules));
}

bool TypeTable::Offers(const TaskTypeRulesPtr& rules) const {
  return rules == nullptr || Of(rules) != nullptr;
}

CacheState TypeTable::cache(const TaskTypeRulesPtr& rules) const {
  const Record* record = Of(rules);
  return record == nullptr ? CacheState::kNone : record->cache;
}

void TypeTable::SetCache(const TaskTypeRulesPtr& rules, CacheState state,
                         std::string degraded) {
  Record* record = Of(rules);
  if (record == nullptr) return;
  record->cache = state;
  record->degraded = std::move(degraded);
  Changed();
}

void TypeTable::Ran(const TaskTypeRulesPtr& rules, absl::Duration time) {
  Record* record = Of(rules);
  if (record == nullptr) return;
  const int depth = Depth(rules);
  record->mean_run_time = NextMean(record->mean_run_time, time);
  if (Depth(rules) != depth) Changed();
}

int TypeTable::Depth(const TaskTypeRulesPtr& rules) const {
  const Record* record = Of(rules);
  if (record == nullptr || !record->mean_run_time.has_value()) return 1;
  return DepthFor(*record->mean_run_time, rules->max_in_flight);
}

TaskTypeRulesPtr TypeTable::Find(const std::string& name) const {
  const auto it = types_.find(name);
  return it == types_.end() ? nullptr : it->second.rules;
}

std::string TypeTable::degraded(const std::string& name) const {
  const auto it = types_.find(name);
  return it == types_.end() ? "" : it->second.degraded;
}

std::vector<std::string> TypeTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, record] : types_) names.push_back(name);
  return names;
}

}  // namespace vigil::worker
