// The coordinator's program: reads its flags, opens its data directory, and
// serves until SIGTERM or SIGINT; or backs up or restores that directory's
// store instead. SIGHUP has its local worker read the catalog again.
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/build_version.h"
#include "base/catalog.h"
#include "base/dir_lock.h"
#include "base/log.h"
#include "base/protobuf_log.h"
#include "base/task_token.h"
#include "coordinator/backup_command.h"
#include "coordinator/default_paths.h"
#include "coordinator/engine/engine.h"
#include "coordinator/http/gateway.h"
#include "coordinator/local/local_worker.h"
#include "coordinator/process_signals.h"
#include "coordinator/rpc/listen_address.h"
#include "coordinator/rpc/server.h"
#include "coordinator/telemetry/event_log.h"

ABSL_FLAG(std::string, listen, "",
          "Where to listen: unix:/path and host:port, separated by commas. "
          "Default: unix:$XDG_RUNTIME_DIR/vigil/vigil.sock, or "
          "unix:/tmp/vigil-UID/vigil.sock.");
ABSL_FLAG(
    bool, insecure, false,
    "Allow --listen and --http_listen beyond loopback, without encryption "
    "or authentication.");
ABSL_FLAG(std::string, http_listen, "",
          "Serve the same RPCs as JSON over HTTP, in the Connect protocol, on "
          "host:port, several separated by commas; port 0: one that is free. "
          "Default: none. Web pages of other origins are refused, commands of "
          "clients too.");
ABSL_FLAG(std::vector<std::string>, http_hosts, {},
          "What clients of --http_listen may have in Host beside its addresses "
          "and localhost, separated by commas: a name, or name:port where the "
          "port is not 80.");
ABSL_FLAG(std::string, data_dir, "",
          "Where jobs are kept; one coordinator at a time. Default: "
          "$XDG_STATE_HOME/vigil, or ~/.local/state/vigil.");
ABSL_FLAG(int, local_slots, 0,
          "Slots of a worker that this coordinator starts and ends itself; 0: "
          "none, workers attach from elsewhere.");
ABSL_FLAG(std::string, catalog, "",
          "Catalog of task types for the local worker (textproto, or .json); "
          "read again on SIGHUP.");
ABSL_FLAG(bool, allow_commands, false,
          "Let clients on a unix socket run commands of their own. Default: "
          "true on the default private socket, false with --listen.");
ABSL_FLAG(std::string, worker_binary, "",
          "The local worker's program. Default: beside this one.");
ABSL_FLAG(absl::Duration, drain_grace, vigil::coordinator::kDrainGrace,
          "How long tasks of the local worker may take to end after SIGTERM; 0 "
          "to 24h. What still runs then is stopped, and tried again by the "
          "coordinator that follows.");
ABSL_FLAG(absl::Duration, lease, vigil::coordinator::kLease,
          "How long a worker may act unanswered; its tasks are dead after it.");
ABSL_FLAG(absl::Duration, lease_margin, vigil::coordinator::kLeaseMargin,
          "How much longer the coordinator waits before it gives a silent "
          "worker's jobs to others; at least 1.4s "
          "and a hundredth of --lease.");
ABSL_FLAG(absl::Duration, heartbeat_interval,
          vigil::coordinator::kHeartbeatInterval,
          "How often workers report; at most a third of --lease.");
ABSL_FLAG(absl::Duration, timeout_max, absl::Hours(24),
          "The longest clock a request may ask for.");
ABSL_FLAG(absl::Duration, startup, absl::Seconds(120),
          "Default startup_timeout.");
ABSL_FLAG(absl::Duration, inactivity, absl::Seconds(45),
          "Default inactivity_timeout.");
ABSL_FLAG(absl::Duration, start_to_close, absl::Seconds(600),
          "Default start_to_close_timeout.");
ABSL_FLAG(absl::Duration, silent_start_to_close, absl::Seconds(300),
          "Default start_to_close_timeout of a job that is SILENT.");
ABSL_FLAG(absl::Duration, schedule_to_close, absl::Hours(24),
          "Default schedule_to_close_timeout.");
ABSL_FLAG(absl::Duration, chunk_timeout, absl::Seconds(30),
          "Default chunk_timeout of a job with a chunk_policy.");
ABSL_FLAG(absl::Duration, shutdown_grace, absl::Seconds(5),
          "Default shutdown_grace.");
