// Tests primary_replica.cc without a channel, a server or etcd: endpoints and calls are made by
// hand.
#include "examples/primary_replica.h"

#include <gtest/gtest.h>

#include <map>

namespace {

using turnout::ConnectionState;
using turnout::Endpoint;
using turnout::EndpointGroup;
using turnout::PickResult;

Endpoint MakeEndpoint(std::string id, std::string role,
                      ConnectionState state = ConnectionState::kReady) {
  auto instance = std::make_shared<turnout::Instance>();
  instance->id = std::move(id);
  instance->metadata["role"] = std::move(role);
  instance->addresses = {"127.0.0.1:80"};
  Endpoint endpoint;
  endpoint.member.instance = std::move(instance);
  endpoint.member.stats = std::make_shared<turnout::InstanceStats>();
  endpoint.state = state;
  return endpoint;
}

// A call of `method` that has gone to `tried` before.
class Call final : public turnout::PickArgs {
 public:
  explicit Call(const std::string& method, const Endpoint* tried = nullptr)
      : path_("/shop.Orders/" + method), tried_(tried) {}
  Call& Set(const std::string& key, const std::string& value) {
    metadata_[key] = value;
    return *this;
  }

  std::string_view path() const override { return path_; }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) return std::nullopt;
    return found->second;
  }
  int attempt() const override { return tried_ == nullptr ? 0 : 1; }
  bool Tried(const Endpoint& endpoint) const override { return &endpoint == tried_; }

 private:
  const std::string path_;
  const Endpoint* const tried_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

// The child among the primaries: takes the first.
class FirstBuilder final : public turnout::ChoosingPickerBuilder {
  class First final : public turnout::Picker {
   public:
    explicit First(const Endpoint& endpoint) : endpoint_(endpoint) {}
    PickResult Pick(const turnout::PickArgs&) const override { return PickResult::To(endpoint_); }

   private:
    const Endpoint& endpoint_;
  };
  std::unique_ptr<const turnout::Picker> BuildChoice(const EndpointGroup& group) const override {
    return std::make_unique<First>(*group.candidates().front());
  }
};

class PrimaryReplicaTest : public ::testing::Test {
 protected:
  std::unique_ptr<const turnout::Picker> Build() const {
    EndpointGroup::Members members;
    for (const Endpoint& endpoint : endpoints_) members.push_back(&endpoint);
    const auto builder = MakePrimaryReplica(
        {.rest = std::chrono::hours(1), .primaries = std::make_shared<FirstBuilder>()});
    return builder->Build(EndpointGroup("shop", members));
  }
  static std::string IdOf(const PickResult& result) {
    return result.endpoint() == nullptr ? "none" : result.endpoint()->instance().id;
  }

  std::vector<Endpoint> endpoints_ = {MakeEndpoint("a", "primary"), MakeEndpoint("b", "replica"),
                                      MakeEndpoint("c", "replica")};
};

TEST_F(PrimaryReplicaTest, WritesGoToThePrimary) {
  EXPECT_EQ(IdOf(Build()->Pick(Call("CreateOrder"))), "a");
  EXPECT_EQ(IdOf(Build()->Pick(Call("DeleteOrder"))), "a");
}

TEST_F(PrimaryReplicaTest, ReadsGoToTheLeastBusyReplica) {
  endpoints_[1].stats().CallStarted();
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder"))), "c");
  endpoints_[2].stats().CallStarted();
  endpoints_[2].stats().CallStarted();
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder"))), "b");
}

TEST_F(PrimaryReplicaTest, ARetryGoesToTheOtherReplica) {
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder"))), "b");
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder", &endpoints_[1]))), "c");
}

TEST_F(PrimaryReplicaTest, AWriteWaitsForAPrimary) {
  endpoints_.erase(endpoints_.begin());
  EXPECT_EQ(Build()->Pick(Call("CreateOrder")).kind(), PickResult::Kind::kQueue);
}

TEST_F(PrimaryReplicaTest, AReplicaThatFailedRests) {
  PickResult result = Build()->Pick(Call("GetOrder"));
  ASSERT_EQ(IdOf(result), "b");
  result.TakeFinishCallback()({.status = absl::InternalError("broken")});
  for (int i = 0; i < 3; ++i) endpoints_[2].stats().CallStarted();
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder"))), "c");  // what it knows outlives the picker
}

TEST_F(PrimaryReplicaTest, AReplicaThatSaysItIsOverloadedRests) {
  PickResult result = Build()->Pick(Call("GetOrder"));
  turnout::LoadReport load;
  load.cpu_utilization = 0.95;
  result.TakeFinishCallback()({.load = &load});
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder"))), "c");
}

TEST_F(PrimaryReplicaTest, AReplicaWithoutTroubleDoesNotRest) {
  PickResult result = Build()->Pick(Call("GetOrder"));
  result.TakeFinishCallback()({.status = absl::NotFoundError("no such order")});
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder"))), "b");
}

TEST_F(PrimaryReplicaTest, TheHeaderNamesTheInstance) {
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder").Set("x-debug", "a"))), "a");
  const PickResult dropped = Build()->Pick(Call("GetOrder").Set("x-debug", "z"));
  EXPECT_EQ(dropped.kind(), PickResult::Kind::kDrop);
  EXPECT_EQ(dropped.status(), absl::UnavailableError("x-debug: no instance z"));
}

TEST_F(PrimaryReplicaTest, TheHeaderConnectsAnIdleInstanceAndFailsWithOneThatCannotBeReached) {
  endpoints_[1] = MakeEndpoint("b", "replica", ConnectionState::kIdle);
  EXPECT_EQ(IdOf(Build()->Pick(Call("GetOrder").Set("x-debug", "b"))), "b");
  endpoints_[1].state = ConnectionState::kFailing;
  endpoints_[1].last_error = absl::UnknownError("connection refused");
  EXPECT_EQ(Build()->Pick(Call("GetOrder").Set("x-debug", "b")).status(),
            absl::UnavailableError("connection refused"));
}

}  // namespace
