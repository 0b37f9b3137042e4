// The worker: runs the tasks of one coordinator in its slots. Flags say where
// the coordinator is and what may run; everything else it is told.
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/build_version.h"
#include "base/catalog.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/dir_lock.h"
#include "base/log.h"
#include "base/task_token.h"
#include "base/unique_fd.h"
#include "worker/core/limits.h"
#include "worker/loop/limits.h"
#include "worker/loop/worker_loop.h"
#include "worker/slot/record.h"
#include "worker/stream/grpc_dispatch_stream.h"
#include "worker/sweep/predecessors.h"

ABSL_FLAG(std::string, coordinator, "",
          "Where the coordinator listens: unix:/path or host:port. Required.");
ABSL_FLAG(
    std::string, data_dir, "",
    "A directory of this worker's own, locked while it runs; its identity "
    "and its tasks' working directories are kept there. Required.");
ABSL_FLAG(int, slots, -1,
          "Tasks it runs at one time, 0 to 1024. Default: one for each "
          "processor.");
ABSL_FLAG(std::string, catalog, "",
          "File with the task types it offers, textproto or .json. Default: "
          "none.");
ABSL_FLAG(absl::Duration, drain_grace, vigil::worker::kDrainGrace,
          "How long what runs may take to end after SIGTERM, and when the "
          "coordinator drains this worker without saying how long; 0 to 24h. "
          "What still runs then is stopped, and tried again elsewhere.");
ABSL_FLAG(bool, allow_commands, false,
          "Run commands that are given with a job.");
ABSL_FLAG(bool, insecure, false,
          "Connect over TCP beyond this machine, without encryption.");
ABSL_FLAG(std::string, slot_binary, "",
          "The slot's program. Default: vigil-slot or slot/slot beside this "
          "one.");
ABSL_FLAG(int, local_token_fd, -1,
          "For workers started by a coordinator: descriptor to read its token "
          "from.");
ABSL_FLAG(int, parent_fd, -1,
          "For workers started by a coordinator: descriptor whose end of file "
          "ends this worker and its tasks.");

