#include "client/cli/placeholder.h"

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"

namespace vigil::cli {

void PlaceItem(absl::string_view item,
               google::protobuf::RepeatedPtrField<std::string>* words) {
  bool placed = false;
  for (std::string& word : *words) {
    if (!absl::StrContains(word, "{}")) continue;
    // What the item brings along is not looked at again.
    word = absl::StrReplaceAll(word, {{"{}", item}});
    placed = true;
  }
  if (!placed) *words->Add() = std::string(item);
}

}  // namespace vigil::cli
