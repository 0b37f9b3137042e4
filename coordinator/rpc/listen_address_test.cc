// Proves where the coordinator agrees to listen: its own sockets and loopback,
// more only when told so.
#include "coordinator/rpc/listen_address.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

bool Accepts(const std::string& listen,
             Exposure exposure = Exposure::kLoopbackOnly) {
  return ParseListen(listen, exposure).ok();
}

TEST(ListenAddressTest, TakesSocketsAndLoopback) {
  EXPECT_TRUE(Accepts("unix:/run/x.sock"));
  EXPECT_TRUE(Accepts("127.0.0.1:0"));
  EXPECT_TRUE(Accepts("127.1.2.3:65535"));
  EXPECT_TRUE(Accepts("localhost:80"));
  EXPECT_TRUE(Accepts("[::1]:80"));
  EXPECT_TRUE(Accepts("unix:/run/x.sock,127.0.0.1:7070"));
}

TEST(ListenAddressTest, RefusesTheRestOfTheWorldUnlessToldOtherwise) {
  for (const char* wide : {"0.0.0.0:80", "10.0.0.1:80", "[::]:80",
                           "example.com:80", "127.0.0.1.example.com:80"}) {
    EXPECT_FALSE(Accepts(wide)) << wide;
    EXPECT_TRUE(Accepts(wide, Exposure::kInsecureAllowed)) << wide;
  }
  EXPECT_FALSE(Accepts("127.0.0.1:80,0.0.0.0:81"));
}

TEST(ListenAddressTest, RefusesNonsense) {
  for (const char* bad : {"", "unix:", "unix:relative", "127.0.0.1",
                          "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                          ":80", "127.0.0.1:80,"}) {
    EXPECT_FALSE(Accepts(bad)) << bad;
  }
}

TEST(ListenAddressTest, HttpIsServedOverTcpUnderTheSameRule) {
  const auto accepts = [](const std::string& listen, Exposure exposure) {
    return ParseHttpListen(listen, exposure).ok();
  };
  EXPECT_EQ(*ParseHttpListen("127.0.0.1:0,[::1]:80", Exposure::kLoopbackOnly),
            (std::vector<std::string>{"127.0.0.1:0", "[::1]:80"}));
  EXPECT_FALSE(accepts("0.0.0.0:80", Exposure::kLoopbackOnly));
  EXPECT_TRUE(accepts("0.0.0.0:80", Exposure::kInsecureAllowed));
  for (const char* bad :
       {"", "unix:/run/x.sock", "127.0.0.1:65536", ":80", "127.0.0.1:80,"}) {
    EXPECT_FALSE(accepts(bad, Exposure::kInsecureAllowed)) << bad;
  }
}

TEST(ListenAddressTest, LongestSocketPathIsTakenAndOneByteMoreIsNot) {
  EXPECT_TRUE(Accepts("unix:/" + std::string(106, 'x')));
  const auto refused =
      ParseListen("unix:/" + std::string(107, 'x'), Exposure::kLoopbackOnly);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("108 bytes long"),
            std::string::npos);
}

class PrepareSocketTest : public ::testing::Test {
 protected:
  PrepareSocketTest() {
    std::string pattern = "/tmp/listenXXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~PrepareSocketTest() override { std::filesystem::remove_all(directory_); }

  UniqueFd Bind(const std::string& path) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(
        bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)),
        0);
    return fd;
  }

  std::string directory_;
};

TEST_F(PrepareSocketTest, MakesThePrivateDirectory) {
  const std::string path = directory_ + "/new/deep/s";
  ASSERT_TRUE(PrepareSocket(path).ok());
  struct stat info;
  ASSERT_EQ(stat((directory_ + "/new/deep").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(PrepareSocketTest, RemovesASocketThatNobodyListensOn) {
  const std::string path = directory_ + "/s";
  { const UniqueFd gone = Bind(path); }
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(PrepareSocket(path).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(PrepareSocketTest, LeavesALiveSocketAndAFileAlone) {
  const std::string path = directory_ + "/s";
  const UniqueFd live = Bind(path);
  ASSERT_EQ(listen(live.get(), 1), 0);
  EXPECT_FALSE(PrepareSocket(path).ok());
  EXPECT_TRUE(std::filesystem::exists(path));
  const std::string file = directory_ + "/file";
  std::ofstream(file) << "precious";
  EXPECT_FALSE(PrepareSocket(file).ok());
  EXPECT_TRUE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace vigil::coordinator
