// TestDir: a directory with a short name, for tests that make sockets: those
// of Bazel's own directories are too long. Thread-compatible. Owns the
// directory and removes it with all it holds.
#ifndef VIGIL_CLIENT_CC_TEST_DIR_H_
#define VIGIL_CLIENT_CC_TEST_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "base/check.h"

namespace vigil::client {

class TestDir {
 public:
  TestDir() : path_("/tmp/vigil-test-XXXXXX") {
    VIGIL_CHECK(mkdtemp(path_.data()) != nullptr, "/tmp cannot be written");
  }
  TestDir(const TestDir&) = delete;
  TestDir& operator=(const TestDir&) = delete;
  ~TestDir() {
    std::error_code error;  // A test's leftovers in /tmp are no failure of it.
    std::filesystem::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_TEST_DIR_H_
