// Problems: what is wrong with the protos of a command line, each with file and
// line, so that a build tells all of it at once. Thread-compatible; owns its
// texts.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_PROBLEMS_H_
#define VIGIL_CLIENT_CLI_GENERATOR_PROBLEMS_H_

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

// "vigil/v1/job.proto:12", or without a line where it is not known.
template <typename Descriptor>
std::string Place(const Descriptor& element) {
  google::protobuf::SourceLocation location;
  if (!element.GetSourceLocation(&location)) {
    return element.file()->name();
  }
  return absl::StrCat(element.file()->name(), ":", location.start_line + 1);
}

class Problems {
 public:
  // Adds one of an element, unless it is known: two methods may share a
  // message.
  template <typename Descriptor>
  void Add(const Descriptor& element, absl::string_view text) {
    std::string line =
        absl::StrCat(Place(element), ": ", element.full_name(), ": ", text);
    if (!absl::c_linear_search(lines_, line)) {
      lines_.push_back(std::move(line));
    }
  }

  bool empty() const { return lines_.empty(); }

  // One line each.
  std::string Text() const { return absl::StrJoin(lines_, "\n"); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_PROBLEMS_H_
