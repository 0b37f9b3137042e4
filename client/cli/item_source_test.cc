// Proves how the items of a file and of a pipe are read and counted.
#include "client/cli/item_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "client/cli/files.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

std::string Path(absl::string_view name) {
  return absl::StrCat(::testing::TempDir(), "/", name);
}

TEST(ItemSource, KnowsHowManyItemsAFileHasBeforeReadingThem) {
  ASSERT_TRUE(WriteFile(Path("items"), "a\n\nb\nc").ok());
  auto source =
      *ItemSource::Open(Path("items"), ItemSplitter::Separator::kNewline);
  EXPECT_EQ(source->total(), 3);
  std::deque<Item> items;
  while (!source->ended()) ASSERT_TRUE(source->ReadSome(&items).ok());
  EXPECT_EQ(items.size(), 3u);
  EXPECT_EQ(items[2].text, "c");
  EXPECT_EQ(source->total(), 3);
}

TEST(ItemSource, KnowsHowManyItemsAPipeHadOnceItEnded) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  // Open for both, so that neither end waits for the other.
  const int writer = open(Path("fifo").c_str(), O_RDWR | O_CLOEXEC);
  auto source = *ItemSource::Open(Path("fifo"), ItemSplitter::Separator::kNul);
  EXPECT_EQ(source->total(), std::nullopt);
  ASSERT_EQ(write(writer, "a\0b\0c", 5), 5);
  std::deque<Item> items;
  ASSERT_TRUE(source->ReadSome(&items).ok());
  EXPECT_EQ(items.size(), 2u);
  EXPECT_EQ(source->total(), std::nullopt);
  close(writer);
  ASSERT_TRUE(source->ReadSome(&items).ok());
  EXPECT_TRUE(source->ended());
  EXPECT_EQ(source->total(), 3);
}

TEST(ItemSource, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(ItemSource::Open("/no/such", ItemSplitter::Separator::kNul)
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  auto directory =
      ItemSource::Open(::testing::TempDir(), ItemSplitter::Separator::kNul);
  std::deque<Item> items;
  EXPECT_FALSE((*directory)->ReadSome(&items).ok());
}

}  // namespace
}  // namespace vigil::cli
