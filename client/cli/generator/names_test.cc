// Proves the rules by which names in protos become nouns, verbs and flags.
#include "client/cli/generator/names.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/cli.pb.h"
#include "vigil/v1/failure.pb.h"

namespace vigil::cli::generator {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(NamesTest, WordsBeginAtCapitals) {
  EXPECT_THAT(Words("SetWorkerSlots"), ElementsAre("set", "worker", "slots"));
  EXPECT_THAT(Words("GetHTTPLog"), ElementsAre("get", "http", "log"));
  EXPECT_THAT(Words("GetV2Log"), ElementsAre("get", "v2", "log"));
  EXPECT_THAT(Words("get"), ElementsAre("get"));
  EXPECT_THAT(Words(""), IsEmpty());
}

TEST(NamesTest, ANounIsAServiceWithoutThatWord) {
  EXPECT_EQ(NounName("JobService"), "job");
  EXPECT_EQ(NounName("TaskTypeService"), "task-type");
  EXPECT_EQ(NounName("Health"), "health");
  EXPECT_EQ(NounName("Service"), "service");
}

TEST(NamesTest, AVerbIsAMethodWithoutItsNoun) {
  EXPECT_EQ(VerbName("GetJob", "job"), "get");
  EXPECT_EQ(VerbName("SetWorkerSlots", "worker"), "set-slots");
  EXPECT_EQ(VerbName("ReadOutput", "job"), "read-output");
  EXPECT_EQ(VerbName("GetTaskTypeInfo", "task-type"), "get-info");
}

TEST(NamesTest, AVerbLosesAPluralOfItsNoun) {
  EXPECT_EQ(VerbName("ListJobs", "job"), "list");
  EXPECT_EQ(VerbName("ListBatches", "batch"), "list");
  EXPECT_EQ(VerbName("ListPolicies", "policy"), "list");
  EXPECT_EQ(VerbName("ListKeys", "key"), "list");
  EXPECT_EQ(VerbName("ListBoxes", "box"), "list");
  EXPECT_EQ(VerbName("ListStatuses", "status"), "list");
  EXPECT_EQ(VerbName("ListTaskTypes", "task-type"), "list");
}

TEST(NamesTest, AVerbKeepsWordsThatOnlyBeginAsItsNoun) {
  EXPECT_EQ(VerbName("ListJobless", "job"), "list-jobless");
  EXPECT_EQ(VerbName("GetTask", "task-type"), "get-task");
}

TEST(NamesTest, AMethodThatIsOnlyItsNounHasNoVerb) {
  EXPECT_EQ(VerbName("Job", "job"), "");
}

TEST(NamesTest, ACommandIsWordsJoinedByDashes) {
  EXPECT_TRUE(IsCommandName("submit-many"));
  EXPECT_TRUE(IsCommandName("v2"));
  for (const char* bad : {"", "-a", "a-", "a--b", "Get", "a b", "a_b", "2v"}) {
    EXPECT_FALSE(IsCommandName(bad)) << bad;
  }
}

TEST(NamesTest, AFlagHasNoTimeoutAtItsEnd) {
  EXPECT_EQ(FlagPart("inactivity_timeout"), "inactivity");
  EXPECT_EQ(FlagPart("timeouts"), "timeouts");
  EXPECT_EQ(FlagPart("timeout_cause"), "timeout_cause");
  EXPECT_EQ(FlagPart("timeout"), "timeout");
  EXPECT_EQ(FlagPart("_timeout"), "_timeout");
}

TEST(NamesTest, AnEnumsValuesLoseItsNameAndTheOneThatIsNone) {
  EXPECT_EQ(EnumPrefix(*v1::ResultOrder_descriptor()), "RESULT_ORDER_");
  EXPECT_THAT(EnumValues(*v1::ResultOrder_descriptor()),
              ElementsAre("AS_COMPLETED", "BY_INDEX"));
  EXPECT_THAT(EnumValues(*v1::Failure::Reason_descriptor()),
              Not(Contains("UNSPECIFIED")));
}

TEST(NamesTest, AnEnumOfAnotherStyleKeepsItsNames) {
  EXPECT_EQ(EnumPrefix(*google::protobuf::FieldOptions::CType_descriptor()),
            "");
  EXPECT_THAT(EnumValues(*google::protobuf::FieldOptions::CType_descriptor()),
              ElementsAre("STRING", "CORD", "STRING_PIECE"));
}

TEST(NamesTest, ATypesShortNameHasNoPackage) {
  EXPECT_EQ(ShortName(*v1::Failure::descriptor()), "Failure");
  EXPECT_EQ(ShortName(*v1::Failure::Reason_descriptor()), "Failure.Reason");
}

}  // namespace
}  // namespace vigil::cli::generator
