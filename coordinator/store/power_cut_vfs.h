// PowerCutVfs: SQLite's file system for tests of power cuts. While it lives it
// is the default one, does what the real one does except that nothing is ever
// synced, and notes in order what a disk under one directory would have been
// told. Thread-compatible, one at a time; owns the notes, and must outlive
// every connection opened while it lived.
//
// What it takes for granted of the real one (os_unix.c): the first sync of a
// log or journal that it created makes the file's name durable, too; so does a
// removal with a sync of the directory. What store_file.cc does without SQLite
// it recognises when SQLite next opens the file, by its inode: a file renamed
// since then was renamed, and its directory synced, before that.
#ifndef VIGIL_COORDINATOR_STORE_POWER_CUT_VFS_H_
#define VIGIL_COORDINATOR_STORE_POWER_CUT_VFS_H_

#include <sqlite3.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vigil::store {

// One thing that happened to the disk, or in the test.
struct DiskEvent {
  enum class Kind {
    kCreate,
    kWrite,
    kTruncate,
    kSync,
    kRemove,
    kRename,
    kSyncDirectory,
    // From here on one of the states from `state_min` to `state_max` must be
    // found after a cut; not an event of the disk.
    kMark,
  };

  Kind kind;
  // Without its directory.
  std::string file;
  // kRename: the new name.
  std::string new_name;
  // kWrite: where; kTruncate: the new size.
  int64_t offset = 0;
  std::string data;
  size_t state_min = 0;
  size_t state_max = 0;
};

class PowerCutVfs {
 public:
  // Notes what happens to the files in `directory`. Those that are there are
  // taken for durable.
  explicit PowerCutVfs(const std::string& directory);
  PowerCutVfs(const PowerCutVfs&) = delete;
  PowerCutVfs& operator=(const PowerCutVfs&) = delete;
  ~PowerCutVfs();

  // Notes what must be found after a cut from here on; see DiskEvent.
  void Mark(size_t state_min, size_t state_max);

  // Lets the disk be full once `writes` more writes were done, to any file or
  // to logs and journals.
  void SetWritesLeft(std::optional<int64_t> writes) { writes_left_ = writes; }
  void SetLogWritesLeft(std::optional<int64_t> writes) {
    log_writes_left_ = writes;
  }
  // Lets the index of the log not grow for want of room.
  void SetIndexFull(bool full) { index_full_ = full; }

  // What was there at first, as files created, written and synced, and then
  // what happened.
  const std::vector<DiskEvent>& events() const { return events_; }

 private:
  struct Methods;
  struct File;

  // The name of `path` within the directory; nothing for files elsewhere and
  // for the index of the log, which is memory.
  std::optional<std::string> NameOf(const char* path) const;
  void Note(DiskEvent::Kind kind, const std::string& file);
  void NoteContent(const std::string& file);
  // Counts a write; true when the disk is full.
  static bool IsUsedUp(std::optional<int64_t>& writes_left) {
    return writes_left.has_value() && --*writes_left < 0;
  }
  // Notes what became of a file since it was last seen.
  void NoteOpened(const std::string& file);

  const std::string directory_;
  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_;
  std::vector<DiskEvent> events_;
  std::map<ino_t, std::string> names_;
  std::optional<int64_t> writes_left_;
  std::optional<int64_t> log_writes_left_;
  bool index_full_ = false;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_POWER_CUT_VFS_H_
