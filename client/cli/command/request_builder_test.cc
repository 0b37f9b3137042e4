// Proves how the words of a command line become a request: flags over a whole
// one, words in their places, and what does not go together.
#include "client/cli/command/request_builder.h"

#include <string>
#include <utility>
#include <vector>

#include "client/cli/command/testdata/lamp.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using testing::SetLampRequest;

constexpr FlagSpec kFlags[] = {
    {"namespace", "namespace", "TEXT", ""},
    {"watts", "watts", "N", ""},
    {"rooms", "rooms", "TEXT", ""},
    {"labels", "labels", "KEY=VALUE", ""},
    {"cable", "cable", "TEXT", ""},
    {"battery", "battery", "N", ""},
    {"shade.reach", "shade.reach_timeout", "DURATION", ""},
    {"shade.cloth", "shade.cloth", "TEXT", ""},
    {"lamp_id", "lamp_id", "TEXT", ""},
};
constexpr absl::string_view kPositionals[] = {"lamp_id", "rooms"};

class RequestBuilderTest : public ::testing::Test {
 protected:
  RequestBuilderTest() {
    command_.flags = kFlags;
    command_.positionals = kPositionals;
  }

  void Flag(const std::string& name, const std::string& value) {
    for (const FlagSpec& flag : kFlags) {
      if (flag.name == name) words_.flags.push_back({&flag, value});
    }
  }

  // The request in one line, or the error.
  std::string Build(Demand demand = Demand::kPositionals) {
    SetLampRequest request;
    const absl::Status status =
        BuildRequest(command_, words_, demand, sources_, &request);
    if (!status.ok()) return std::string(status.message());
    return Shown(request);
  }

  static std::string Shown(const google::protobuf::Message& request) {
    std::string shown;
    google::protobuf::TextFormat::Printer printer;
    printer.SetSingleLineMode(true);
    printer.PrintToString(request, &shown);
    return shown.empty() ? shown : shown.substr(0, shown.size() - 1);
  }

  CommandSpec command_{};
  RequestWords words_;
  ValueSources sources_;
};

TEST_F(RequestBuilderTest, FlagsAndWordsFillTheirFields) {
  Flag("watts", "40");
  Flag("shade.reach", "2s");
  Flag("shade.cloth", "silk");
  words_.positionals = {"l1", "hall", "attic"};
  EXPECT_EQ(Build(),
            "lamp_id: \"l1\" watts: 40 shade { reach_timeout { seconds: 2 } "
            "cloth: \"silk\" } rooms: \"hall\" rooms: \"attic\"");
}

TEST_F(RequestBuilderTest, AFlagWithOneValueIsGivenOnce) {
  words_.positionals = {"l1"};
  Flag("watts", "40");
  Flag("watts", "60");
  EXPECT_EQ(Build(), "--watts is given twice: `40` and `60`");
}

TEST_F(RequestBuilderTest, AFieldIsNotGivenByFlagAndByWord) {
  words_.positionals = {"l1"};
  Flag("lamp_id", "l2");
  EXPECT_EQ(Build(), "LAMP_ID is given twice: `l2` and `l1`");
}

TEST_F(RequestBuilderTest, ErrorsNameTheFlag) {
  words_.positionals = {"l1"};
  Flag("shade.reach", "2");
  EXPECT_THAT(Build(), HasSubstr("--shade.reach: `2` is not a duration"));
}

TEST_F(RequestBuilderTest, MembersOfAOneofExcludeEachOther) {
  words_.positionals = {"l1"};
  Flag("cable", "long");
  Flag("battery", "3");
  EXPECT_EQ(Build(), "--cable and --battery exclude each other");
}

TEST_F(RequestBuilderTest, AMissingWordIsNamed) {
  EXPECT_EQ(Build(), "LAMP_ID is missing");
  EXPECT_EQ(Build(Demand::kNothing), "");
  words_.whole = "lamp_id: 'l1'";
  EXPECT_EQ(Build(), "lamp_id: \"l1\"");
}

TEST_F(RequestBuilderTest, AWordTooMuchIsNamed) {
  command_.positionals = absl::MakeSpan(kPositionals, 1);
  words_.positionals = {"l1", "l2"};
  EXPECT_EQ(Build(), "`l2` is not wanted here");
}

TEST_F(RequestBuilderTest, FlagsWinOverTheWholeRequest) {
  words_.whole =
      "{\"lamp_id\": \"l1\", \"watts\": 5, \"rooms\": [\"a\", \"b\"],"
      " \"labels\": {\"k\": \"v\"}, \"cable\": \"long\","
      " \"shade\": {\"cloth\": \"silk\"}}";
  EXPECT_EQ(Build(),
            "lamp_id: \"l1\" watts: 5 shade { cloth: \"silk\" } "
            "labels { key: \"k\" value: \"v\" } rooms: \"a\" rooms: \"b\" "
            "cable: \"long\"");
  Flag("watts", "40");
  Flag("rooms", "c");
  Flag("rooms", "d");
  Flag("labels", "n=1");
  Flag("battery", "3");
  Flag("shade.reach", "2s");
  EXPECT_EQ(Build(),
            "lamp_id: \"l1\" watts: 40 shade { reach_timeout { seconds: 2 } "
            "cloth: \"silk\" } labels { key: \"n\" value: \"1\" } "
            "rooms: \"c\" rooms: \"d\" battery: 3");
}

TEST_F(RequestBuilderTest, ABadWholeRequestIsTold) {
  words_.whole = "{\"lamp\": 1}";
  EXPECT_THAT(Build(), HasSubstr("--from_file: not a "
                                 "vigil.cli.testing.SetLampRequest as JSON"));
}

TEST_F(RequestBuilderTest, ADefaultNamespaceFillsWhatIsEmpty) {
  SetLampRequest request;
  FillNamespace(command_, "", &request);
  EXPECT_EQ(Shown(request), "");
  FillNamespace(command_, "dev", &request);
  EXPECT_EQ(Shown(request), "namespace: \"dev\"");
  FillNamespace(command_, "other", &request);
  EXPECT_EQ(Shown(request), "namespace: \"dev\"");
}

TEST_F(RequestBuilderTest, ADefaultNamespaceFillsMessagesThatAreThere) {
  constexpr FlagSpec kDeep[] = {{"namespace", "house.namespace", "TEXT", ""}};
  command_.flags = kDeep;
  testing::MoveLampsRequest request;
  request.add_lamps();
  request.add_lamps()->set_namespace_("own");
  FillNamespace(command_, "dev", &request);
  EXPECT_EQ(Shown(request),
            "house { namespace: \"dev\" } lamps { namespace: \"dev\" } "
            "lamps { namespace: \"own\" }");
}

TEST(PositionalNameTest, IsTheLastPartInCapitals) {
  EXPECT_EQ(PositionalName("job_id"), "JOB_ID");
  EXPECT_EQ(PositionalName("spec.command.argv"), "ARGV");
}

}  // namespace
}  // namespace vigil::cli
