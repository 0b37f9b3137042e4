// ReadSmallFile: files that a system writes, of /proc and its like, which have
// a few lines and no size. Blocks only for them; thread-safe. Owns nothing.
#ifndef VIGIL_BASE_SMALL_FILE_H_
#define VIGIL_BASE_SMALL_FILE_H_

#include <string>

namespace vigil {

// The first 4 KiB of `path`, read at once; empty when it is gone or cannot be
// read.
std::string ReadSmallFile(const std::string& path);

}  // namespace vigil

#endif  // VIGIL_BASE_SMALL_FILE_H_
