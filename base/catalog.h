// LoadCatalog: the task types of a worker, read from a file and checked before
// anything runs. Blocks for the file; thread-safe. The result owns all it
// holds.
#ifndef VIGIL_BASE_CATALOG_H_
#define VIGIL_BASE_CATALOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vigil/v1/catalog.pb.h"

namespace vigil {

// Largest catalog file, in bytes: 256 task types of generous size.
inline constexpr size_t kCatalogBytesMax = 4 << 20;

// Reads a vigil.v1.Catalog from `path`: JSON if its name ends in .json, else
// textproto. In the result programs (those of warm-ups too) that start with
// `./`, arguments `{catalog_dir}/x` and relative working directories are
// absolute: they are taken beside the file. An empty path gives an empty
// catalog.
//
// - NOT_FOUND, PERMISSION_DENIED and others of the system: the file cannot be
//   read.
// - INVALID_ARGUMENT: it does not parse, or breaks a bound of catalog.proto.
//   The message names file, line (textproto) and field.
absl::StatusOr<v1::Catalog> LoadCatalog(const std::string& path);

// As LoadCatalog, of `text`. `path` is where it comes from.
absl::StatusOr<v1::Catalog> ParseCatalog(const std::string& path,
                                         const std::string& text);

}  // namespace vigil

#endif  // VIGIL_BASE_CATALOG_H_
