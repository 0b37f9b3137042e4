#include "client/cli/command/request_size.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "client/cli/limits.h"

namespace vigil::cli {

absl::Status CheckRequestSize(const google::protobuf::Message& request) {
  const size_t bytes = request.ByteSizeLong();
  if (bytes <= kRequestBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the request has ", bytes, " bytes, and ", kRequestBytesMax,
      " are the most that a message may have; give the task the name of a file "
      "instead"));
}

}  // namespace vigil::cli
