#include "coordinator/http/transcoder.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace vigil::coordinator {
namespace {

constexpr char kTypePrefix[] = "type.googleapis.com";

google::protobuf::util::TypeResolver* Resolver() {
  static auto* const resolver =
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kTypePrefix, google::protobuf::DescriptorPool::generated_pool());
  return resolver;
}

std::string UrlOf(const google::protobuf::Descriptor* type) {
  return absl::StrCat(kTypePrefix, "/", type->full_name());
}

absl::string_view TextOf(const google::protobuf::util::Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace

absl::StatusOr<std::string> ToBinary(const google::protobuf::Descriptor* type,
                                     Codec codec, absl::string_view text) {
  if (codec == Codec::kProto) {
    const std::unique_ptr<google::protobuf::Message> message(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(type)
            ->New());
    if (!message->ParseFromArray(text.data(), static_cast<int>(text.size()))) {
      return absl::InvalidArgumentError(
          absl::StrCat("the body is not a ", type->name(),
                       " in binary: it is cut off, or has text that is not "
                       "UTF-8"));
    }
    return std::string(text);
  }
  if (absl::StripAsciiWhitespace(text).empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the body is empty; a ", type->name(), " without fields is {}"));
  }
  std::string binary;
  const auto status = google::protobuf::util::JsonToBinaryString(
      Resolver(), UrlOf(type), std::string(text), &binary);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the body is not a ", type->name(), " in JSON: ", TextOf(status)));
  }
  return binary;
}

absl::StatusOr<std::string> FromBinary(const google::protobuf::Descriptor* type,
                                       Codec codec, std::string binary) {
  if (codec == Codec::kProto) return binary;
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(
      Resolver(), UrlOf(type), binary, &json);
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat(
        "a ", type->name(),
        " has no form in JSON, ask for it in binary: ", TextOf(status)));
  }
  return json;
}

}  // namespace vigil::coordinator
