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
// more would push the help beside it out of a terminal of 80 columns.
inline constexpr size_t kEnumValuesLengthMax = 32;

// Columns of the references that are checked in, as of all our text.
inline constexpr size_t kReferenceColumns = 80;

}  // namespace vigil::cli::generator

#endif  // VIGIL_CLIENT_CLI_GENERATOR_LIMITS_H_
