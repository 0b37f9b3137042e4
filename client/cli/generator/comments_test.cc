// Proves how comments become text, and which of them are an element's own.
#include "client/cli/generator/comments.h"

#include "client/cli/generator/proto_files.h"
#include "gtest/gtest.h"

namespace vigil::cli::generator {
namespace {

TEST(CommentsTest, LinesOfAParagraphAreJoined) {
  EXPECT_EQ(CommentText(" One\n two.\n\n Three\n"), "One two.\n\nThree");
  EXPECT_EQ(CommentText(""), "");
  EXPECT_EQ(CommentText(" \n\n"), "");
}

TEST(CommentsTest, ItemsOfAListAreALineEach) {
  EXPECT_EQ(CommentText(" Errors:\n - A: one\n   more.\n - B.\n"),
            "Errors:\n- A: one more.\n- B.");
}

TEST(CommentsTest, AListMayStandApartFromItsParagraph) {
  EXPECT_EQ(CommentText(" Text.\n\n - A.\n\n - B.\n"), "Text.\n\n- A.\n- B.");
}

TEST(CommentsTest, TextBehindAListIsAParagraph) {
  EXPECT_EQ(CommentText(" - A.\n\n Text\n on.\n"), "- A.\n\nText on.");
  EXPECT_EQ(CommentText(" - A.\n Text\n on.\n"), "- A.\n\nText on.");
}

TEST(CommentsTest, TheFirstSentenceEndsAtAFullStop) {
  EXPECT_EQ(FirstSentence("One. Two."), "One.");
  EXPECT_EQ(FirstSentence("One (0.1 s, e.g. so) on. Two."),
            "One (0.1 s, e.g. so) on.");
  EXPECT_EQ(FirstSentence("No stop"), "No stop");
  EXPECT_EQ(FirstSentence("First paragraph\n\nSecond. Third."),
            "First paragraph");
  EXPECT_EQ(FirstSentence("Errors:\n- A."), "Errors:");
  EXPECT_EQ(FirstSentence(""), "");
}

TEST(CommentsTest, AnElementsCommentIsTheOneBeforeIt) {
  ProtoFiles files;
  const google::protobuf::FileDescriptor* file = files.Add("a.proto", R"(
    syntax = "proto3";
    // Apart.

    // Of the message.
    message A {
      // Before.
      int32 before = 1;  // Not this one.
      int32 behind = 2;  // Behind.
      int32 none = 3;
      /* In a
       * block. */
      int32 block = 4;
    })");
  const google::protobuf::Descriptor& message = *file->message_type(0);
  EXPECT_EQ(CommentOf(message), "Of the message.");
  EXPECT_EQ(CommentOf(*message.field(0)), "Before.");
  EXPECT_EQ(CommentOf(*message.field(1)), "Behind.");
  EXPECT_EQ(CommentOf(*message.field(2)), "");
  EXPECT_EQ(CommentOf(*message.field(3)), "In a block.");
}

}  // namespace
}  // namespace vigil::cli::generator