namespace vigil::worker {
namespace {

// An id: 128 random bits in hexadecimal.
constexpr size_t kIdBytes = 16;
// A token, in bytes: more than any coordinator makes.
constexpr size_t kTokenBytesMax = 4096;

// Exit status for flags that make no sense, and for what the machine refuses,
// from sysexits.h.
constexpr int kExitUsage = 64;
constexpr int kExitOsError = 71;

std::string RandomId() {
  std::array<char, kIdBytes> bytes;
  const ssize_t size = getrandom(bytes.data(), bytes.size(), 0);
  VIGIL_CHECK(size == static_cast<ssize_t>(bytes.size()), "getrandom");
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

// Reads what `fd` has until its end, at most `bytes_max`.
absl::StatusOr<std::string> ReadAll(int fd, size_t bytes_max) {
  std::string text;
  std::array<char, 1024> buffer;
  while (text.size() < bytes_max) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, "read");
    if (size == 0) break;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  return std::string(absl::StripAsciiWhitespace(text));
}

absl::StatusOr<std::string> ReadLine(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, path);
  return ReadAll(fd.get(), kTokenBytesMax);
}

// The id kept in `directory`; a new one the first time.
absl::StatusOr<std::string> WorkerIdIn(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/worker_id");
  absl::StatusOr<std::string> kept = ReadLine(path);
  if (kept.ok() && kept->size() == 2 * kIdBytes) return kept;
  if (!kept.ok() && !absl::IsNotFound(kept.status())) return kept;
  const std::string id = RandomId();
  const std::string line = absl::StrCat(id, "\n");
  // Renamed into place, so that a crash leaves the whole or nothing.
  const std::string temporary = absl::StrCat(path, ".new");
  const UniqueFd fd(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid() ||
      write(fd.get(), line.data(), line.size()) !=
          static_cast<ssize_t>(line.size()) ||
      fsync(fd.get()) != 0 || rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return id;
}

// Where this program's file lies.
absl::StatusOr<std::string> OwnDirectory() {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (size <= 0) return absl::ErrnoToStatus(errno, "/proc/self/exe");
  const std::string self(buffer.data(), static_cast<size_t>(size));
  return self.substr(0, self.rfind('/'));
}

// `slot/slot` as Bazel lays it out, `vigil-slot` as it is installed.
absl::StatusOr<std::string> FindSlotBinary() {
  std::string given = absl::GetFlag(FLAGS_slot_binary);
  if (!given.empty()) return given;
  absl::StatusOr<std::string> directory = OwnDirectory();
  if (!directory.ok()) return directory;
  for (const char* name : {"vigil-slot", "slot/slot"}) {
    const std::string path = absl::StrCat(*directory, "/", name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return absl::NotFoundError(absl::StrCat(
      "no vigil-slot in ", *directory, "; say where it is by --slot_binary"));
}

// Where Vigil's sitecustomize.py lies: `python` as Bazel lays it out,
// `../share/vigil/python` as it is installed. Empty: nowhere; Python's pools
// are then refused under SEQUENTIAL, and do not run in sequence.
std::string FindPythonDirectory() {
  const absl::StatusOr<std::string> directory = OwnDirectory();
  if (!directory.ok()) return "";
  for (const char* name : {"python", "../share/vigil/python"}) {
    const std::string path = absl::StrCat(*directory, "/", name);
    if (access(absl::StrCat(path, "/sitecustomize.py").c_str(), R_OK) == 0) {
      return path;
    }
  }
  Log(LogSeverity::kWarning,
      absl::StrCat("no python/sitecustomize.py in ", *directory,
                   ": pools of Python tasks cannot run in sequence, and "
                   "their stacks cannot be dumped"));
  return "";
}

// The processors that this process, and so its tasks, may use.
int UsableProcessors() {
  cpu_set_t set;
  // Fails where there are more processors than the set holds.
  const int usable =
      sched_getaffinity(0, sizeof(set), &set) == 0
          ? CPU_COUNT(&set)
          : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(usable, 1);
}

bool IsLoopback(absl::string_view address) {
  absl::string_view host = address.substr(0, address.rfind(':'));
  return host == "localhost" || host == "[::1]" ||
         absl::StartsWith(host, "127.");
}

absl::Status CheckAddress(absl::string_view address) {
  if (address.empty()) {
    return absl::InvalidArgumentError("--coordinator is required");
  }
  if (absl::StartsWith(address, "unix:")) return absl::OkStatus();
  if (!absl::StrContains(address, ':')) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--coordinator=", address, ": must be unix:/path or host:port"));
  }
  if (IsLoopback(address) || absl::GetFlag(FLAGS_insecure)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--coordinator=", address,
      " is not on this machine, and the connection is not encrypted: use a "
      "tunnel, or say --insecure"));
}

absl::StatusOr<int> SlotsFlag() {
  const int given = absl::GetFlag(FLAGS_slots);
  if (given == -1) {
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1,
                      kSlotsMax);
  }
  if (given < 0 || given > kSlotsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("--slots=", given, ": must be 0 to ", kSlotsMax));
  }
  return given;
}

