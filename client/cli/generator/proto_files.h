// ProtoFiles: protos of a test, by their text, compiled as protoc does it, with
// their comments and with the options of vigil/v1/cli.proto. Thread-compatible;
// owns the descriptors.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_PROTO_FILES_H_
#define VIGIL_CLIENT_CLI_GENERATOR_PROTO_FILES_H_

#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/compiler/importer.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"

namespace vigil::cli::generator {

class ProtoFiles : private google::protobuf::compiler::SourceTree,
                   private google::protobuf::compiler::MultiFileErrorCollector {
 public:
  ProtoFiles() : importer_(this, this) {
    // The working directory of a test is the root of the repository.
    disk_.MapPath("", "proto");
    disk_.MapPath("", "/usr/include");
  }

  // The proto `name` with this text.
  const google::protobuf::FileDescriptor* Add(const std::string& name,
                                              const std::string& text) {
    texts_[name] = text;
    return Import(name);
  }

  // One of our own or of protobuf's.
  const google::protobuf::FileDescriptor* Import(const std::string& name) {
    const google::protobuf::FileDescriptor* file = importer_.Import(name);
    EXPECT_NE(file, nullptr) << name;
    return file;
  }

 private:
  google::protobuf::io::ZeroCopyInputStream* Open(
      const std::string& name) override {
    const auto text = texts_.find(name);
    if (text == texts_.end()) {
      return disk_.Open(name);
    }
    return new google::protobuf::io::ArrayInputStream(text->second.data(),
                                                      text->second.size());
  }

  std::string GetLastErrorMessage() override {
    return disk_.GetLastErrorMessage();
  }

  void AddError(const std::string& name, int line, int column,
                const std::string& message) override {
    ADD_FAILURE() << name << ":" << line + 1 << ":" << column + 1 << ": "
                  << message;
  }

  google::protobuf::compiler::DiskSourceTree disk_;
  std::map<std::string, std::string> texts_;
  google::protobuf::compiler::Importer importer_;
};

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_PROTO_FILES_H_
