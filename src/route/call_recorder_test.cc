#include "src/route/call_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "turnout/rules.h"

namespace turnout::route {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class FakeCall final : public CallFacts {
 public:
  std::string_view path() const override { return "/pkg.Service/Method"; }
  std::optional<std::string_view> Metadata(const std::string& key) const override {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) return std::nullopt;
    return found->second;
  }

 private:
  const std::map<std::string, std::string> metadata_ = {{"user", "u-1"}, {"password", "s3same"}};
};

class CallRecorderTest : public ::testing::Test {
 protected:
  ~CallRecorderTest() override { StopRecordingCalls(); }

  CallRecording Recording() const {
    return {.path = folder_ / "calls.jsonl", .keys = {"user", "lane"}, .share = 1};
  }
  static void Call(int times) {
    for (int i = 0; i < times; ++i) RecordCall("srv.app", FakeCall());
  }
  std::vector<json> Lines() const {
    std::vector<json> lines;
    std::ifstream file(folder_ / "calls.jsonl");
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }

  const turnout::testing::TemporaryFolder folder_;
};

TEST_F(CallRecorderTest, WritesWhoCalledWhatWithTheKeysThatAreNamed) {
  SetCaller({.service = "srv.web", .version = "v2", .labels = {{"zone", "a"}}});
  ASSERT_EQ(StartRecordingCalls(Recording()), absl::OkStatus());
  Call(1);
  StopRecordingCalls();
  Call(1);
  ASSERT_THAT(Lines(), SizeIs(1));
  EXPECT_EQ(Lines()[0], json::parse(R"({"service":"srv.app","method":"/pkg.Service/Method",
      "caller":{"service":"srv.web","version":"v2","labels":{"zone":"a"}},
      "metadata":{"user":"u-1"},"count":1})"));
  struct stat status {};
  ASSERT_EQ(stat((folder_ / "calls.jsonl").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(CallRecorderTest, ALineStandsForTheCallsThatWereNotDrawn) {
  CallRecording recording = Recording();
  recording.share = 0.1;
  ASSERT_EQ(StartRecordingCalls(recording), absl::OkStatus());
  Call(5000);
  StopRecordingCalls();
  EXPECT_NEAR(static_cast<double>(Lines().size()), 500, 150);  // 7 standard deviations
  EXPECT_EQ(Lines()[0]["count"], 10);
}

TEST_F(CallRecorderTest, EndsByItselfAfterTheMostLines) {
  CallRecording recording = Recording();
  recording.most = 7;
  ASSERT_EQ(StartRecordingCalls(recording), absl::OkStatus());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([] { Call(100); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(internal::recording);
  StopRecordingCalls();
  EXPECT_THAT(Lines(), SizeIs(7));
}

TEST_F(CallRecorderTest, OneAtATimeAndLaterOnesAppend) {
  ASSERT_EQ(StartRecordingCalls(Recording()), absl::OkStatus());
  EXPECT_EQ(StartRecordingCalls(Recording()).code(), absl::StatusCode::kAlreadyExists);
  Call(2);
  StopRecordingCalls();
  StopRecordingCalls();
  ASSERT_EQ(StartRecordingCalls(Recording()), absl::OkStatus());
  Call(1);
  StopRecordingCalls();
  EXPECT_THAT(Lines(), SizeIs(3));
}

TEST_F(CallRecorderTest, NamesTheFieldThatIsWrong) {
  const auto message = [&](auto change) {
    CallRecording recording = Recording();
    change(recording);
    const absl::Status status = StartRecordingCalls(recording);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string{status.message()};
  };
  EXPECT_THAT(message([](auto& r) { r.share = 0; }), StartsWith("share: "));
  EXPECT_THAT(message([](auto& r) { r.share = 1.5; }), StartsWith("share: "));
  EXPECT_THAT(message([](auto& r) { r.most = 0; }), StartsWith("most: "));
  EXPECT_THAT(message([](auto& r) { r.keys = {"Upper"}; }), StartsWith("keys: "));
  EXPECT_THAT(message([](auto& r) { r.path = "/no/such/folder/calls"; }),
              HasSubstr("No such file or directory"));
  Call(1);
  EXPECT_THAT(Lines(), IsEmpty());
}

}  // namespace
}  // namespace turnout::route