ABSL_FLAG(int, maximum_attempts, 4, "Default maximum_attempts.");
ABSL_FLAG(int64_t, live_jobs_max, vigil::coordinator::kLiveJobsMax,
          "Jobs that may be queued or running; more are refused.");
ABSL_FLAG(absl::Duration, retention, vigil::coordinator::kRetention,
          "How long ended jobs are kept.");
ABSL_FLAG(int64_t, ended_jobs_max, vigil::coordinator::kEndedJobsMax,
          "How many ended jobs are kept.");
ABSL_FLAG(absl::Duration, telemetry_window,
          vigil::coordinator::kTelemetryWindow,
          "How far back GetStatus and `vigil status` count how work ended; 1m "
          "to 24h.");
ABSL_FLAG(double, warning_rate, vigil::coordinator::kWarningRatePercent,
          "Percent of a task type's attempts that may fail before health is "
          "WARNING.");
ABSL_FLAG(double, action_rate, vigil::coordinator::kActionRatePercent,
          "Percent of a task type's attempts that may fail before health is "
          "ACTION; at least --warning_rate.");
ABSL_FLAG(std::string, event_log, "",
          "A file to which a line of JSON is appended for each job that ended, "
          "attempt that failed, and change of a worker or of health; rotated "
          "at 64 MiB, opened again on SIGHUP. Default: none.");
ABSL_FLAG(std::string, backup, "",
          "Do not serve, but back up the store of --data_dir to this new file, "
          "also while a coordinator serves from there.");
ABSL_FLAG(std::string, restore, "",
          "Do not serve, but put this backup in the place of the store of "
          "--data_dir, where no coordinator may run; what was there is kept "
          "beside it.");
ABSL_FLAG(bool, exit_on_stdin_eof, false,
          "Stop when stdin ends: for a coordinator that belongs to another "
          "program.");
ABSL_FLAG(int, ready_fd, -1,
          "Write READY and a newline to this descriptor and close it when the "
          "first call can be answered.");

namespace vigil::coordinator {
namespace {

// Exit status of one that was started by a task, from sysexits.h.
constexpr int kExitUsage = 64;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "vigil-coordinator: %s\n",
               std::string(status.message()).c_str());
  return 1;
}

uint64_t RandomSeed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) seed = getpid();
  return seed;
}

std::string RandomToken() {
  char bytes[32];
  if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) return "";
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

absl::Status CheckFlags() {
  const absl::Duration lease = absl::GetFlag(FLAGS_lease);
  const absl::Duration heartbeat = absl::GetFlag(FLAGS_heartbeat_interval);
  if (heartbeat < absl::Milliseconds(10) || heartbeat * 3 > lease) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--heartbeat_interval is ", absl::FormatDuration(heartbeat),
        "; it must be at least 10ms and at most a third of --lease (",
        absl::FormatDuration(lease), ")"));
  }
  const absl::Duration margin_min = kSlotDeathMax + lease / 100;
  if (absl::GetFlag(FLAGS_lease_margin) < margin_min ||
      lease > absl::Hours(1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--lease_margin must be at least ", absl::FormatDuration(margin_min),
        " (", absl::FormatDuration(kSlotDeathMax),
        " in which a worker kills a slot that is stopped, and a hundredth of "
        "--lease, by which two clocks may drift apart), and --lease at most "
        "1h"));
  }
  if (absl::GetFlag(FLAGS_drain_grace) < absl::ZeroDuration() ||
      absl::GetFlag(FLAGS_drain_grace) > kDrainGraceMax) {
    return absl::InvalidArgumentError("--drain_grace must be 0 to 24h");
  }
  if (absl::GetFlag(FLAGS_local_slots) < 0 ||
      absl::GetFlag(FLAGS_local_slots) > kSlotsMax) {
    return absl::InvalidArgumentError("--local_slots must be 0 to 1024");
  }
  const absl::Duration max = absl::GetFlag(FLAGS_timeout_max);
  const struct {
    const char* name;
    absl::Duration value;
  } clocks[] = {
      {"--startup", absl::GetFlag(FLAGS_startup)},
      {"--inactivity", absl::GetFlag(FLAGS_inactivity)},
      {"--start_to_close", absl::GetFlag(FLAGS_start_to_close)},
      {"--silent_start_to_close", absl::GetFlag(FLAGS_silent_start_to_close)},
      {"--schedule_to_close", absl::GetFlag(FLAGS_schedule_to_close)},
      {"--chunk_timeout", absl::GetFlag(FLAGS_chunk_timeout)},
  };
  for (const auto& clock : clocks) {
    if (clock.value > absl::ZeroDuration() && clock.value <= max) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(clock.name, " is ", absl::FormatDuration(clock.value),
                     "; it must be positive and at most --timeout_max (",
                     absl::FormatDuration(max), ")"));
  }
  if (absl::GetFlag(FLAGS_shutdown_grace) < absl::ZeroDuration() ||
      absl::GetFlag(FLAGS_shutdown_grace) > max) {
    return absl::InvalidArgumentError(
        "--shutdown_grace must not be negative, and at most --timeout_max");
  }
  if (absl::GetFlag(FLAGS_maximum_attempts) < 1 ||
      absl::GetFlag(FLAGS_maximum_attempts) > kAttemptsMax) {
    return absl::InvalidArgumentError("--maximum_attempts must be 1 to 100");
  }
  const absl::Duration window = absl::GetFlag(FLAGS_telemetry_window);
  if (window < kTelemetryWindowMin || window > kTelemetryWindowMax) {
    return absl::InvalidArgumentError("--telemetry_window must be 1m to 24h");
  }
  const double warning = absl::GetFlag(FLAGS_warning_rate);
  const double action = absl::GetFlag(FLAGS_action_rate);
  if (!(warning >= 0 && warning <= action && action <= 100)) {
    return absl::InvalidArgumentError(
        "--warning_rate and --action_rate must be 0 to 100 percent, the first "
        "not above the second");
  }
  return absl::OkStatus();
}

