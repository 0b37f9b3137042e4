// Proves which values flags take and what is said of others.
#include "client/cli/flag_values.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;

TEST(ParseDuration, TakesTheFormsOfAbseil) {
  EXPECT_EQ(*ParseDuration("45s"), absl::Seconds(45));
  EXPECT_EQ(*ParseDuration("1m30s"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(*ParseDuration("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseDuration("-3s"), absl::Seconds(-3));
}

TEST(ParseDuration, RefusesNumbersWithoutUnitAndSaysSo) {
  EXPECT_THAT(std::string(ParseDuration("45").status().message()),
              HasSubstr("it has no unit"));
  EXPECT_THAT(std::string(ParseDuration("soon").status().message()),
              HasSubstr("1m30s"));
}

TEST(ParseDuration, RefusesWhatIsNotFinite) {
  EXPECT_FALSE(ParseDuration("inf").ok());
  EXPECT_FALSE(ParseDuration("-inf").ok());
  EXPECT_FALSE(ParseDuration("99999999999999999999h").ok());
}

TEST(ParseReason, TakesAnyCaseDashesAndPrefix) {
  for (const char* name :
       {"INVALID_INPUT", "invalid-input", "REASON_INVALID_INPUT"}) {
    EXPECT_EQ(*ParseReason(name), v1::Failure::REASON_INVALID_INPUT) << name;
  }
}

TEST(ParseReason, NamesTheNearest) {
  EXPECT_THAT(std::string(ParseReason("INVALID_IMPUT").status().message()),
              HasSubstr("INVALID_INPUT?"));
  EXPECT_FALSE(ParseReason("UNSPECIFIED").ok());
  EXPECT_FALSE(ParseReason("").ok());
}

TEST(AddReasons, SplitsAtCommas) {
  std::vector<v1::Failure::Reason> reasons;
  Setter set = AddReasons([&](auto reason) { reasons.push_back(reason); });
  ASSERT_TRUE(set("NONZERO_EXIT,SIGNALLED").ok());
  EXPECT_THAT(reasons, ::testing::ElementsAre(v1::Failure::REASON_NONZERO_EXIT,
                                              v1::Failure::REASON_SIGNALLED));
}

TEST(SetNumber, KeepsItsBounds) {
  int number = 0;
  Setter set = SetNumber(1, 3, [&](int value) { number = value; });
  EXPECT_TRUE(set("1").ok());
  EXPECT_TRUE(set("3").ok());
  EXPECT_EQ(number, 3);
  for (const char* value : {"0", "4", "", "x", "2x", "99999999999"}) {
    EXPECT_FALSE(set(value).ok()) << value;
  }
}

TEST(Setters, RefuseTextThatIsNotUtf8) {
  std::string text;
  std::optional<std::string> optional;
  std::vector<std::string> list;
  for (const Setter& set :
       {SetText(&text), SetOptionalText(&optional), AddText(&list)}) {
    EXPECT_TRUE(set("").ok());
    EXPECT_TRUE(set("\xc3\xa9").ok());
    EXPECT_EQ(set("\xff").message(), "the value is not UTF-8 text");
  }
}

TEST(SetOptionalText, EmptyIsAValue) {
  std::optional<std::string> text;
  EXPECT_TRUE(SetOptionalText(&text)("").ok());
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace vigil::cli
