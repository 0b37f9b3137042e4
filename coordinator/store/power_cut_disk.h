// PowerCutDisk: what a disk holds of a directory, and what a power cut may
// leave of it: what was synced, and of what was written since then nothing,
// all, or any part, sector by sector. Pure memory. Thread-compatible; owns all
// bytes.
//
// A sector holds what it held before or what was written to it, never garbage,
// and bytes outside of a write keep their value (SQLite calls this powersafe
// overwrite and takes it for granted by default). Each change of the directory
// is there or not. Sectors and changes may get there in any order.
#ifndef VIGIL_COORDINATOR_STORE_POWER_CUT_DISK_H_
#define VIGIL_COORDINATOR_STORE_POWER_CUT_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "coordinator/store/power_cut_vfs.h"

namespace vigil::store {

class PowerCutDisk {
 public:
  // File names and what is in them.
  using Image = std::map<std::string, std::string>;

  // Takes the next event in order.
  void Apply(const DiskEvent& event);

  // What is left if the power fails now: nothing of what was not synced, all
  // of it, or a random part, which is the same for the same `seed`.
  Image Nothing() const;
  Image All() const;
  Image Torn(uint64_t seed, int64_t sector_bytes) const;

 private:
  struct Node {
    std::string synced;
    // Writes and truncations since the last sync.
    std::vector<const DiskEvent*> pending;
  };
  using Directory = std::map<std::string, std::shared_ptr<Node>>;
  // A change of the directory: `from` loses its name, `to` gets the file.
  struct Change {
    std::string from;
    std::string to;
    std::shared_ptr<Node> node;
  };

  static void ApplyChange(const Change& change, Directory& directory);
  static void ApplyWrite(const DiskEvent& event, std::string& content);
  void AddChange(Change change);

  Directory now_;
  Directory durable_;
  // What turns `durable_` into `now_`.
  std::vector<Change> changes_;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_POWER_CUT_DISK_H_
