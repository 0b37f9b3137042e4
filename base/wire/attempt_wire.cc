#include "base/wire/attempt_wire.h"

#include "base/wire/time_wire.h"

namespace vigil {
namespace {

// Bounds of Failure.message, Failure.advice, Progress.message and
// Evidence.last_output, as their protos state them.
constexpr size_t kMessageBytesMax = 4096;
constexpr size_t kAdviceBytesMax = 1024;
constexpr size_t kProgressBytesMax = 256;
constexpr size_t kLastOutputBytesMax = 1024;
// Of NestedCall, ProcessFacts and Evidence.stack_dump.
constexpr size_t kNameBytesMax = 64;
constexpr size_t kWhereBytesMax = 256;
constexpr size_t kCommandBytesMax = 128;
constexpr size_t kStackDumpBytesMax = 16 << 10;

}  // namespace

void ToProto(const AttemptId& id, v1::AttemptId* proto) {
  proto->set_job_id(id.job_id.value());
  proto->set_number(id.number);
}

AttemptId FromProto(const v1::AttemptId& proto) {
  return {JobId(proto.job_id()), proto.number()};
}

void ToProto(const Failure& failure, v1::Failure* proto) {
  proto->set_reason(static_cast<v1::Failure::Reason>(failure.reason));
  proto->set_message(ToUtf8(failure.message, kMessageBytesMax));
  proto->set_advice(failure.advice.empty()
                        ? std::string(AdviceFor(failure.reason))
                        : ToUtf8(failure.advice, kAdviceBytesMax));
  proto->set_exhaustion(
      static_cast<v1::Failure::Exhaustion>(failure.exhaustion));
}

Failure FromProto(const v1::Failure& proto) {
  return {static_cast<Reason>(proto.reason()), proto.message(), proto.advice(),
          static_cast<Exhaustion>(proto.exhaustion())};
}

void ToProto(const Exit& exit, v1::Exit* proto) {
  if (exit.status.has_value()) proto->set_status(*exit.status);
  if (exit.signal.has_value()) proto->set_signal(*exit.signal);
  ToProto(exit.user_time, proto->mutable_user_time());
  ToProto(exit.system_time, proto->mutable_system_time());
  proto->set_max_rss_bytes(exit.max_rss_bytes);
}

Exit FromProto(const v1::Exit& proto) {
  Exit exit;
  if (proto.has_status()) exit.status = proto.status();
  if (proto.has_signal()) exit.signal = proto.signal();
  exit.user_time = FromProto(proto.user_time());
  exit.system_time = FromProto(proto.system_time());
  exit.max_rss_bytes = proto.max_rss_bytes();
  return exit;
}

void ToProto(const NestedCall& call, v1::NestedCall* proto) {
  proto->set_program(ToUtf8(call.program, kNameBytesMax));
  proto->set_call(ToUtf8(call.call, kNameBytesMax));
  proto->set_outcome(static_cast<v1::NestedCall::Outcome>(call.outcome));
  proto->set_count(call.count);
  proto->set_where(ToUtf8(call.where, kWhereBytesMax));
}

NestedCall FromProto(const v1::NestedCall& proto) {
  return {proto.program(), proto.call(),
          static_cast<NestedCall::Outcome>(proto.outcome()), proto.count(),
          proto.where()};
}

void ToProto(const ProcessFacts& process, v1::ProcessFacts* proto) {
  proto->set_pid(process.pid);
  proto->set_parent_pid(process.parent_pid);
  proto->set_command(ToUtf8(process.command, kCommandBytesMax));
  proto->set_state(process.state);
  proto->set_wait_channel(ToUtf8(process.wait_channel, kNameBytesMax));
  proto->set_threads(process.threads);
  ToProto(process.cpu_time, proto->mutable_cpu_time());
  proto->set_rss_bytes(process.rss_bytes);
  proto->set_peak_rss_bytes(process.peak_rss_bytes);
  proto->set_open_files(process.open_files);
}

ProcessFacts FromProto(const v1::ProcessFacts& proto) {
  ProcessFacts process;
  process.pid = proto.pid();
  process.parent_pid = proto.parent_pid();
  process.command = proto.command();
  process.state = proto.state();
  process.wait_channel = proto.wait_channel();
  process.threads = proto.threads();
  process.cpu_time = FromProto(proto.cpu_time());
  process.rss_bytes = proto.rss_bytes();
  process.peak_rss_bytes = proto.peak_rss_bytes();
  process.open_files = proto.open_files();
  return process;
}

void ToProto(const Evidence& evidence, v1::Evidence* proto) {
  ToProto(evidence.age, proto->mutable_age());
  ToProto(evidence.silence, proto->mutable_silence());
  const size_t size = evidence.last_output.size();
  proto->set_last_output(
      evidence.last_output.substr(size - std::min(size, kLastOutputBytesMax)));
  if (evidence.cpu_time_in_silence.has_value()) {
    ToProto(*evidence.cpu_time_in_silence,
            proto->mutable_cpu_time_in_silence());
  }
  proto->set_leftover_processes_killed(evidence.leftover_processes_killed);
  proto->set_killed(evidence.killed);
  ToProto(evidence.time_to_confirmed_death,
          proto->mutable_time_to_confirmed_death());
  proto->set_death_unconfirmed(evidence.death_unconfirmed);
  for (const ProcessFacts& process : evidence.tree.processes) {
    ToProto(process, proto->add_processes());
  }
  proto->set_process_count(evidence.tree.process_count);
  proto->set_threads(evidence.tree.threads);
  if (evidence.tree.process_count > 0) {
    ToProto(evidence.tree.cpu_time, proto->mutable_cpu_time());
  }
  proto->set_rss_bytes(evidence.tree.rss_bytes);
  proto->set_stack_dump(evidence.stack_dump.substr(0, kStackDumpBytesMax));
}

Evidence FromProto(const v1::Evidence& proto) {
  Evidence evidence;
  evidence.age = FromProto(proto.age());
  evidence.silence = FromProto(proto.silence());
  evidence.last_output = proto.last_output();
  if (proto.has_cpu_time_in_silence()) {
    evidence.cpu_time_in_silence = FromProto(proto.cpu_time_in_silence());
  }
  evidence.leftover_processes_killed = proto.leftover_processes_killed();
  evidence.killed = proto.killed();
  evidence.time_to_confirmed_death = FromProto(proto.time_to_confirmed_death());
  evidence.death_unconfirmed = proto.death_unconfirmed();
  for (const v1::ProcessFacts& process : proto.processes()) {
    evidence.tree.processes.push_back(FromProto(process));
  }
  evidence.tree.process_count = proto.process_count();
  evidence.tree.threads = proto.threads();
  evidence.tree.cpu_time = FromProto(proto.cpu_time());
  evidence.tree.rss_bytes = proto.rss_bytes();
  evidence.stack_dump = proto.stack_dump();
  return evidence;
}

void ToProto(const Progress& progress, v1::Progress* proto) {
  proto->set_done(progress.done);
  proto->set_total(progress.total);
  proto->set_message(ToUtf8(progress.message, kProgressBytesMax));
}

Progress FromProto(const v1::Progress& proto) {
  return {proto.done(), proto.total(), proto.message()};
}

void ToProto(const AttemptUpdate& update, v1::AttemptUpdate* proto) {
  ToProto(update.attempt, proto->mutable_attempt());
  proto->set_phase(static_cast<v1::Attempt::Phase>(update.phase));
  proto->set_slot(update.slot);
  ToProto(update.age, proto->mutable_age());
  ToProto(update.silence, proto->mutable_silence());
  ToProto(update.longest_silence, proto->mutable_longest_silence());
  proto->set_tokens(update.tokens);
  proto->set_heartbeats(update.heartbeats);
  proto->set_stdout_bytes(update.stdout_bytes);
  proto->set_stderr_bytes(update.stderr_bytes);
  if (update.progress.has_value()) {
    ToProto(*update.progress, proto->mutable_progress());
  }
  if (update.observed.has_value()) {
    ToProto(*update.observed, proto->mutable_observed());
  }
  for (const NestedCall& call : update.nested_calls) {
    ToProto(call, proto->add_nested_calls());
  }
  if (update.notice.has_value()) {
    ToProto(*update.notice, proto->mutable_notice());
  }
}

AttemptUpdate FromProto(const v1::AttemptUpdate& proto) {
  AttemptUpdate update;
  update.attempt = FromProto(proto.attempt());
  update.phase = static_cast<Phase>(proto.phase());
  update.slot = proto.slot();
  update.age = FromProto(proto.age());
  update.silence = FromProto(proto.silence());
  update.longest_silence = FromProto(proto.longest_silence());
  update.tokens = proto.tokens();
  update.heartbeats = proto.heartbeats();
  update.stdout_bytes = proto.stdout_bytes();
  update.stderr_bytes = proto.stderr_bytes();
  if (proto.has_progress()) update.progress = FromProto(proto.progress());
  if (proto.has_observed()) update.observed = FromProto(proto.observed());
  for (const v1::NestedCall& call : proto.nested_calls()) {
    update.nested_calls.push_back(FromProto(call));
  }
  if (proto.has_notice()) update.notice = FromProto(proto.notice());
  return update;
}

void ToProto(const AttemptEnd& end, v1::AttemptEnd* proto) {
  ToProto(end.attempt, proto->mutable_attempt());
  ToProto(end.last, proto->mutable_last());
  if (end.failure.has_value()) ToProto(*end.failure, proto->mutable_failure());
  if (end.exit.has_value()) ToProto(*end.exit, proto->mutable_exit());
  if (end.evidence.has_value()) {
    ToProto(*end.evidence, proto->mutable_evidence());
  }
  proto->set_spawn_errno(end.spawn_errno);
  proto->set_retryable(end.retryable);
  proto->set_never_started(end.never_started);
  if (end.time_to_active.has_value()) {
    ToProto(*end.time_to_active, proto->mutable_time_to_active());
  }
  proto->set_process_failed(end.process_failed);
  if (end.result != nullptr) proto->set_result(*end.result);
  if (end.next_retry_delay.has_value()) {
    ToProto(*end.next_retry_delay, proto->mutable_next_retry_delay());
  }
}

AttemptEnd FromProto(const v1::AttemptEnd& proto) {
  AttemptEnd end;
  end.attempt = FromProto(proto.attempt());
  end.last = FromProto(proto.last());
  if (proto.has_failure()) end.failure = FromProto(proto.failure());
  if (proto.has_exit()) end.exit = FromProto(proto.exit());
  if (proto.has_evidence()) end.evidence = FromProto(proto.evidence());
  end.spawn_errno = proto.spawn_errno();
  end.retryable = proto.retryable();
  end.never_started = proto.never_started();
  if (proto.has_time_to_active()) {
    end.time_to_active = FromProto(proto.time_to_active());
  }
  end.process_failed = proto.process_failed();
  if (proto.has_result()) {
    end.result = std::make_shared<const std::string>(proto.result());
  }
  if (proto.has_next_retry_delay()) {
    end.next_retry_delay = FromProto(proto.next_retry_delay());
  }
  return end;
}

void ToProto(const AttemptCheckpoint& checkpoint,
             v1::AttemptCheckpoint* proto) {
  ToProto(checkpoint.attempt, proto->mutable_attempt());
  proto->set_state(*checkpoint.state);
}

AttemptCheckpoint FromProto(const v1::AttemptCheckpoint& proto) {
  return {FromProto(proto.attempt()),
          std::make_shared<const std::string>(proto.state())};
}

void ToProto(const TaskTypeStatus& status, v1::TaskTypeStatus* proto) {
  proto->set_name(status.name);
  proto->set_degraded(ToUtf8(status.degraded, kMessageBytesMax));
  proto->set_in_flight(status.in_flight);
  proto->set_warm_processes(status.warm_processes);
}

TaskTypeStatus FromProto(const v1::TaskTypeStatus& proto) {
  return {proto.name(), proto.degraded(), proto.in_flight(),
          proto.warm_processes()};
}

}  // namespace vigil
