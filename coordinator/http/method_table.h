// MethodTable: which RPCs can be called over HTTP, found in the descriptors of
// their services. Thread-safe once made; owns nothing but the table.
#ifndef VIGIL_COORDINATOR_HTTP_METHOD_TABLE_H_
#define VIGIL_COORDINATOR_HTTP_METHOD_TABLE_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace vigil::coordinator {

class MethodTable {
 public:
  // Takes all methods of these services, by their full names, of which this
  // program has the descriptors, but for those whose (cli_service).hidden says
  // that they are not for clients.
  explicit MethodTable(const std::vector<std::string>& services);

  // Returns the method of "/vigil.v1.JobService/GetJob"; null: there is none.
  const google::protobuf::MethodDescriptor* Find(absl::string_view path) const;

 private:
  absl::flat_hash_map<std::string, const google::protobuf::MethodDescriptor*>
      methods_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_METHOD_TABLE_H_
