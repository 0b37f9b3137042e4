// Proves how each kind of field is read from what a person types, and what is
// said of what is none.
#include "client/cli/command/field_value.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/command/testdata/lamp.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using testing::SetLampRequest;

class FieldValueTest : public ::testing::Test {
 protected:
  absl::Status Set(const std::string& field, absl::string_view text) {
    return SetFieldValue(&lamp_, lamp_.GetDescriptor()->FindFieldByName(field),
                         text, sources_);
  }

  // What the fields named are after the text was set, or the error.
  std::string After(const std::string& field, absl::string_view text) {
    const absl::Status status = Set(field, text);
    if (!status.ok()) return std::string(status.message());
    std::string shown;
    google::protobuf::TextFormat::Printer printer;
    printer.SetSingleLineMode(true);
    printer.PrintToString(lamp_, &shown);
    lamp_.Clear();
    return shown.substr(0, shown.size() - 1);
  }

  SetLampRequest lamp_;
  const ValueSources sources_ = {
      .now = absl::FromUnixSeconds(1000),
      .read = [](const std::string& path) -> absl::StatusOr<std::string> {
        if (path == "none") return absl::NotFoundError("no file");
        return absl::StrCat("content of ", path);
      }};
};

TEST_F(FieldValueTest, ReadsNumbersWithinTheirBounds) {
  EXPECT_EQ(After("watts", "-5"), "watts: -5");
  EXPECT_EQ(After("watts", "2147483647"), "watts: 2147483647");
  EXPECT_EQ(After("watts", "2147483648"),
            "`2147483648` is not a whole number from -2147483648 to "
            "2147483647");
  EXPECT_EQ(After("serial", "18446744073709551615"),
            "serial: 18446744073709551615");
  EXPECT_THAT(After("serial", "-1"), HasSubstr("is not a whole number from 0"));
  EXPECT_EQ(After("height", "0.5"), "height: 0.5");
  EXPECT_EQ(After("width", "2"), "width: 2");
  EXPECT_THAT(After("width", "wide"), HasSubstr("is not a number"));
}

TEST_F(FieldValueTest, ReadsSizesWhereTheNameSaysBytes) {
  EXPECT_EQ(After("memory_bytes", "2K"), "memory_bytes: 2048");
  EXPECT_EQ(After("memory_bytes", "-1"), "memory_bytes: -1");
  EXPECT_EQ(After("switches_bytes_max", "1M"), "switches_bytes_max: 1048576");
  EXPECT_THAT(After("memory_bytes", "much"), HasSubstr("like 512M"));
  EXPECT_EQ(After("switches_bytes_max", "4G"),
            "`4G` is above 4294967295 bytes");
  EXPECT_THAT(After("watts", "2K"), HasSubstr("is not a whole number"));
}

TEST_F(FieldValueTest, ReadsSwitches) {
  EXPECT_EQ(After("dimmed", "true"), "dimmed: true");
  EXPECT_EQ(After("broken", "false"), "broken: false");
  EXPECT_THAT(After("dimmed", "maybe"), HasSubstr("neither true nor false"));
}

TEST_F(FieldValueTest, ReadsEnumsHoweverTheyAreWritten) {
  for (const char* text :
       {"warm-white", "WARM_WHITE", "COLOUR_WARM_WHITE", "Colour-Warm-White"}) {
    EXPECT_EQ(After("colour", text), "colour: COLOUR_WARM_WHITE") << text;
  }
  EXPECT_EQ(After("colour", "warm_whit"),
            "`warm_whit` is none of warm-white, red; did you mean "
            "warm-white?");
  EXPECT_THAT(After("colour", "unspecified"), HasSubstr("is none of"));
  EXPECT_THAT(After("colour", "red,red"), HasSubstr("is none of"));
}

TEST_F(FieldValueTest, AListOfEnumsHasCommas) {
  EXPECT_EQ(After("blinks", "red, warm-white"),
            "blinks: COLOUR_RED blinks: COLOUR_WARM_WHITE");
  EXPECT_THAT(After("blinks", "red,"), HasSubstr("`` is none of"));
}

