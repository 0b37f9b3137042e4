// Proves which command goes on from where a stream broke.
#include "client/cli/command/resume_point.h"

#include "client/cli/command/command_lookup.h"
#include "client/cli/command/lamp_commands.h"
#include "client/cli/command/testdata/lamp.pb.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

class ResumePointTest : public ::testing::Test {
 protected:
  ResumePoint Of(absl::string_view verb,
                 const google::protobuf::Message& request) {
    return ResumePoint(noun_, *FindVerb(noun_, verb), request);
  }

  const NounSpec& noun_ = *FindNoun(LampCommands(), "lamp");
};

TEST_F(ResumePointTest, IsTheSameCommandBehindTheLastCursor) {
  testing::WatchLampRequest request;
  request.set_lamp_id("l1");
  request.set_namespace_("dev");
  ResumePoint point = Of("watch", request);
  EXPECT_EQ(point.Command(), "");
  testing::WatchLampResponse event;
  event.mutable_event()->set_cursor("a");
  point.Note(event);
  event.mutable_event()->set_cursor("\xff");
  point.Note(event);
  event.Clear();
  point.Note(event);
  EXPECT_EQ(point.Command(),
            "vigil lamp watch l1 --namespace=dev --cursor=base64:/w==");
}

TEST_F(ResumePointTest, OfAnotherCommandIsTheOneThatWatchesWhatItMade) {
  ResumePoint point = Of("feed", testing::FeedLampsRequest());
  testing::WatchLampResponse event;
  event.mutable_event()->mutable_lamp()->set_lamp_id("made");
  event.mutable_event()->set_cursor("a");
  point.Note(event);
  EXPECT_EQ(point.Command(), "vigil lamp watch made --cursor=base64:YQ==");
}

TEST_F(ResumePointTest, IsNoneWhereNothingIsKnown) {
  ResumePoint point = Of("feed", testing::FeedLampsRequest());
  testing::WatchLampResponse event;
  event.mutable_event()->set_cursor("a");
  point.Note(event);
  EXPECT_EQ(point.Command(), "");
}

}  // namespace
}  // namespace vigil::cli
