#include "coordinator/telemetry/message_shape.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "coordinator/telemetry/limits.h"

namespace vigil::coordinator {
namespace {

// A word with a digit in it that is as long as this was drawn, not chosen.
constexpr size_t kIdLengthMin = 12;

bool IsWord(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// What ends a path, quoted or not.
bool EndsPath(char c) {
  return absl::ascii_isspace(c) || c == '"' || c == '\'' || c == '`' ||
         c == ',' || c == ';' || c == ':' || c == ')' || c == ']' || c == '>';
}

// The length of the first run of characters for which `is` holds.
template <typename Is>
size_t RunOf(std::string_view text, Is is) {
  const auto end =
      std::find_if(text.begin(), text.end(), [&](char c) { return !is(c); });
  return static_cast<size_t>(end - text.begin());
}

bool IsHex(std::string_view word) {
  if (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
    word.remove_prefix(2);
  }
  return std::all_of(word.begin(), word.end(),
                     [](char c) { return absl::ascii_isxdigit(c); });
}

void AddWord(std::string_view word, std::string* shape) {
  const bool has_digit = std::any_of(
      word.begin(), word.end(), [](char c) { return absl::ascii_isdigit(c); });
  if (!has_digit) {
    shape->append(word);
  } else if (IsHex(word) || word.size() >= kIdLengthMin) {
    shape->push_back('#');
  } else {
    for (const char c : word) {
      if (!absl::ascii_isdigit(c)) {
        shape->push_back(c);
      } else if (shape->empty() || shape->back() != '#') {
        shape->push_back('#');
      }
    }
  }
}

// Whether what follows a number in `text` belongs to it: a fraction, or the
// next part of a UUID.
bool GoesOn(std::string_view text) {
  if (text.size() < 2) return false;
  if (text[0] == '.') return absl::ascii_isdigit(text[1]);
  const size_t part = RunOf(text.substr(1), IsWord);
  return text[0] == '-' && part >= 4 && IsHex(text.substr(1, part));
}

}  // namespace

std::string ShapeOf(std::string_view message) {
  std::string_view rest = message.substr(0, message.find('\n'));
  rest = rest.substr(0, kMessageBytesMax);
  std::string shape;
  char before = ' ';
  while (!rest.empty()) {
    size_t length = 1;
    if (IsWord(rest[0])) {
      length = RunOf(rest, IsWord);
      AddWord(rest.substr(0, length), &shape);
      while (shape.back() == '#' && GoesOn(rest.substr(length))) {
        length += 1 + RunOf(rest.substr(length + 1), IsWord);
      }
    } else if (rest[0] == '/' && !IsWord(before) && rest.size() > 1 &&
               !EndsPath(rest[1])) {
      length = RunOf(rest, [](char c) { return !EndsPath(c); });
      shape.push_back('/');
    } else {
      shape.push_back(rest[0]);
    }
    before = rest[length - 1];
    rest.remove_prefix(length);
  }
  return shape;
}

}  // namespace vigil::coordinator
