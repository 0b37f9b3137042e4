// The caps of the generator, each with unit and reason. Constants,
// thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CLI_GENERATOR_LIMITS_H_
#define VIGIL_CLIENT_CLI_GENERATOR_LIMITS_H_

#include <cstddef>

namespace vigil::cli::generator {

// Messages within one another that become dotted flags, beginning with the
// request: what lies deeper is given as JSON. Nobody types a longer name.
inline constexpr size_t kFlagDepthMax = 8;

// Characters of an enum's values joined by `|` that stand for a flag's value:
// as many as fit into a line of 80 columns with the flag's name.
inline constexpr size_t kEnumValuesLengthMax = 50;

// Columns of the references that are checked in, as of all our text.
inline constexpr size_t kReferenceColumns = 80;

// Characters in backquotes, with the word around them, that are not parted at
// the end of a line there: a command that is copied out is then in one piece.
inline constexpr size_t kCodeLengthMax = 60;

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_LIMITS_H_
