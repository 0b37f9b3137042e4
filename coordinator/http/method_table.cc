#include "coordinator/http/method_table.h"

#include "absl/strings/str_cat.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::coordinator {

MethodTable::MethodTable(const std::vector<std::string>& services) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const std::string& name : services) {
    const auto* service = pool->FindServiceByName(name);
    if (service == nullptr ||
        service->options().GetExtension(v1::cli_service).hidden()) {
      continue;
    }
    for (int i = 0; i < service->method_count(); ++i) {
      const auto* method = service->method(i);
      methods_[absl::StrCat("/", name, "/", method->name())] = method;
    }
  }
}

const google::protobuf::MethodDescriptor* MethodTable::Find(
    absl::string_view path) const {
  const auto found = methods_.find(path);
  return found == methods_.end() ? nullptr : found->second;
}

}  // namespace vigil::coordinator
