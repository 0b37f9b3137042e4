// Wrap: text for people, in lines of a given width. A pure function,
// thread-safe.
#ifndef VIGIL_CLIENT_CLI_WRAP_H_
#define VIGIL_CLIENT_CLI_WRAP_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace vigil::cli {

// Breaks `text` into lines of at most `columns` characters, each of which, the
// first included, begins with `indent` blanks. Single line breaks mean nothing,
// but before a list item, which begins with "- " and goes on two blanks
// further; empty lines part paragraphs. A word that is longer than a line has
// one to itself. Ends with a line break unless it is empty.
std::string Wrap(absl::string_view text, size_t columns, size_t indent);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WRAP_H_
