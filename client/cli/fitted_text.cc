#include "client/cli/fitted_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace vigil::cli {
namespace {

constexpr absl::string_view kGap = "  ";

std::string Paint(absl::string_view text, Tone tone, const Style& style) {
  switch (tone) {
    case Tone::kPlain:
      return std::string(text);
    case Tone::kBold:
      return style.Bold(text);
    case Tone::kDim:
      return style.Dim(text);
    case Tone::kGood:
      return style.Green(text);
    case Tone::kWarning:
      return style.Yellow(text);
    case Tone::kBad:
      return style.Red(text);
  }
  return std::string(text);
}

// Exactly `width` characters, at the side that the column says.
std::string Aligned(const std::string& text, size_t width,
                    FittedColumn::Side side) {
  const size_t own = CharactersOf(text);
  if (side == FittedColumn::Side::kLeft || own >= width) {
    return Fit(text, width);
  }
  return absl::StrCat(std::string(width - own, ' '), text);
}

// By how much a column of this width may be cut.
size_t Spare(const FittedColumn& column, size_t width) {
  const size_t least = std::max(column.cut_to, column.header.size());
  return column.cut_to > 0 && width > least ? width - least : 0;
}

// Cuts columns that may be cut by `excess` characters in all.
void Cut(const std::vector<FittedColumn>& table, size_t excess,
         std::vector<size_t>* widths) {
  for (size_t i = 0; i < table.size() && excess > 0; ++i) {
    const size_t cut = std::min(excess, Spare(table[i], (*widths)[i]));
    (*widths)[i] -= cut;
    excess -= cut;
  }
}

// Widths of the columns that are shown; 0: the column is left out.
std::vector<size_t> ChooseWidths(const std::vector<FittedColumn>& table,
                                 const std::vector<std::vector<Toned>>& rows,
                                 size_t columns) {
  std::vector<size_t> widths(table.size(), 0);
  for (const std::vector<Toned>& row : rows) {
    for (size_t i = 0; i < table.size(); ++i) {
      widths[i] = std::max(widths[i], CharactersOf(row[i].text));
    }
  }
  for (size_t i = 0; i < table.size(); ++i) {
    if (widths[i] > 0) widths[i] = std::max(widths[i], table[i].header.size());
  }
  for (;;) {
    size_t total = 0;
    size_t spare = 0;
    size_t shown = 0;
    size_t least = table.size();
    for (size_t i = 0; i < table.size(); ++i) {
      if (widths[i] == 0) continue;
      total += widths[i] + (shown++ > 0 ? kGap.size() : 0);
      spare += Spare(table[i], widths[i]);
      if (least == table.size() ||
          table[i].importance < table[least].importance) {
        least = i;
      }
    }
    if (total <= columns + spare || shown <= 1) {
      Cut(table, total > columns ? total - columns : 0, &widths);
      break;
    }
    widths[least] = 0;
  }
  for (size_t& width : widths) width = std::min(width, columns);
  return widths;
}

}  // namespace

std::vector<std::string> WrapPieces(const std::vector<Toned>& pieces,
                                    size_t columns, const Style& style) {
  std::vector<std::string> lines;
  size_t used = 0;
  for (const Toned& piece : pieces) {
    if (piece.text.empty()) continue;
    const size_t width = std::min(CharactersOf(piece.text), columns);
    const std::string painted =
        Paint(Fit(piece.text, width), piece.tone, style);
    if (lines.empty() || used + kGap.size() + width > columns) {
      lines.push_back(painted);
      used = width;
    } else {
      absl::StrAppend(&lines.back(), kGap, painted);
      used += kGap.size() + width;
    }
  }
  return lines;
}

std::vector<std::string> FitTable(const std::vector<FittedColumn>& table,
                                  const std::vector<std::vector<Toned>>& rows,
                                  size_t columns, const Style& style) {
  const std::vector<size_t> widths = ChooseWidths(table, rows, columns);
  std::vector<Toned> header;
  for (const FittedColumn& column : table) {
    header.push_back({column.header, Tone::kDim});
  }
  std::vector<std::string> lines;
  const auto add = [&](const std::vector<Toned>& row) {
    std::string line;
    std::string blanks;
    for (size_t i = 0; i < table.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string cell = Aligned(row[i].text, widths[i], table[i].side);
      // Blanks at the end of a line are not written, nor coloured.
      const std::string text(absl::StripTrailingAsciiWhitespace(cell));
      if (!text.empty()) {
        absl::StrAppend(&line, blanks, Paint(text, row[i].tone, style));
        blanks.clear();
      }
      absl::StrAppend(&blanks, std::string(cell.size() - text.size(), ' '),
                      kGap);
    }
    lines.push_back(std::move(line));
  };
  add(header);
  for (const std::vector<Toned>& row : rows) add(row);
  return lines;
}

std::vector<size_t> ShareRows(const std::vector<size_t>& wanted, size_t rows) {
  std::vector<size_t> order(wanted.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&wanted](size_t a, size_t b) {
    return wanted[a] < wanted[b];
  });
  std::vector<size_t> shares(wanted.size(), 0);
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t share = rows / (order.size() - i);
    shares[order[i]] = std::min(wanted[order[i]], share);
    rows -= shares[order[i]];
  }
  return shares;
}

}  // namespace vigil::cli
