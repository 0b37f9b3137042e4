// Comments of protos as text: what stands before an element, in paragraphs that
// each are one line, with a blank line between them, and items of lists that
// are one line each and begin with "- ". Pure functions, thread-safe.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_COMMENTS_H_
#define VIGIL_CLIENT_CLI_GENERATOR_COMMENTS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace vigil::cli::generator {

// Of a comment as protoc hands it on: without its marks, in the lines of the
// source.
std::string CommentText(absl::string_view comment);

// The first sentence of such a text, with its full stop.
std::string FirstSentence(absl::string_view text);

// The text before an element, or else behind it in the same line; empty when
// there is none. What stands apart from it, with a blank line between, is not
// its own.
template <typename Descriptor>
std::string CommentOf(const Descriptor& element) {
  google::protobuf::SourceLocation location;
  if (!element.GetSourceLocation(&location)) {
    return "";
  }
  return CommentText(location.leading_comments.empty()
                         ? location.trailing_comments
                         : location.leading_comments);
}

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_COMMENTS_H_