ServerDefaults DefaultsFromFlags() {
  ServerDefaults defaults;
  defaults.timeouts.startup = absl::GetFlag(FLAGS_startup);
  defaults.timeouts.inactivity = absl::GetFlag(FLAGS_inactivity);
  defaults.timeouts.start_to_close = absl::GetFlag(FLAGS_start_to_close);
  defaults.timeouts.schedule_to_close = absl::GetFlag(FLAGS_schedule_to_close);
  defaults.chunks.chunk_timeout = absl::GetFlag(FLAGS_chunk_timeout);
  defaults.timeouts.shutdown_grace = absl::GetFlag(FLAGS_shutdown_grace);
  defaults.silent_start_to_close = absl::GetFlag(FLAGS_silent_start_to_close);
  defaults.timeout_max = absl::GetFlag(FLAGS_timeout_max);
  defaults.retry.maximum_attempts = absl::GetFlag(FLAGS_maximum_attempts);
  return defaults;
}

EngineOptions EngineOptionsFromFlags(const std::string& data_dir) {
  EngineOptions options;
  options.database_path = DatabasePath(data_dir);
  options.lease = absl::GetFlag(FLAGS_lease);
  options.lease_margin = absl::GetFlag(FLAGS_lease_margin);
  options.heartbeat_interval = absl::GetFlag(FLAGS_heartbeat_interval);
  options.live_jobs_max = absl::GetFlag(FLAGS_live_jobs_max);
  options.retention = absl::GetFlag(FLAGS_retention);
  options.ended_jobs_max = absl::GetFlag(FLAGS_ended_jobs_max);
  options.seed = RandomSeed();
  options.telemetry.window = absl::GetFlag(FLAGS_telemetry_window);
  options.telemetry.warning_rate_percent = absl::GetFlag(FLAGS_warning_rate);
  options.telemetry.action_rate_percent = absl::GetFlag(FLAGS_action_rate);
  return options;
}

// Whether --allow_commands was given, one way or the other.
bool SaysWhetherToAllowCommands(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    while (absl::ConsumePrefix(&flag, "-")) {
    }
    absl::ConsumePrefix(&flag, "no");
    if (absl::StartsWith(flag, "allow_commands")) return true;
  }
  return false;
}

Exposure ExposureFromFlags() {
  return absl::GetFlag(FLAGS_insecure) ? Exposure::kInsecureAllowed
                                       : Exposure::kLoopbackOnly;
}

// Serves HTTP where that is asked for; null: it is not.
absl::StatusOr<std::unique_ptr<Gateway>> StartGateway(RpcServer* server) {
  const std::string listen = absl::GetFlag(FLAGS_http_listen);
  if (listen.empty()) return nullptr;
  absl::StatusOr<std::vector<std::string>> addresses =
      ParseHttpListen(listen, ExposureFromFlags());
  if (!addresses.ok()) return addresses.status();
  return Gateway::Start({.addresses = *std::move(addresses),
                         .host_names = absl::GetFlag(FLAGS_http_hosts),
                         .services = server->services(),
                         .channel = server->InProcessChannel()});
}

