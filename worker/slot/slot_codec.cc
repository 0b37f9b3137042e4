#include "worker/slot/slot_codec.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "worker/slot/limits.h"
#include "worker/slot/sealed_memfd.h"

namespace vigil::slot {
namespace {

using WireFailure = SlotEvent::SpawnFailed;

WireFailure::Stage EncodeStage(SpawnStage stage) {
  switch (stage) {
    case SpawnStage::kRequest:
      return WireFailure::STAGE_REQUEST;
    case SpawnStage::kLease:
      return WireFailure::STAGE_LEASE;
    case SpawnStage::kLookup:
      return WireFailure::STAGE_LOOKUP;
    case SpawnStage::kWorkingDirectory:
      return WireFailure::STAGE_WORKING_DIRECTORY;
    case SpawnStage::kFork:
      return WireFailure::STAGE_FORK;
    case SpawnStage::kSetup:
      return WireFailure::STAGE_SETUP;
    case SpawnStage::kExec:
      return WireFailure::STAGE_EXEC;
    case SpawnStage::kInterpreter:
      return WireFailure::STAGE_INTERPRETER;
  }
  return WireFailure::STAGE_UNSPECIFIED;
}

absl::StatusOr<SpawnStage> DecodeStage(int stage) {
  switch (stage) {
    case WireFailure::STAGE_REQUEST:
      return SpawnStage::kRequest;
    case WireFailure::STAGE_LEASE:
      return SpawnStage::kLease;
    case WireFailure::STAGE_LOOKUP:
      return SpawnStage::kLookup;
    case WireFailure::STAGE_WORKING_DIRECTORY:
      return SpawnStage::kWorkingDirectory;
    case WireFailure::STAGE_FORK:
      return SpawnStage::kFork;
    case WireFailure::STAGE_SETUP:
      return SpawnStage::kSetup;
    case WireFailure::STAGE_EXEC:
      return SpawnStage::kExec;
    case WireFailure::STAGE_INTERPRETER:
      return SpawnStage::kInterpreter;
    default:  // Proto enums are open: any number may arrive.
      return absl::InternalError(
          absl::StrCat("unknown stage of a failed start: ", stage));
  }
}

void Encode(const Ready& ready, SlotEvent& event) {
  event.mutable_ready()->set_pid(ready.pid);
  event.mutable_ready()->set_filter_problem(ready.filter_problem);
}

void Encode(const Spawned& spawned, SlotEvent& event) {
  event.mutable_spawned()->set_pid(spawned.pid);
}

void Encode(const SpawnFailed& failed, SlotEvent& event) {
  event.mutable_spawn_failed()->set_error(failed.error);
  event.mutable_spawn_failed()->set_stage(EncodeStage(failed.stage));
  event.mutable_spawn_failed()->set_what(failed.what);
}

void Encode(const Exited& exited, SlotEvent& event) {
  SlotEvent::Exited& message = *event.mutable_exited();
  if (exited.status.has_value()) message.set_status(*exited.status);
  if (exited.signum.has_value()) message.set_signal(*exited.signum);
}

void Encode(const TreeEmpty& empty, SlotEvent& event) {
  SlotEvent::TreeEmpty& message = *event.mutable_tree_empty();
  message.set_leftovers_killed(empty.leftovers_killed);
  message.set_user_usec(absl::ToInt64Microseconds(empty.user_time));
  message.set_system_usec(absl::ToInt64Microseconds(empty.system_time));
  message.set_max_rss_bytes(empty.max_rss_bytes);
  message.set_killed(empty.killed);
  message.set_lease_expired(empty.lease_expired);
  message.set_unconfirmed(empty.unconfirmed);
  for (const Leftover& leftover : empty.leftovers) {
    SlotEvent::TreeEmpty::Leftover* added = message.add_leftovers();
    added->set_pid(leftover.pid);
    added->set_program(leftover.program);
  }
}

void Encode(const NestedCallSeen& seen, SlotEvent& event) {
  SlotEvent::NestedCall& message = *event.mutable_nested_call();
  message.set_program(seen.program);
  message.set_call(seen.call);
  message.set_refused(seen.refused);
  message.set_count(seen.count);
  message.set_live(seen.live);
}

void Encode(const Pong& pong, SlotEvent& event) {
  event.mutable_pong()->set_number(pong.number);
}

absl::StatusOr<Event> DecodeSpawnFailed(const WireFailure& message) {
  absl::StatusOr<SpawnStage> stage = DecodeStage(message.stage());
  if (!stage.ok()) return stage.status();
  return SpawnFailed{message.error(), *stage, message.what()};
}

Exited DecodeExited(const SlotEvent::Exited& message) {
  Exited exited;
  if (message.has_status()) exited.status = message.status();
  if (message.has_signal()) exited.signum = message.signal();
  return exited;
}

TreeEmpty DecodeTreeEmpty(const SlotEvent::TreeEmpty& message) {
  TreeEmpty empty{.leftovers_killed = message.leftovers_killed(),
                  .user_time = absl::Microseconds(message.user_usec()),
                  .system_time = absl::Microseconds(message.system_usec()),
                  .max_rss_bytes = message.max_rss_bytes(),
                  .killed = message.killed(),
                  .lease_expired = message.lease_expired(),
                  .unconfirmed = message.unconfirmed(),
                  .leftovers = {}};
  for (const SlotEvent::TreeEmpty::Leftover& leftover : message.leftovers()) {
    empty.leftovers.push_back({leftover.pid(), leftover.program()});
  }
  return empty;
}

absl::StatusOr<Event> DecodeEvent(const SlotEvent& message) {
  switch (message.event_case()) {
    case SlotEvent::kReady:
      return Ready{message.ready().pid(), message.ready().filter_problem()};
    case SlotEvent::kSpawned:
      return Spawned{message.spawned().pid()};
    case SlotEvent::kSpawnFailed:
      return DecodeSpawnFailed(message.spawn_failed());
    case SlotEvent::kExited:
      return DecodeExited(message.exited());
    case SlotEvent::kNestedCall:
      return NestedCallSeen{
          message.nested_call().program(), message.nested_call().call(),
          message.nested_call().refused(), message.nested_call().count(),
          message.nested_call().live()};
    case SlotEvent::kTreeEmpty:
      return DecodeTreeEmpty(message.tree_empty());
    case SlotEvent::kPong:
      return Pong{message.pong().number()};
    case SlotEvent::EVENT_NOT_SET:
      break;
  }
  return absl::InternalError("a SlotEvent that this build does not know");
}

}  // namespace

SlotEvent EncodeEvent(const Event& event) {
  SlotEvent message;
  std::visit([&message](const auto& value) { Encode(value, message); }, event);
  return message;
}

absl::StatusOr<std::vector<Event>> DecodePacket(const std::string& bytes) {
  SlotPacket packet;
  if (!packet.ParseFromString(bytes) || packet.events().empty()) {
    return absl::InternalError("a packet from the slot is not a SlotPacket");
  }
  std::vector<Event> events;
  for (const SlotEvent& message : packet.events()) {
    absl::StatusOr<Event> event = DecodeEvent(message);
    if (!event.ok()) return event.status();
    events.push_back(*std::move(event));
  }
  return events;
}

absl::StatusOr<SpawnCommand> EncodeCommand(const TaskCommand& command) {
  if (command.argv.empty() || command.argv.front().empty()) {
    return absl::InvalidArgumentError("a command without a program");
  }
  SpawnCommand message;
  for (const std::string& text : command.argv) message.add_argv(text);
  for (const std::string& text : command.env) message.add_env(text);
  message.set_working_directory(command.working_directory);
  message.set_pty(command.pty);
  message.set_on_nested_pool(static_cast<int>(command.nesting.action));
  message.set_max_processes(command.nesting.max_processes);
  message.set_max_threads(command.nesting.max_threads);
  message.set_brief(command.brief);
  const auto holds_nul = [](const std::string& text) {
    return text.find('\0') != std::string::npos;
  };
  for (const auto* texts : {&command.argv, &command.env}) {
    for (const std::string& text : *texts) {
      if (holds_nul(text)) {
        return absl::InvalidArgumentError(
            "a NUL byte in a command's argv or env");
      }
    }
  }
  if (holds_nul(command.working_directory)) {
    return absl::InvalidArgumentError(
        "a NUL byte in a command's working directory");
  }
  if (message.ByteSizeLong() > kCommandMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a command of ", message.ByteSizeLong(),
                     " bytes; at most ", kCommandMaxBytes));
  }
  return message;
}

