// Reads what an operator might write as a catalog: JSON if it begins with a
// brace, else textproto. What is refused must be refused by a message that says
// where; what is accepted must be the same when it is written and read again,
// in either form, and reach a coordinator.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/catalog.h"
#include "base/check.h"
#include "base/utf8.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "vigil/v1/catalog.pb.h"

namespace {

using ::vigil::ParseCatalog;
using ::vigil::v1::Catalog;

constexpr char kJsonPath[] = "/catalog.json";
constexpr char kTextPath[] = "/catalog.textproto";

void CheckRefused(const absl::Status& status, absl::string_view path) {
  const absl::string_view message = status.message();
  VIGIL_CHECK(absl::IsInvalidArgument(status), status.ToString());
  VIGIL_CHECK(vigil::IsUtf8({message.data(), message.size()}),
              status.ToString());
  // The file, and behind it the line or what is wrong.
  VIGIL_CHECK(absl::StartsWith(message, path), status.ToString());
  VIGIL_CHECK(message.size() > path.size() + sizeof(": ") - 1,
              status.ToString());
  // A line that is there, where a line can be named.
  if (path == kTextPath && !absl::StrContains(message, "at most 256")) {
    const char first = message[path.size() + 1];
    VIGIL_CHECK(message[path.size()] == ':' && first >= '1' && first <= '9',
                status.ToString());
  }
}

// What a coordinator receives: of a map's entries with the same key, the last.
Catalog Receive(const Catalog& catalog) {
  Catalog received;
  VIGIL_CHECK(received.ParseFromString(catalog.SerializeAsString()),
              "no coordinator can read it");
  return received;
}

void CheckSame(const Catalog& catalog, const std::string& path,
               const std::string& text) {
  const absl::StatusOr<Catalog> again = ParseCatalog(path, text);
  VIGIL_CHECK(again.ok(), absl::StrCat(again.status().ToString(), "\n", text));
  // By their text, in which maps are sorted.
  VIGIL_CHECK(Receive(*again).DebugString() == catalog.DebugString(),
              again->DebugString());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string path = absl::StartsWith(text, "{") ? kJsonPath : kTextPath;
  const absl::StatusOr<Catalog> catalog = ParseCatalog(path, text);
  if (!catalog.ok()) {
    CheckRefused(catalog.status(), path);
    return 0;
  }
  const Catalog received = Receive(*catalog);
  std::string written;
  VIGIL_CHECK(google::protobuf::TextFormat::PrintToString(*catalog, &written),
              "has no text");
  CheckSame(received, kTextPath, written);
  written.clear();
  const auto status =
      google::protobuf::util::MessageToJsonString(received, &written);
  VIGIL_CHECK(status.ok(), absl::StrCat(status.ToString(), "\n", text));
  CheckSame(received, kJsonPath, written);
  return 0;
}
