// Text that is fitted into the columns of a terminal: pieces that wrap, and
// tables that leave out what matters least. Pure functions, thread-safe.
// Nothing is kept.
#ifndef VIGIL_CLIENT_CLI_FITTED_TEXT_H_
#define VIGIL_CLIENT_CLI_FITTED_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "client/cli/format.h"

namespace vigil::cli {

// What a text tells at a glance.
enum class Tone { kPlain, kBold, kDim, kGood, kWarning, kBad };

// A text without control codes, and its tone.
struct Toned {
  std::string text;
  Tone tone = Tone::kPlain;
};

struct FittedColumn {
  std::string header;
  // Where there is not enough room for all, the least important column goes.
  int importance = 0;
  enum class Side { kLeft, kRight };
  Side side = Side::kLeft;
  // To how many characters cells may be cut before a column goes; 0: they may
  // not.
  size_t cut_to = 0;
};

// Lines of at most `columns` characters, with two blanks between pieces that
// share one. A piece that is longer is cut.
std::vector<std::string> WrapPieces(const std::vector<Toned>& pieces,
                                    size_t columns, const Style& style);

// The header and a line for each row, which has a cell for each column, of at
// most `columns` characters. A column whose cells are all empty is left out.
std::vector<std::string> FitTable(const std::vector<FittedColumn>& table,
                                  const std::vector<std::vector<Toned>>& rows,
                                  size_t columns, const Style& style);

// How many of `rows` lines each of some sections gets that would like to have
// `wanted`: all they want where there is room, else those that want less than
// their share get what they want and the others the same.
std::vector<size_t> ShareRows(const std::vector<size_t>& wanted, size_t rows);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_FITTED_TEXT_H_
