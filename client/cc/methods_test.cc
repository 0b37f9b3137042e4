// Proves that Client::Call knows every unary method of the services that
// clients use, with its own response: a method that is added to a proto fails
// here until it is listed.
#include "client/cc/methods.h"

#include <set>
#include <string>
#include <tuple>

#include "client/cc/method_path.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using ::google::protobuf::MethodDescriptor;

std::string Line(const std::string& path, const std::string& response) {
  return path + " " + response;
}

template <typename... Each>
std::set<std::string> Listed(std::tuple<Each...>*) {
  return {Line(MethodPath(*Each::Request::descriptor()),
               Each::Response::descriptor()->full_name())...};
}

void AddUnary(const google::protobuf::FileDescriptor& file,
              std::set<std::string>* lines) {
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      const MethodDescriptor& method = *file.service(i)->method(j);
      if (method.client_streaming() || method.server_streaming()) continue;
      lines->insert(
          Line("/" + file.service(i)->full_name() + "/" + method.name(),
               method.output_type()->full_name()));
    }
  }
}

TEST(Methods, AreTheUnaryOnesOfEveryServiceForClients) {
  std::set<std::string> declared;
  AddUnary(*v1::GetJobRequest::descriptor()->file(), &declared);
  AddUnary(*v1::GetBatchRequest::descriptor()->file(), &declared);
  AddUnary(*v1::GetStatusRequest::descriptor()->file(), &declared);
  AddUnary(*v1::GetWorkerRequest::descriptor()->file(), &declared);
  EXPECT_EQ(Listed(static_cast<Methods*>(nullptr)), declared);
}

}  // namespace
}  // namespace vigil::client
