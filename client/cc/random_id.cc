#include "client/cc/random_id.h"

#include <sys/random.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace vigil::client {
namespace {

uint64_t RandomBits() {
  uint64_t bits = 0;
  // Up to 256 bytes are never cut short once the system is seeded.
  VIGIL_CHECK(getrandom(&bits, sizeof(bits), 0) == sizeof(bits),
              "the system gives no random bits");
  return bits;
}

}  // namespace

std::string RandomId() {
  return absl::StrCat(absl::Hex(RandomBits(), absl::kZeroPad16),
                      absl::Hex(RandomBits(), absl::kZeroPad16));
}

double RandomFraction() {
  return static_cast<double>(RandomBits() >> 11) * 0x1.0p-53;
}

}  // namespace vigil::client
