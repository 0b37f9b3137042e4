#include "client/cc/method_path.h"

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace vigil::client {

std::string MethodPath(const google::protobuf::Descriptor& request) {
  const google::protobuf::FileDescriptor& file = *request.file();
  for (int i = 0; i < file.service_count(); ++i) {
    const google::protobuf::ServiceDescriptor& service = *file.service(i);
    for (int j = 0; j < service.method_count(); ++j) {
      if (service.method(j)->input_type() != &request) continue;
      return absl::StrCat("/", service.full_name(), "/",
                          service.method(j)->name());
    }
  }
  VIGIL_CHECK(false, "no method takes " + request.full_name());
  return "";
}

}  // namespace vigil::client
