// Placeholder: where an item goes in the words and in the input of a job: in
// the place of each `{}`. Values and pure functions, thread-safe. Nothing is
// borrowed.
#ifndef VIGIL_CLIENT_CLI_PLACEHOLDER_H_
#define VIGIL_CLIENT_CLI_PLACEHOLDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"

namespace vigil::cli {

// Puts `item` in the place of each `{}` within the words. Returns whether there
// was any.
bool PlaceItem(absl::string_view item,
               google::protobuf::RepeatedPtrField<std::string>* words);

// The text of an input with places for an item.
class InputTemplate {
 public:
  enum class Syntax {
    // Every `{}` is a place, and the item goes there as it is.
    kPlain,
    // Only a `{}` within a string of the JSON text is a place, so that empty
    // objects stay; the item goes there escaped, so that the string stays one.
    kJson,
  };
  InputTemplate(absl::string_view text, Syntax syntax);

  bool has_place() const { return pieces_.size() > 1; }

  // The input with the item in its places.
  //
  // - INVALID_ARGUMENT: it has more than kInputBytesMax bytes.
  absl::StatusOr<std::string> Fill(absl::string_view item) const;

 private:
  Syntax syntax_;
  // What stands before, between and behind the places.
  std::vector<std::string> pieces_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_PLACEHOLDER_H_
