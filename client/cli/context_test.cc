// Proves that contexts are made, shown, used and forgotten by `vigil context`,
// and that other verbs go where they say. Programs run for real, with a
// scripted coordinator and a directory of the test's own for the user's.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/files.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ContextTest : public VigilFixture {
 protected:
  struct Ended {
    int status;
    std::string out;
    std::string err;
  };

  Ended Vigil(std::vector<std::string> arguments,
              std::vector<std::string> variables = {}) {
    variables.push_back("HOME=" + dir_.path());
    variables.push_back("XDG_RUNTIME_DIR=" + dir_.path());
    VigilProcess vigil(dir_.path(), std::move(arguments), std::move(variables));
    const int status = vigil.Wait();
    return {status, vigil.out(), vigil.err()};
  }

  const std::string file_ = dir_.path() + "/.config/vigil/config.json";
};

TEST_F(ContextTest, AreMadeListedUsedAndForgotten) {
  EXPECT_THAT(Vigil({"context", "list"}).out, HasSubstr("no contexts"));
  const Ended set = Vigil({"context", "set", "prod", "--address=10.0.0.1:7070",
                           "--namespace=team"});
  EXPECT_EQ(set.status, 0);
  EXPECT_EQ(set.out,
            "context `prod` is set; `vigil context use prod` makes it the "
            "current one\n");
  EXPECT_EQ(Vigil({"context", "set", "dev", "--address=unix:/s"}).status, 0);
  EXPECT_EQ(Vigil({"context", "use", "prod"}).out,
            "context `prod` is the current one\n");
  EXPECT_EQ(Vigil({"context", "list"}).out,
            "  CONTEXT  ADDRESS        NAMESPACE\n"
            "  dev      unix:/s\n"
            "* prod     10.0.0.1:7070  team\n");
  EXPECT_EQ(Vigil({"context", "show"}).out,
            "context    prod (the current one)\n"
            "address    10.0.0.1:7070 (that of context `prod`, the current "
            "one)\n"
            "namespace  team\n");
  // What a flag does not say stays.
  EXPECT_EQ(Vigil({"context", "set", "prod", "--namespace="}).status, 0);
  EXPECT_THAT(Vigil({"context", "list"}).out,
              HasSubstr("* prod     10.0.0.1:7070\n"));
  EXPECT_EQ(Vigil({"context", "use", "--none"}).status, 0);
  EXPECT_EQ(Vigil({"context", "show"}).out,
            absl::StrCat("context    none\naddress    unix:", dir_.path(),
                         "/vigil/vigil.sock (the default)\n"
                         "namespace  default\n"));
  EXPECT_EQ(Vigil({"context", "use", "dev"}).status, 0);
  EXPECT_EQ(Vigil({"context", "delete", "dev"}).out,
            "context `dev` is forgotten; no other one is current\n");
  EXPECT_THAT(Vigil({"context", "list", "-ojson"}).out,
              HasSubstr("\"name\": \"prod\""));
}

TEST_F(ContextTest, VerbsGoWhereTheContextSays) {
  std::string name_space;
  fake_.on_get = [&](const auto& request, auto* response) {
    name_space = request.namespace_();
    response->mutable_job()->set_job_id(request.job_id());
    response->mutable_job()->set_state(v1::Job::STATE_SUCCEEDED);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  Vigil({"context", "set", "here", "--address=" + address_, "--namespace=n"});
  EXPECT_EQ(Vigil({"explain", "j", "--context=here"}).status, 0);
  EXPECT_EQ(name_space, "n");
  EXPECT_EQ(Vigil({"explain", "j"}, {"VIGIL_CONTEXT=here"}).status, 0);
  Vigil({"context", "use", "here"});
  EXPECT_EQ(Vigil({"explain", "j", "--namespace=other"}).status, 0);
  EXPECT_EQ(name_space, "other");
  EXPECT_EQ(Vigil({"explain", "j"}).status, 0);
  EXPECT_EQ(name_space, "n");
  // Another coordinator has another's namespaces.
  EXPECT_EQ(Vigil({"explain", "j"}, {"VIGIL_ADDRESS=" + address_}).status, 0);
  EXPECT_EQ(name_space, "");
}

TEST_F(ContextTest, AnUnreachableOneIsToldByItsName) {
  Vigil({"context", "set", "gone", "--address=unix:/no/such/socket"});
  const Ended ended = Vigil({"top", "--context=gone"});
  EXPECT_EQ(ended.status, 125);
  EXPECT_THAT(ended.err,
              HasSubstr("unix:/no/such/socket (that of context `gone`, given "
                        "by --context): nobody listens there"));
}

TEST_F(ContextTest, MisuseAndUnknownNamesAreTold) {
  Vigil({"context", "set", "prod", "--address=a:1"});
  const Ended unknown = Vigil({"context", "use", "prd"});
  EXPECT_EQ(unknown.status, 125);
  EXPECT_EQ(unknown.err,
            "vigil: no context `prd` in " + file_ + "; did you mean `prod`?\n");
  EXPECT_THAT(Vigil({"top"}, {"VIGIL_CONTEXT=prd"}).err,
              StartsWith("vigil: no context `prd` (given by VIGIL_CONTEXT)"));
  EXPECT_EQ(Vigil({"context"}).err,
            "vigil: context wants a command (see `vigil context --help`)\n");
  EXPECT_THAT(Vigil({"context", "lst"}).err, HasSubstr("did you mean `list`?"));
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{
           {"set", "x"},
           {"set", "a b", "--address=a:1"},
           {"set", "--address=a:1", "--", "-x"},
           {"set", "x", "--address=nonsense"},
           {"set", "x", "--namespace=a b"},
           {"use"},
           {"use", "prod", "--none"},
           {"use", "prod", "--address=a:1"},
           {"delete"},
           {"list", "x"},
           {"list", "--none"},
           {"use", "prod", "-ojson"}}) {
    std::vector<std::string> all = {"context"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    EXPECT_EQ(Vigil(all).status, 125) << arguments[0];
  }
  EXPECT_EQ(Vigil({"context", "list"}).out,
            "  CONTEXT  ADDRESS\n  prod     a:1\n");
}

TEST_F(ContextTest, ADamagedFileIsInTheWayOfWhoNeedsIt) {
  fake_.on_status = [](auto*) { return grpc::Status::OK; };
  fake_.Start(address_);
  Vigil({"context", "set", "prod", "--address=a:1"});
  ASSERT_TRUE(WriteFile(file_, "{\n  nonsense\n").ok());
  const Ended needs = Vigil({"top", "--once"});
  EXPECT_EQ(needs.status, 125);
  EXPECT_THAT(needs.err, StartsWith("vigil: " + file_ + ":2: "));
  EXPECT_EQ(Vigil({"top", "--once", "--address=" + address_}).status, 0);
}

}  // namespace
}  // namespace vigil::cli
