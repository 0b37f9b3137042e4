// Table: rows of cells in columns that line up, made as the rows come.
// Thread-compatible. It owns what it is given, and remembers widths alone.
#ifndef VIGIL_CLIENT_CLI_COMMAND_TABLE_H_
#define VIGIL_CLIENT_CLI_COMMAND_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "client/cli/command/column.h"
#include "client/cli/command/value_format.h"
#include "client/cli/format.h"
#include "google/protobuf/message.h"

namespace vigil::cli {

class Table {
 public:
  struct Options {
    Style style = Style(Style::Colour::kNone);
    TimeView times;
    // Longest line; 0: any.
    size_t columns_max = 0;
    // Blanks before each line.
    size_t indent = 0;
  };

  Table(std::vector<Column> columns, Options options);

  // The lines of these messages, below the header if they are the first: the
  // columns are as wide as all messages until now need. One that does not fit
  // is cut: at first its last text, then its end.
  std::string Rows(const std::vector<const google::protobuf::Message*>& rows);

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // The widths that these lines have.
  std::vector<size_t> Fitted() const;
  std::string Line(const std::vector<Cell>& cells,
                   const std::vector<size_t>& widths) const;

  const std::vector<Column> columns_;
  const Options options_;
  // The column that is cut first.
  size_t text_column_ = kNone;
  std::vector<size_t> widths_;
  bool begun_ = false;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_TABLE_H_
