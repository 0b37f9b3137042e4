// WarmCache: the cache directories that warm-ups fill, below `cache` of the
// worker's data directory. A cache is filled beside its place and renamed to it
// when it is complete and on the disk; a directory in its place is complete.
// Loop thread only, but for what takes long, which is const and runs on any
// thread. Owns nothing but names.
//
//   cache/NAME/data         what tasks see in VIGIL_CACHE_DIR
//   cache/NAME/definition   of the warm-up that filled it
//   cache/NAME~partial-N    being filled; swept when the worker starts
//   cache/NAME~old-N        being removed
#ifndef VIGIL_WORKER_LOOP_WARM_CACHE_H_
#define VIGIL_WORKER_LOOP_WARM_CACHE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vigil/v1/catalog.pb.h"

namespace vigil::worker {

class WarmCache {
 public:
  // `root` is absolute; it is made when it is needed.
  explicit WarmCache(std::string root) : root_(std::move(root)) {}

  // Removes what interrupted warm-ups and removals left. Takes long.
  void Sweep() const;

  // Whether the cache of `type` is there, filled by the same warm-up.
  bool IsReady(const v1::TaskType& type) const;
  // Where tasks of the type find it.
  std::string DataPath(const std::string& type) const;

  // Makes an empty directory to be filled, beside the place of the cache of
  // `type`, and returns its path. Fails with what errno says.
  absl::StatusOr<std::string> Begin(const std::string& type);
  // Puts what was filled at `data`, which Begin returned, in its place. Takes
  // long. Fails with what errno says; then nothing is in its place.
  absl::Status Publish(const v1::TaskType& type, const std::string& data) const;
  // Removes it. Takes long.
  void Discard(const std::string& data) const;

  // Moves the cache of `type` out of its place at once and returns where to;
  // empty if there is none. Fails with what errno says.
  absl::StatusOr<std::string> Unlink(const std::string& type);
  // Removes what Unlink returned. Takes long. Fails with what errno says.
  static absl::Status Remove(const std::string& path);

 private:
  std::string PlaceOf(const std::string& type) const;

  const std::string root_;
  int64_t last_number_ = 0;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_WARM_CACHE_H_