void SayReady(std::vector<std::string> addresses, const Gateway* gateway) {
  if (gateway != nullptr) {
    for (const std::string& address : gateway->addresses()) {
      addresses.push_back("http://" + address);
    }
  }
  Log(LogSeverity::kInfo,
      absl::StrCat("serving on ", absl::StrJoin(addresses, ", ")));
  const int fd = absl::GetFlag(FLAGS_ready_fd);
  if (fd < 0) return;
  constexpr absl::string_view kReady = "READY\n";
  if (write(fd, kReady.data(), kReady.size()) < 0) {
    Log(LogSeverity::kWarning, "--ready_fd cannot be written");
  }
  close(fd);
}

std::unique_ptr<LocalWorker> StartLocalWorker(const std::string& binary,
                                              const std::string& data_dir,
                                              bool allow_commands,
                                              RpcServer* server, Engine* engine,
                                              Services* services) {
  LocalWorker::Options options;
  options.binary = binary;
  options.token = services->local_attach.token;
  options.arguments = {
      absl::StrCat("--coordinator=", server->addresses().front()),
      absl::StrCat("--data_dir=", data_dir, "/worker"),
      absl::StrCat("--slots=", absl::GetFlag(FLAGS_local_slots)),
      absl::StrCat("--allow_commands=", allow_commands ? "true" : "false"),
      absl::StrCat("--drain_grace=",
                   absl::FormatDuration(absl::GetFlag(FLAGS_drain_grace))),
  };
  if (!absl::GetFlag(FLAGS_catalog).empty()) {
    options.arguments.push_back(
        absl::StrCat("--catalog=", absl::GetFlag(FLAGS_catalog)));
  }
  auto session = std::make_shared<SessionId>();
  services->local_attach.on_attach = [session](const SessionId& id) {
    *session = id;
  };
  options.on_dead = [server, engine, services, session](bool restarts) {
    server->Post([=] {
      if (restarts) ++services->local_workers_replaced;
      if (session->empty()) return;
      engine->core().WorkerDead(*session, engine->now(), engine->fx());
      *session = SessionId();
    });
    // It has drained, or is being stopped.
    if (!restarts) server->Stop();
  };
  return std::make_unique<LocalWorker>(std::move(options));
}

// Backs up or restores instead of serving; returns the exit status.
int RunFileCommand(const std::string& data_dir) {
  const std::string backup = absl::GetFlag(FLAGS_backup);
  const std::string restore = absl::GetFlag(FLAGS_restore);
  if (!backup.empty() && !restore.empty()) {
    return Fail(absl::InvalidArgumentError(
        "--backup and --restore cannot be given together"));
  }
  const absl::StatusOr<std::string> done = restore.empty()
                                               ? RunBackup(data_dir, backup)
                                               : RunRestore(data_dir, restore);
  if (!done.ok()) return Fail(done.status());
  std::printf("%s\n", done->c_str());
  return 0;
}

