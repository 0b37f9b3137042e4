#include "coordinator/store/power_cut_vfs.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace vigil::store {

// What SQLite holds of an open file; the real one's part lies behind it.
struct PowerCutVfs::File {
  sqlite3_file base;
  PowerCutVfs* vfs;
  // Null: a file whose events are not noted.
  const std::string* name;
  bool is_log;
  // The next sync makes its name durable.
  bool is_new;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

// What SQLite calls. All hand on to the real file system; those that change
// something note it.
struct PowerCutVfs::Methods {
  static PowerCutVfs* Self(sqlite3_vfs* vfs) {
    return static_cast<PowerCutVfs*>(vfs->pAppData);
  }
  static File* Self(sqlite3_file* file) {
    return reinterpret_cast<File*>(file);
  }
  static sqlite3_file* Real(sqlite3_file* file) { return Self(file)->real(); }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base,
                  int flags, int* out_flags) {
    PowerCutVfs* self = Self(vfs);
    File* file = new (base) File();
    const std::optional<std::string> name = self->NameOf(path);
    struct stat info;
    const bool existed = path != nullptr && stat(path, &info) == 0;
    const int code =
        self->real_->xOpen(self->real_, path, file->real(), flags, out_flags);
    if (code != SQLITE_OK) {
      file->base.pMethods = nullptr;
      return code;
    }
    file->base.pMethods = &kFile;
    file->vfs = self;
    if (!name.has_value()) return code;
    self->NoteOpened(*name);
    file->name = new std::string(*name);
    file->is_log = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    file->is_new = file->is_log && !existed;
    return code;
  }
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    PowerCutVfs* self = Self(vfs);
    struct stat info;
    const std::optional<std::string> name = self->NameOf(path);
    const bool existed = stat(path, &info) == 0;
    const int code = self->real_->xDelete(self->real_, path, 0);
    if (code != SQLITE_OK || !name.has_value() || !existed) return code;
    self->names_.erase(info.st_ino);
    self->Note(DiskEvent::Kind::kRemove, *name);
    if (sync_directory != 0) self->Note(DiskEvent::Kind::kSyncDirectory, "");
    return code;
  }
  static int Access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
    return Self(vfs)->real_->xAccess(Self(vfs)->real_, path, flags, out);
  }
  static int FullPathname(sqlite3_vfs* vfs, const char* path, int size,
                          char* out) {
    return Self(vfs)->real_->xFullPathname(Self(vfs)->real_, path, size, out);
  }

  static int Close(sqlite3_file* file) {
    delete Self(file)->name;
    return Real(file)->pMethods->xClose(Real(file));
  }
  static int Read(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
    return Real(file)->pMethods->xRead(Real(file), data, size, at);
  }
  static int Write(sqlite3_file* file, const void* data, int size,
                   sqlite3_int64 at) {
    File* self = Self(file);
    if (self->name != nullptr &&
        (IsUsedUp(self->vfs->writes_left_) ||
         (self->is_log && IsUsedUp(self->vfs->log_writes_left_)))) {
      errno = ENOSPC;
      return SQLITE_FULL;
    }
    const int code = Real(file)->pMethods->xWrite(Real(file), data, size, at);
    if (code != SQLITE_OK || self->name == nullptr) return code;
    self->vfs->Note(DiskEvent::Kind::kWrite, *self->name);
    self->vfs->events_.back().offset = at;
    self->vfs->events_.back().data.assign(static_cast<const char*>(data),
                                          static_cast<size_t>(size));
    return code;
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    File* self = Self(file);
    const int code = Real(file)->pMethods->xTruncate(Real(file), size);
    if (code != SQLITE_OK || self->name == nullptr) return code;
    self->vfs->Note(DiskEvent::Kind::kTruncate, *self->name);
    self->vfs->events_.back().offset = size;
    return code;
  }
  static int Sync(sqlite3_file* file, int) {
    File* self = Self(file);
    if (self->name == nullptr) return SQLITE_OK;
    self->vfs->Note(DiskEvent::Kind::kSync, *self->name);
    if (std::exchange(self->is_new, false)) {
      self->vfs->Note(DiskEvent::Kind::kSyncDirectory, "");
    }
    return SQLITE_OK;
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return Real(file)->pMethods->xFileSize(Real(file), size);
  }
  static int Lock(sqlite3_file* file, int lock) {
    return Real(file)->pMethods->xLock(Real(file), lock);
  }
  static int Unlock(sqlite3_file* file, int lock) {
    return Real(file)->pMethods->xUnlock(Real(file), lock);
  }
  static int CheckReservedLock(sqlite3_file* file, int* out) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), out);
  }
  static int FileControl(sqlite3_file* file, int operation, void* argument) {
    return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
  }
  static int SectorSize(sqlite3_file* file) {
    return Real(file)->pMethods->xSectorSize(Real(file));
  }
  static int DeviceCharacteristics(sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  }
  static int ShmMap(sqlite3_file* file, int region, int size, int extend,
                    void volatile** out) {
    if (extend != 0 && Self(file)->name != nullptr &&
        Self(file)->vfs->index_full_) {
      errno = ENOSPC;
      return SQLITE_IOERR_SHMSIZE;
    }
    return Real(file)->pMethods->xShmMap(Real(file), region, size, extend, out);
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) {
    Real(file)->pMethods->xShmBarrier(Real(file));
  }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return Real(file)->pMethods->xShmUnmap(Real(file), remove);
  }

  // Version 2: without mapped reads, which the store does not use.
  static constexpr sqlite3_io_methods kFile = {2,
                                               &Close,
                                               &Read,
                                               &Write,
                                               &Truncate,
                                               &Sync,
                                               &FileSize,
                                               &Lock,
                                               &Unlock,
                                               &CheckReservedLock,
                                               &FileControl,
                                               &SectorSize,
                                               &DeviceCharacteristics,
                                               &ShmMap,
                                               &ShmLock,
                                               &ShmBarrier,
                                               &ShmUnmap,
                                               nullptr,
                                               nullptr};
};

