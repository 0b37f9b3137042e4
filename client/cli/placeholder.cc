#include "client/cli/placeholder.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"

namespace vigil::cli {
namespace {

constexpr char kPlace[] = "{}";
constexpr size_t kPlaceBytes = 2;

std::vector<std::string> SplitInStrings(absl::string_view json) {
  std::vector<std::string> pieces = {""};
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (in_string && json.substr(i, kPlaceBytes) == kPlace) {
      pieces.emplace_back();
      i += kPlaceBytes - 1;
      continue;
    }
    pieces.back() += json[i];
    if (json[i] == '"') in_string = !in_string;
    // What a backslash escapes ends no string.
    if (in_string && json[i] == '\\' && i + 1 < json.size()) {
      pieces.back() += json[++i];
    }
  }
  return pieces;
}

}  // namespace

bool PlaceItem(absl::string_view item,
               google::protobuf::RepeatedPtrField<std::string>* words) {
  bool placed = false;
  for (std::string& word : *words) {
    if (!absl::StrContains(word, kPlace)) continue;
    // What the item brings along is not looked at again.
    word = absl::StrReplaceAll(word, {{kPlace, item}});
    placed = true;
  }
  return placed;
}

InputTemplate::InputTemplate(absl::string_view text, Syntax syntax)
    : syntax_(syntax) {
  if (syntax == Syntax::kPlain) {
    pieces_ = absl::StrSplit(text, absl::ByString(kPlace));
  } else {
    pieces_ = SplitInStrings(text);
  }
}

absl::StatusOr<std::string> InputTemplate::Fill(absl::string_view item) const {
  std::string escaped;
  if (syntax_ == Syntax::kJson) {
    escaped = JsonString(item);
    item = absl::string_view(escaped).substr(1, escaped.size() - 2);
  }
  size_t bytes = (pieces_.size() - 1) * item.size();
  for (const std::string& piece : pieces_) bytes += piece.size();
  if (bytes > kInputBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("its input would have more than ", kInputBytesMax,
                     " bytes; give the name of a file instead"));
  }
  return absl::StrJoin(pieces_, item);
}

}  // namespace vigil::cli