// What flags and machine say; data directory and identity come later.
absl::StatusOr<WorkerOptions> OptionsFromFlags() {
  absl::Status address = CheckAddress(absl::GetFlag(FLAGS_coordinator));
  if (!address.ok()) return address;
  if (absl::GetFlag(FLAGS_data_dir).empty()) {
    return absl::InvalidArgumentError("--data_dir is required");
  }
  WorkerOptions options;
  absl::StatusOr<int> slots = SlotsFlag();
  if (!slots.ok()) return slots.status();
  options.slots = *slots;
  options.drain_grace = absl::GetFlag(FLAGS_drain_grace);
  if (options.drain_grace < absl::ZeroDuration() ||
      options.drain_grace > kDrainGraceMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--drain_grace=", absl::FormatDuration(options.drain_grace),
        ": must be 0 to ", absl::FormatDuration(kDrainGraceMax)));
  }
  absl::StatusOr<v1::Catalog> catalog =
      LoadCatalog(absl::GetFlag(FLAGS_catalog));
  if (!catalog.ok()) return catalog.status();
  options.catalog = *std::move(catalog);
  if (const std::string path = absl::GetFlag(FLAGS_catalog); !path.empty()) {
    options.reload_catalog = [path] { return LoadCatalog(path); };
  }
  options.allow_commands = absl::GetFlag(FLAGS_allow_commands);
  absl::StatusOr<std::string> slot_binary = FindSlotBinary();
  if (!slot_binary.ok()) return slot_binary.status();
  options.slot_binary = *std::move(slot_binary);
  options.python_dir = FindPythonDirectory();
  options.processors = UsableProcessors();
  if (const int fd = absl::GetFlag(FLAGS_local_token_fd); fd >= 0) {
    absl::StatusOr<std::string> token = ReadAll(fd, kTokenBytesMax);
    if (!token.ok()) return token.status();
    close(fd);
    options.local_token = *std::move(token);
  }
  if (const int fd = absl::GetFlag(FLAGS_parent_fd); fd >= 0) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return absl::ErrnoToStatus(errno, "--parent_fd");
    }
    options.parent_fd.Reset(fd);
  }
  options.reconnect_max =
      absl::StartsWith(absl::GetFlag(FLAGS_coordinator), "unix:")
          ? kReconnectMaxUnix
          : kReconnectMaxTcp;
  options.build = kBuildVersion;
  std::array<char, HOST_NAME_MAX + 1> hostname = {};
  gethostname(hostname.data(), hostname.size() - 1);
  options.hostname = hostname.data();
  options.host = slot::ReadHostIdentity();
  options.boot_id = options.host.boot_id;
  options.new_id = RandomId;
  return options;
}

// Whether everything that earlier lives of this worker started is dead.
bool AllPredecessorsDead(const WorkerOptions& worker) {
  sweep::PredecessorOptions options;
  options.directory = absl::StrCat(worker.data_dir, "/slots");
  options.here = worker.host;
  options.worker_id = worker.worker_id;
  options.self = getpid();
  options.now = Clock().Now();
  return sweep::SweepPredecessors(options, sweep::RealSystem());
}

int Fail(const absl::Status& status) {
  Log(LogSeverity::kError, status.message());
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitOsError;
}

int Main() {
  const char* task = std::getenv(kTaskTokenVariable);
  if (task != nullptr && task[0] != '\0') {
    return Fail(
        absl::InvalidArgumentError(NestedStartMessage(task, "a worker")));
  }
  absl::StatusOr<WorkerOptions> options = OptionsFromFlags();
  if (!options.ok()) return Fail(options.status());
  absl::StatusOr<DirLock> lock =
      DirLock::Acquire(absl::GetFlag(FLAGS_data_dir));
  if (!lock.ok()) return Fail(lock.status());
  std::array<char, PATH_MAX> real;
  if (realpath(lock->directory().c_str(), real.data()) == nullptr) {
    return Fail(absl::ErrnoToStatus(errno, lock->directory()));
  }
  options->data_dir = real.data();
  absl::StatusOr<std::string> id = WorkerIdIn(options->data_dir);
  if (!id.ok()) return Fail(id.status());
  options->worker_id = *std::move(id);
  options->predecessors_dead = AllPredecessorsDead(*options);
  absl::BitGen random;
  options->random = [&random] { return absl::Uniform(random, 0.0, 1.0); };

  WorkerLoop::BlockSignals();
  auto stream = GrpcDispatchStream::Create(absl::GetFlag(FLAGS_coordinator));
  if (!stream.ok()) return Fail(stream.status());
  Log(LogSeverity::kInfo,
      absl::StrCat("worker ", options->worker_id, " with ", options->slots,
                   " slots, coordinator ", absl::GetFlag(FLAGS_coordinator)));
  auto loop = WorkerLoop::Create(*std::move(options), stream->get());
  if (!loop.ok()) return Fail(loop.status());
  const WorkerExit status = (*loop)->Run();
  Log(LogSeverity::kInfo, "ends");
  return static_cast<int>(status);
}

}  // namespace
}  // namespace vigil::worker

int main(int argc, char** argv) {
  // Debian's library looks for deadlocks at each lock of gRPC's.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::SetProgramUsageMessage(
      "Runs the tasks of a Vigil coordinator.\n"
      "worker --coordinator=unix:/path --data_dir=/path [--slots=N] "
      "[--catalog=FILE] [--allow_commands]");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    std::fprintf(stderr, "unexpected argument: %s\n", rest[1]);
    return 64;
  }
  return vigil::worker::Main();
}