int Main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "The coordinator of Vigil: keeps jobs, hands them to workers, streams "
      "their output.\nWith --local_slots=N it needs nothing else: it runs N "
      "tasks at a time itself.");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("unexpected argument '", rest[1], "'")));
  }
  absl::StatusOr<DefaultPaths> paths = FindDefaultPaths();
  if (!paths.ok()) return Fail(paths.status());
  const std::string data_dir = absl::GetFlag(FLAGS_data_dir).empty()
                                   ? paths->data_dir
                                   : absl::GetFlag(FLAGS_data_dir);
  // These start no coordinator, so a task may do it.
  if (!absl::GetFlag(FLAGS_backup).empty() ||
      !absl::GetFlag(FLAGS_restore).empty()) {
    return RunFileCommand(data_dir);
  }
  const char* task = std::getenv(kTaskTokenVariable);
  if (task != nullptr && task[0] != '\0') {
    Fail(absl::FailedPreconditionError(
        NestedStartMessage(task, "a coordinator")));
    return kExitUsage;
  }
  if (absl::Status status = CheckFlags(); !status.ok()) return Fail(status);
  const bool allow_commands = SaysWhetherToAllowCommands(argc, argv)
                                  ? absl::GetFlag(FLAGS_allow_commands)
                                  : absl::GetFlag(FLAGS_listen).empty();
  const std::string listen = absl::GetFlag(FLAGS_listen).empty()
                                 ? "unix:" + paths->socket
                                 : absl::GetFlag(FLAGS_listen);
  absl::StatusOr<std::vector<ListenAddress>> addresses =
      ParseListen(listen, ExposureFromFlags());
  if (!addresses.ok()) return Fail(addresses.status());
  v1::Catalog catalog;
  if (!absl::GetFlag(FLAGS_catalog).empty()) {
    // The worker loads it for itself; a bad one is better told here.
    absl::StatusOr<v1::Catalog> loaded =
        LoadCatalog(absl::GetFlag(FLAGS_catalog));
    if (!loaded.ok()) return Fail(loaded.status());
    catalog = *std::move(loaded);
  }
  const std::string worker_binary = absl::GetFlag(FLAGS_worker_binary).empty()
                                        ? paths->worker_binary
                                        : absl::GetFlag(FLAGS_worker_binary);
  if (absl::GetFlag(FLAGS_local_slots) > 0 &&
      access(worker_binary.c_str(), X_OK) != 0) {
    return Fail(absl::NotFoundError(absl::StrCat(
        "--local_slots needs the worker's program, and ",
        worker_binary.empty() ? "none is beside this one" : worker_binary,
        " cannot be run; name it with --worker_binary")));
  }
  absl::StatusOr<DirLock> lock = DirLock::Acquire(data_dir);
  if (!lock.ok()) return Fail(lock.status());

  // Children get a clean mask.
  BlockSignals();
  // What a dying local worker leaves behind arrives here.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

  absl::StatusOr<std::unique_ptr<RpcServer>> server =
      RpcServer::Create(*addresses);
  if (!server.ok()) return Fail(server.status());
  RpcServer* rpc = server->get();
  absl::StatusOr<std::unique_ptr<Gateway>> gateway = StartGateway(rpc);
  if (!gateway.ok()) return Fail(gateway.status());
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Engine::Open(EngineOptionsFromFlags(data_dir),
                   [rpc](std::function<void()> f) { rpc->Post(std::move(f)); });
  if (!engine.ok()) return Fail(engine.status());
  std::unique_ptr<EventLog> event_log;
  if (const std::string path = absl::GetFlag(FLAGS_event_log); !path.empty()) {
    absl::StatusOr<std::unique_ptr<EventLog>> opened = EventLog::Open({path});
    if (!opened.ok()) return Fail(opened.status());
    event_log = *std::move(opened);
    (*engine)->recorder().set_sink([&event_log](events::Event event) {
      event_log->Add(std::move(event));
    });
  }
  const SpecResolver resolver(DefaultsFromFlags());
  Services services;
  services.engine = engine->get();
  services.resolver = &resolver;
  services.allow_commands = allow_commands;
  services.build = kBuildVersion;
  std::unique_ptr<LocalWorker> worker;
  if (absl::GetFlag(FLAGS_local_slots) > 0) {
    // Known from the first call on, though the worker attaches a moment later.
    for (const v1::TaskType& type : catalog.task_types()) {
      (*engine)->Announce(type);
    }
    services.local_attach.token = RandomToken();
    worker = StartLocalWorker(worker_binary, data_dir, allow_commands, rpc,
                              engine->get(), &services);
    (*engine)->set_kill_local_worker(
        [&worker](const SessionId&) { worker->Kill(); });
  }
  HandleSignals(rpc, [&worker, &event_log] {
    if (event_log != nullptr) {
      Log(LogSeverity::kInfo, "SIGHUP: the event log is opened again");
      event_log->Reopen();
    }
    if (worker == nullptr) {
      Log(LogSeverity::kInfo,
          "SIGHUP: there is no local worker whose catalog could be read again");
      return;
    }
    Log(LogSeverity::kInfo, "SIGHUP: the local worker reads its catalog again");
    worker->Reload();
  });
  if (absl::GetFlag(FLAGS_exit_on_stdin_eof)) StopAtEndOfStdin(rpc);
  if (worker != nullptr) services.drain = [&worker] { worker->Drain(); };
  // Tasks of the local worker end before the last turn, so that what became of
  // them is stored.
  services.before_stop = [&worker] {
    if (worker != nullptr) worker->Stop();
  };
  rpc->Run(&services, [&] { SayReady(rpc->addresses(), gateway->get()); });
  gateway->reset();
  engine->reset();
  Log(LogSeverity::kInfo, "stopped");
  return 0;
}

}  // namespace
}  // namespace vigil::coordinator

int main(int argc, char** argv) {
  // Debian's library looks for deadlocks at each lock of gRPC's.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  vigil::LogWhatProtobufSays();
  return vigil::coordinator::Main(argc, argv);
}
