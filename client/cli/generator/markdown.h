// Markdown, as the references are written in it: wrapped at 80 columns, so that
// it is read and compared as text too. Pure functions, thread-safe; nothing is
// owned.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_MARKDOWN_H_
#define VIGIL_CLIENT_CLI_GENERATOR_MARKDOWN_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vigil::cli::generator {

// Plain text so that it is shown as it is; what stands in backquotes is code
// already.
std::string Escaped(absl::string_view text);

// One paragraph in lines, each of which begins with `indent` blanks. A line
// never begins with what Markdown would take for a list or a heading.
std::string Wrapped(absl::string_view paragraph, size_t indent);

// A comment (see comments.h) in paragraphs and lists, `indent` blanks to the
// right. Ends with a line break unless it is empty.
std::string Block(absl::string_view comment, size_t indent);

// An item of a list, `indent` blanks to the right: `head`, which is Markdown,
// and a comment.
std::string Item(absl::string_view head, absl::string_view comment,
                 size_t indent);

// What a heading is called in a link on GitHub: "job-service" of "Job Service",
// "jobstate" of "Job.State".
std::string Anchor(absl::string_view heading);

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_MARKDOWN_H_
