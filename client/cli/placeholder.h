// Placeholder: where an item goes in the words of a command. A pure function,
// thread-safe.
#ifndef VIGIL_CLIENT_CLI_PLACEHOLDER_H_
#define VIGIL_CLIENT_CLI_PLACEHOLDER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"

namespace vigil::cli {

// Puts `item` in the place of each `{}` within the words; if there is none, it
// becomes the last word.
void PlaceItem(absl::string_view item,
               google::protobuf::RepeatedPtrField<std::string>* words);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_PLACEHOLDER_H_
