#include "client/cli/command/golden.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

constexpr char kTestData[] = "client/cli/command/testdata/";

constexpr char kHowToUpdate[] =
    "\nIf that is what it should say: UPDATE_GOLDENS=1 bazel run ";

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string ReadTestData(const std::string& name) {
  std::ifstream file(absl::StrCat(kTestData, name), std::ios::binary);
  EXPECT_TRUE(file.good()) << "no file " << kTestData << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void ExpectGolden(const std::string& name, absl::string_view text) {
  if (!Variable("UPDATE_GOLDENS").empty()) {
    // Set by `bazel run`.
    std::ofstream file(absl::StrCat(Variable("BUILD_WORKSPACE_DIRECTORY"), "/",
                                    kTestData, name),
                       std::ios::binary);
    file << text;
    EXPECT_TRUE(file.flush().good()) << "cannot write " << name;
    return;
  }
  // Texts of several lines are compared line by line.
  EXPECT_EQ(ReadTestData(name), std::string(text))
      << kTestData << name << kHowToUpdate << Variable("TEST_TARGET");
}

}  // namespace vigil::cli
