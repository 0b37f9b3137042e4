// Proves how findings of `vigil doctor` are written: for people in columns with
// the advice below, for programs as one JSON object a line.
#include "client/cli/doctor_format.h"

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

const Style kPlain(Style::Colour::kNone);
const Style kAnsi(Style::Colour::kAnsi);

CheckResult Named(const std::string& name, CheckResult result) {
  result.check = name;
  return result;
}

TEST(DoctorFormatTest, WritesEachStateInColumns) {
  EXPECT_EQ(FormatCheck(Named("slots", CheckResult::Ok("2 jobs")), "", kPlain),
            "ok      slots        2 jobs\n");
  EXPECT_EQ(FormatCheck(Named("nested_pool", CheckResult::Failed("no", "do")),
                        "", kPlain),
            "FAILED  nested pool  no\n        do\n");
  EXPECT_EQ(
      FormatCheck(Named("cancel", CheckResult::Skipped("far")), "", kPlain),
      "skipped cancel       far\n");
}

TEST(DoctorFormatTest, GivesTheSameAdviceOnce) {
  const CheckResult result =
      Named("slots", CheckResult::Failed("no", "start one"));
  EXPECT_EQ(FormatCheck(result, "start one", kPlain),
            "FAILED  slots        no\n");
  EXPECT_EQ(FormatCheck(result, "another", kPlain),
            "FAILED  slots        no\n        start one\n");
}

TEST(DoctorFormatTest, ColoursTheStateOnly) {
  EXPECT_EQ(FormatCheck(Named("slots", CheckResult::Ok("2 jobs")), "", kAnsi),
            "\033[32mok      \033[0mslots        2 jobs\n");
}

TEST(DoctorFormatTest, KeepsAMessageOfManyLinesOnOne) {
  EXPECT_EQ(FormatCheck(Named("slots", CheckResult::Failed("a\nb", "c\nd")), "",
                        kPlain),
            "FAILED  slots        a\\nb\n        c\\nd\n");
}

TEST(DoctorFormatTest, SumsUp) {
  const CheckResult ok = CheckResult::Ok("");
  EXPECT_EQ(FormatSummary({ok}, kPlain), "1 check: 1 ok\n");
  EXPECT_EQ(FormatSummary(
                {ok, CheckResult::Failed("", ""), ok, CheckResult::Skipped("")},
                kPlain),
            "4 checks: 2 ok, 1 skipped, 1 FAILED\n");
}

TEST(DoctorFormatTest, WritesJson) {
  CheckResult result = Named("batch", CheckResult::Failed("\"x\"", "do it"));
  result.Add("items", int64_t{50});
  result.Add("policy", std::string("ENFORCED"));
  result.AddMs("late_ms", absl::Microseconds(1250));
  EXPECT_EQ(CheckJson(result),
            R"({"check":"batch","state":"FAILED","message":"\"x\"",)"
            R"("advice":"do it","figures":{"items":50,)"
            R"("policy":"ENFORCED","late_ms":1.250}})"
            "\n");
  EXPECT_EQ(CheckJson(Named("slots", CheckResult::Skipped("busy"))),
            R"({"check":"slots","state":"SKIPPED","message":"busy",)"
            R"("advice":"","figures":{}})"
            "\n");
}

}  // namespace
}  // namespace vigil::cli