PowerCutVfs::PowerCutVfs(const std::string& directory)
    : directory_(std::filesystem::canonical(directory).string()),
      real_(sqlite3_vfs_find(nullptr)),
      vfs_(*real_) {
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    NoteOpened(entry.path().filename().string());
  }
  vfs_.pNext = nullptr;
  vfs_.zName = "power_cut";
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  vfs_.xOpen = &Methods::Open;
  vfs_.xDelete = &Methods::Delete;
  vfs_.xAccess = &Methods::Access;
  vfs_.xFullPathname = &Methods::FullPathname;
  VIGIL_CHECK(sqlite3_vfs_register(&vfs_, 1) == SQLITE_OK, "register");
}

PowerCutVfs::~PowerCutVfs() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(real_, 1);
}

void PowerCutVfs::Mark(size_t state_min, size_t state_max) {
  Note(DiskEvent::Kind::kMark, "");
  events_.back().state_min = state_min;
  events_.back().state_max = state_max;
}

std::optional<std::string> PowerCutVfs::NameOf(const char* path) const {
  if (path == nullptr) return std::nullopt;
  const std::filesystem::path full(path);
  if (full.parent_path() != directory_) return std::nullopt;
  return full.filename().string();
}

void PowerCutVfs::Note(DiskEvent::Kind kind, const std::string& file) {
  DiskEvent event;
  event.kind = kind;
  event.file = file;
  events_.push_back(std::move(event));
}

void PowerCutVfs::NoteContent(const std::string& file) {
  std::ifstream content(absl::StrCat(directory_, "/", file), std::ios::binary);
  std::string data(std::istreambuf_iterator<char>(content), {});
  if (data.empty()) return;
  Note(DiskEvent::Kind::kWrite, file);
  events_.back().data = std::move(data);
  Note(DiskEvent::Kind::kSync, file);
  Note(DiskEvent::Kind::kSyncDirectory, "");
}

void PowerCutVfs::NoteOpened(const std::string& file) {
  if (absl::EndsWith(file, "-shm")) return;
  struct stat info;
  const std::string path = absl::StrCat(directory_, "/", file);
  VIGIL_CHECK(stat(path.c_str(), &info) == 0, path);
  const auto [known, is_new] = names_.try_emplace(info.st_ino, file);
  if (is_new) {
    Note(DiskEvent::Kind::kCreate, file);
    NoteContent(file);
  } else if (known->second != file) {
    Note(DiskEvent::Kind::kRename, known->second);
    events_.back().new_name = file;
    Note(DiskEvent::Kind::kSyncDirectory, "");
    known->second = file;
  }
}

}  // namespace vigil::store
