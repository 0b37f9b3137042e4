// What is UTF-8, as the Unicode standard has it: no overlong forms, no
// surrogates, nothing above U+10FFFF. Pure functions, thread-safe. They keep
// nothing of what they look at.
#ifndef VIGIL_BASE_UTF8_H_
#define VIGIL_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace vigil {

bool IsUtf8(std::string_view text);

// `text` itself if it is UTF-8; else with each byte that is not escaped as
// \xNN. At most `bytes_max` bytes, cut at a character.
std::string ToUtf8(std::string_view text, size_t bytes_max);

}  // namespace vigil

#endif  // VIGIL_BASE_UTF8_H_
