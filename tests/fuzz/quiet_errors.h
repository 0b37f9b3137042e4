// QuietErrors: has textproto that does not parse pass without a word. Owns
// nothing; thread-compatible.
#ifndef VIGIL_TESTS_FUZZ_QUIET_ERRORS_H_
#define VIGIL_TESTS_FUZZ_QUIET_ERRORS_H_

#include <string>

#include "google/protobuf/io/tokenizer.h"

namespace vigil::fuzz {

class QuietErrors : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};

}  // namespace vigil::fuzz

#endif  // VIGIL_TESTS_FUZZ_QUIET_ERRORS_H_
