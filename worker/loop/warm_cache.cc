#include "worker/loop/warm_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"

namespace vigil::worker {
namespace {

constexpr char kData[] = "/data";
constexpr char kDefinition[] = "/definition";
// No name of a task type has such a character.
constexpr char kPartial[] = "~partial-";
constexpr char kOld[] = "~old-";

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, path);
}

// What a cache depends on, as bytes.
std::string DefinitionOf(const v1::TaskType& type) {
  v1::TaskType definition;
  *definition.mutable_warm_up()->mutable_argv() = type.warm_up().argv();
  if (type.warm_up().argv().empty()) *definition.mutable_argv() = type.argv();
  return definition.SerializeAsString();
}

// Where the directory lies that holds `data`.
std::string HolderOf(const std::string& data) {
  return data.substr(0, data.size() - (sizeof(kData) - 1));
}

}  // namespace

std::string WarmCache::PlaceOf(const std::string& type) const {
  return absl::StrCat(root_, "/", type);
}

std::string WarmCache::DataPath(const std::string& type) const {
  return PlaceOf(type) + kData;
}

void WarmCache::Sweep() const {
  std::error_code error;
  std::filesystem::directory_iterator entries(root_, error);
  if (error) return;  // there is none yet
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename();
    if (absl::StrContains(name, kPartial) || absl::StrContains(name, kOld)) {
      std::filesystem::remove_all(entry.path(), error);
    }
  }
}

bool WarmCache::IsReady(const v1::TaskType& type) const {
  std::ifstream file(PlaceOf(type.name()) + kDefinition, std::ios::binary);
  const std::string definition(std::istreambuf_iterator<char>(file), {});
  return file.is_open() && definition == DefinitionOf(type);
}

absl::StatusOr<std::string> WarmCache::Begin(const std::string& type) {
  absl::Status made = MakeDirectory(root_);
  if (!made.ok()) return made;
  // A name that is taken was left by an earlier worker and is being swept.
  std::string holder;
  do {
    holder = absl::StrCat(PlaceOf(type), kPartial, ++last_number_);
  } while (access(holder.c_str(), F_OK) == 0);
  made = MakeDirectory(holder);
  if (made.ok()) made = MakeDirectory(holder + kData);
  if (!made.ok()) return made;
  return holder + kData;
}

absl::Status WarmCache::Publish(const v1::TaskType& type,
                                const std::string& data) const {
  const std::string holder = HolderOf(data);
  std::ofstream file(holder + kDefinition, std::ios::binary);
  file << DefinitionOf(type);
  file.close();
  if (!file) return absl::ErrnoToStatus(errno, holder + kDefinition);
  // Everything is on the disk before the name says that it is complete.
  const UniqueFd directory(
      open(holder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || syncfs(directory.get()) != 0) {
    return absl::ErrnoToStatus(errno, holder);
  }
  // Of an earlier definition.
  std::error_code error;
  std::filesystem::remove_all(PlaceOf(type.name()), error);
  if (rename(holder.c_str(), PlaceOf(type.name()).c_str()) != 0) {
    return absl::ErrnoToStatus(errno, PlaceOf(type.name()));
  }
  return absl::OkStatus();
}

void WarmCache::Discard(const std::string& data) const {
  std::error_code error;
  // What is left is swept at the next start.
  std::filesystem::remove_all(HolderOf(data), error);
}

absl::StatusOr<std::string> WarmCache::Unlink(const std::string& type) {
  std::string old;
  do {
    old = absl::StrCat(PlaceOf(type), kOld, ++last_number_);
  } while (access(old.c_str(), F_OK) == 0);
  if (rename(PlaceOf(type).c_str(), old.c_str()) == 0) return old;
  if (errno == ENOENT) return "";
  return absl::ErrnoToStatus(errno, PlaceOf(type));
}

absl::Status WarmCache::Remove(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? absl::ErrnoToStatus(error.value(), path) : absl::OkStatus();
}

}  // namespace vigil::worker
