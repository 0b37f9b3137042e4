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

TEST(ParseBytes, TakesPlainBytesAndPowersOf1024) {
  constexpr int64_t kKib = 1024;
  const struct {
    const char* text;
    int64_t bytes;
  } cases[] = {
      {"0", 0},
      {"1048576", 1048576},
      {"7B", 7},
      {"1K", kKib},
      {"1KiB", kKib},
      {"512M", 512 * kKib * kKib},
      {"512mib", 512 * kKib * kKib},
      {"512Mi", 512 * kKib * kKib},
      {"2G", 2 * kKib * kKib * kKib},
      {"2GiB", 2 * kKib * kKib * kKib},
      {"1.5G", 3 * kKib * kKib * kKib / 2},
      {"3T", 3 * kKib * kKib * kKib * kKib},
      {"3TiB", 3 * kKib * kKib * kKib * kKib},
      {"9007199254740992", int64_t{1} << 53},
  };
  for (const auto& test : cases) {
    const absl::StatusOr<int64_t> bytes = ParseBytes(test.text);
    ASSERT_TRUE(bytes.ok()) << test.text << ": " << bytes.status();
    EXPECT_EQ(*bytes, test.bytes) << test.text;
  }
}

TEST(ParseBytes, RefusesWhatIsNoSizeOrMayMeanTwo) {
  for (const char* text :
       {"", "M", ".", "-1", "+1", "1e3", "0x10", "inf", "nan", "1 G", "512MB",
        "1kb", "1X", "1.2.3", "1iB", "1KK", "1KMiB", "G1"}) {
    EXPECT_THAT(std::string(ParseBytes(text).status().message()),
                HasSubstr("512M"))
        << text;
  }
  for (const char* text : {"9000T", "99999999999999999999999"}) {
    EXPECT_THAT(std::string(ParseBytes(text).status().message()),
                HasSubstr("larger than any memory"))
        << text;
  }
}

TEST(ParseSignal, TakesNamesAndNumbers) {
  for (const char* text : {"USR1", "SIGUSR1", "sigusr1", "usr1", "10"}) {
    ASSERT_TRUE(ParseSignal(text).ok()) << text;
    EXPECT_EQ(*ParseSignal(text), 10) << text;
  }
  EXPECT_EQ(*ParseSignal("1"), 1);
  EXPECT_EQ(*ParseSignal("31"), 31);
  EXPECT_EQ(*ParseSignal("QUIT"), 3);
}

TEST(ParseSignal, RefusesOthersAndNamesTheNearest) {
  EXPECT_THAT(std::string(ParseSignal("SIGUSR3").status().message()),
              HasSubstr("did you mean USR"));
  EXPECT_THAT(std::string(ParseSignal("whatever").status().message()),
              HasSubstr("USR1 is a good choice"));
  for (const char* text : {"", "0", "32", "-1", "SIG"}) {
    EXPECT_FALSE(ParseSignal(text).ok()) << text;
  }
}

TEST(ParseOnNestedPool, TakesAnyCaseDashesAndPrefix) {
  for (const char* text :
       {"retry_sequential", "RETRY-SEQUENTIAL", "Retry_Sequential",
        "ON_NESTED_POOL_RETRY_SEQUENTIAL"}) {
    ASSERT_TRUE(ParseOnNestedPool(text).ok()) << text;
    EXPECT_EQ(*ParseOnNestedPool(text),
              v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL)
        << text;
  }
  EXPECT_EQ(*ParseOnNestedPool("fail"), v1::JobSpec::ON_NESTED_POOL_FAIL);
  EXPECT_EQ(*ParseOnNestedPool("deny"), v1::JobSpec::ON_NESTED_POOL_DENY);
  EXPECT_EQ(*ParseOnNestedPool("sequential"),
            v1::JobSpec::ON_NESTED_POOL_SEQUENTIAL);
  EXPECT_EQ(*ParseOnNestedPool("audit"), v1::JobSpec::ON_NESTED_POOL_AUDIT);
}

TEST(ParseOnNestedPool, ListsThemAllAndNamesTheNearest) {
  EXPECT_EQ(std::string(ParseOnNestedPool("sequental").status().message()),
            "`sequental` is none of fail, deny, sequential, audit, "
            "retry_sequential; did you mean sequential?");
  EXPECT_EQ(std::string(ParseOnNestedPool("x").status().message()),
            "`x` is none of fail, deny, sequential, audit, retry_sequential");
  EXPECT_FALSE(ParseOnNestedPool("").ok());
  EXPECT_FALSE(ParseOnNestedPool("unspecified").ok());
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

TEST(SetChoice, TakesItsWordsAndNamesThem) {
  int chosen = 0;
  const Setter of_two = SetChoice<int>(&chosen, {{"one", 1}, {"two", 2}});
  EXPECT_TRUE(of_two("two").ok());
  EXPECT_EQ(chosen, 2);
  EXPECT_EQ(of_two("").message(), "`` is neither one nor two");
  const Setter of_three =
      SetChoice<int>(&chosen, {{"one", 1}, {"two", 2}, {"three", 3}});
  EXPECT_EQ(of_three("four").message(), "`four` is neither one, two nor three");
  EXPECT_EQ(chosen, 2);
}

TEST(SetOptionalText, EmptyIsAValue) {
  std::optional<std::string> text;
  EXPECT_TRUE(SetOptionalText(&text)("").ok());
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace vigil::cli