TEST_F(FieldValueTest, ReadsBytesFromWhereTheyAre) {
  EXPECT_EQ(After("code", "a\xff"), "code: \"a\\377\"");
  EXPECT_EQ(After("code", "@file"), "code: \"content of file\"");
  EXPECT_EQ(After("code", "@-"), "code: \"content of -\"");
  EXPECT_EQ(After("code", "@none"), "no file");
  EXPECT_EQ(After("code", "base64:AP8="), "code: \"\\000\\377\"");
  EXPECT_THAT(After("code", "base64:?"), HasSubstr("is not base64"));
}

TEST_F(FieldValueTest, TextIsUtf8AndNothingElseIsReadIntoIt) {
  EXPECT_EQ(After("rooms", "@file,b"), "rooms: \"@file,b\"");
  EXPECT_THAT(After("rooms", "\xff"), HasSubstr("not UTF-8"));
}

TEST_F(FieldValueTest, ReadsTimes) {
  EXPECT_EQ(After("bought_time", "1970-01-01T00:00:02.5Z"),
            "bought_time { seconds: 2 nanos: 500000000 }");
  EXPECT_EQ(After("bought_time", "1970-01-01T01:00:02+01:00"),
            "bought_time { seconds: 2 }");
  EXPECT_EQ(After("bought_time", "10m ago"), "bought_time { seconds: 400 }");
  EXPECT_EQ(After("bought_time", "10mago"), "bought_time { seconds: 400 }");
  EXPECT_EQ(After("bought_time", "@7"), "bought_time { seconds: 7 }");
  EXPECT_EQ(After("bought_time", "now"), "bought_time { seconds: 1000 }");
  for (const char* text : {"yesterday", "ago", "@x", "@1e15", "10 ago",
                           "infinite-future", "-inf ago"}) {
    EXPECT_THAT(After("bought_time", text),
                HasSubstr("is not a time; write it like"))
        << text;
  }
}

TEST_F(FieldValueTest, ReadsMapsByTheTypesOfBothSides) {
  EXPECT_EQ(After("labels", "a=b=c"), "labels { key: \"a\" value: \"b=c\" }");
  EXPECT_EQ(After("labels", "a="), "labels { key: \"a\" value: \"\" }");
  EXPECT_EQ(After("scenes", "7=red"), "scenes { key: 7 value: COLOUR_RED }");
  EXPECT_EQ(After("labels", "a"), "`a` is not KEY=VALUE");
  EXPECT_THAT(After("scenes", "x=red"), HasSubstr("not a whole number"));
  EXPECT_THAT(After("scenes", "7=blue"), HasSubstr("is none of"));
}

TEST_F(FieldValueTest, AKeyIsGivenOnce) {
  EXPECT_TRUE(Set("labels", "a=1").ok());
  EXPECT_TRUE(Set("labels", "b=1").ok());
  EXPECT_EQ(Set("labels", "a=2").message(), "`a` is given twice");
}

TEST_F(FieldValueTest, MessagesAreGivenWhole) {
  EXPECT_EQ(After("shade", "{\"cloth\": \"silk\"}"),
            "shade { cloth: \"silk\" }");
  EXPECT_EQ(After("spares", "lamp_id: 'a'"), "spares { lamp_id: \"a\" }");
  EXPECT_THAT(After("shade", "{\"clot\": 1}"),
              HasSubstr("not a vigil.cli.testing.Shade as JSON"));
  EXPECT_THAT(After("shade", "cloth: 1"), HasSubstr("as textproto: column 8"));
  EXPECT_THAT(After("shade", "@file"), HasSubstr("as textproto"));
}

TEST_F(FieldValueTest, RepeatedFieldsGrow) {
  EXPECT_TRUE(Set("rooms", "a").ok());
  EXPECT_EQ(After("rooms", "b"), "rooms: \"a\" rooms: \"b\"");
}

}  // namespace
}  // namespace vigil::cli
