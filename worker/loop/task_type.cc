#include "worker/loop/task_type.h"

#include <algorithm>
#include <utility>

#include "base/wire/time_wire.h"
#include "google/protobuf/util/message_differencer.h"

namespace vigil::worker {
namespace {

TaskTypeRulesPtr RulesOf(const v1::TaskType& type) {
  auto rules = std::make_shared<TaskTypeRules>();
  rules->name = type.name();
  rules->warm = type.frames() != v1::TaskType::FRAMES_UNSPECIFIED;
  rules->max_jobs = type.max_jobs();
  rules->recycle_rss_bytes = type.recycle_rss_bytes();
  if (type.has_idle_timeout()) {
    rules->idle_timeout = FromProto(type.idle_timeout());
  }
  rules->reset = type.reset();
  rules->max_in_flight = std::max(type.max_in_flight(), 1);
  rules->max_slots = type.max_slots();
  if (type.timeouts().has_inactivity_timeout()) {
    rules->inactivity = FromProto(type.timeouts().inactivity_timeout());
  }
  if (type.timeouts().has_shutdown_grace()) {
    rules->shutdown_grace = FromProto(type.timeouts().shutdown_grace());
  }
  if (!type.has_warm_up()) return rules;
  WarmUpRules& warm_up = rules->warm_up.emplace();
  if (type.warm_up().has_timeout()) {
    warm_up.timeout = FromProto(type.warm_up().timeout());
  }
  if (type.warm_up().has_start_to_close_timeout()) {
    warm_up.start_to_close = FromProto(type.warm_up().start_to_close_timeout());
  }
  warm_up.optional = type.warm_up().optional();
  return rules;
}

}  // namespace

TaskTypeDefinition::TaskTypeDefinition(v1::TaskType given)
    : type(std::move(given)), reasons(type), rules(RulesOf(type)) {}

v1::TaskType TaskTypeDefinition::Announced() const {
  v1::TaskType announced = type;
  announced.clear_argv();
  announced.clear_env();
  announced.clear_working_directory();
  announced.clear_reason_patterns();
  announced.clear_warm_up();
  return announced;
}

FrameFormat TaskTypeDefinition::format() const {
  return type.frames() == v1::TaskType::FRAMES_PROTOBUF ? FrameFormat::kProtobuf
                                                        : FrameFormat::kJson;
}

void TaskTypes::Set(const v1::Catalog& catalog) {
  absl::btree_map<std::string, TaskTypePtr> types;
  for (const v1::TaskType& type : catalog.task_types()) {
    const auto known = types_.find(type.name());
    types[type.name()] =
        known != types_.end() &&
                google::protobuf::util::MessageDifferencer::Equals(
                    known->second->type, type)
            ? known->second
            : std::make_shared<const TaskTypeDefinition>(type);
  }
  types_ = std::move(types);
}

TaskTypePtr TaskTypes::Find(const std::string& name) const {
  const auto it = types_.find(name);
  return it == types_.end() ? nullptr : it->second;
}

}  // namespace vigil::worker
