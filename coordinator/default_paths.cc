#include "coordinator/default_paths.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace vigil::coordinator {
namespace {

// An absolute path of the environment; others are to be ignored, says the XDG
// base directory specification.
std::string AbsoluteFromEnv(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] == '/' ? value : "";
}

}  // namespace

absl::StatusOr<DefaultPaths> FindDefaultPaths() {
  DefaultPaths paths;
  const std::string fallback = absl::StrCat("/tmp/vigil-", geteuid());
  const std::string runtime = AbsoluteFromEnv("XDG_RUNTIME_DIR");
  paths.socket = absl::StrCat(runtime.empty() ? fallback : runtime + "/vigil",
                              "/vigil.sock");
  const std::string state = AbsoluteFromEnv("XDG_STATE_HOME");
  const std::string home = AbsoluteFromEnv("HOME");
  if (!state.empty()) {
    paths.data_dir = state + "/vigil";
  } else if (!home.empty()) {
    paths.data_dir = home + "/.local/state/vigil";
  } else {
    paths.data_dir = fallback + "/state";
  }
  std::error_code error;
  const std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("/proc/self/exe cannot be read: ", error.message()));
  }
  for (const char* beside : {"vigil-worker", "../worker/worker"}) {
    const std::filesystem::path candidate = self.parent_path() / beside;
    if (access(candidate.c_str(), X_OK) == 0) {
      paths.worker_binary = candidate.lexically_normal();
      break;
    }
  }
  return paths;
}

std::string DatabasePath(const std::string& data_dir) {
  return data_dir + "/jobs.db";
}

}  // namespace vigil::coordinator
