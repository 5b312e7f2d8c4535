#include "turnout/picker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/balance/testing.h"

namespace turnout {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(PickArgsTest, MethodIsWhatFollowsTheLastSlash) {
  balance::testing::FakePickArgs args;
  EXPECT_EQ(args.Method("ApiTest").method(), "ApiTest");
  EXPECT_EQ(args.Method("").method(), "");
}

TEST(ConnectionStateTest, HasNames) {
  EXPECT_EQ(ToString(ConnectionState::kIdle), "idle");
  EXPECT_EQ(ToString(ConnectionState::kConnecting), "connecting");
  EXPECT_EQ(ToString(ConnectionState::kReady), "ready");
  EXPECT_EQ(ToString(ConnectionState::kFailing), "failing");
}

TEST(PickResultTest, StatesAnEndpointOrAVerdict) {
  const Endpoint endpoint;
  const PickResult to = PickResult::To(endpoint);
  EXPECT_EQ(to.kind(), PickResult::Kind::kEndpoint);
  EXPECT_EQ(to.endpoint(), &endpoint);
  EXPECT_TRUE(to.status().ok());
  EXPECT_THAT(to.metadata(), IsEmpty());

  EXPECT_EQ(PickResult::Queue().kind(), PickResult::Kind::kQueue);
  EXPECT_EQ(PickResult::Queue().endpoint(), nullptr);

  const PickResult fail = PickResult::Fail(absl::UnavailableError("gone"));
  EXPECT_EQ(fail.kind(), PickResult::Kind::kFail);
  EXPECT_EQ(fail.status(), absl::UnavailableError("gone"));

  const PickResult drop = PickResult::Drop(absl::UnavailableError("shed"));
  EXPECT_EQ(drop.kind(), PickResult::Kind::kDrop);
  EXPECT_EQ(drop.status(), absl::UnavailableError("shed"));
}

TEST(PickResultTest, ARefusalIsNeverOk) {
  EXPECT_EQ(PickResult::Fail(absl::OkStatus()).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(PickResult::Drop(absl::OkStatus()).status().code(), absl::StatusCode::kInternal);
}

TEST(PickResultTest, CarriesMetadata) {
  const Endpoint endpoint;
  PickResult result = PickResult::To(endpoint).AddMetadata("a", "1");
  result.AddMetadata("b", "2");
  EXPECT_EQ(result.endpoint(), &endpoint);
  EXPECT_THAT(result.metadata(), ElementsAre(Pair("a", "1"), Pair("b", "2")));
}

TEST(PickResultTest, RunsFinishCallbacksInOrder) {
  std::string calls;
  const Endpoint endpoint;
  PickResult result = PickResult::To(endpoint)
                          .OnFinish([&](const CallOutcome&) { calls += "first "; })
                          .OnFinish(nullptr)
                          .OnFinish([&](const CallOutcome& outcome) {
                            calls += outcome.status.message() == "late" ? "second" : "wrong";
                          });
  const PickResult::FinishCallback callback = result.TakeFinishCallback();
  callback({.status = absl::DeadlineExceededError("late")});
  EXPECT_EQ(calls, "first second");
  EXPECT_EQ(result.TakeFinishCallback(), nullptr);
  EXPECT_EQ(PickResult::Queue().TakeFinishCallback(), nullptr);
}

// Every call returns one.
TEST(PickResultTest, IsSmall) { EXPECT_LE(sizeof(PickResult), 32u); }

}  // namespace
}  // namespace turnout