absl::StatusOr<TaskCommand> DecodeCommand(const SpawnCommand& command) {
  if (command.argv().empty()) {
    return absl::InternalError("a SpawnCommand without a program");
  }
  return TaskCommand{{command.argv().begin(), command.argv().end()},
                     {command.env().begin(), command.env().end()},
                     command.working_directory(),
                     command.pty(),
                     {static_cast<OnNestedPool>(command.on_nested_pool()),
                      command.max_processes(), command.max_threads()},
                     command.brief()};
}

absl::StatusOr<UniqueFd> WriteCommand(const SpawnCommand& command) {
  return SealedMemfd("vigil-command", command.SerializeAsString());
}

absl::StatusOr<SpawnCommand> ReadCommand(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || info.st_size < 0 ||
      static_cast<size_t>(info.st_size) > kCommandMaxBytes) {
    return absl::InternalError("the command's memfd has no valid size");
  }
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  const ssize_t size = pread(fd, bytes.data(), bytes.size(), 0);
  if (size != info.st_size) {
    return absl::InternalError("the command's memfd cannot be read");
  }
  SpawnCommand command;
  if (!command.ParseFromString(bytes)) {
    return absl::InternalError("the command's memfd holds no SpawnCommand");
  }
  return command;
}

}  // namespace vigil::slot
