// For tests: a follower of a fake etcd, on fake time.
#ifndef TURNOUT_SRC_DISCOVERY_FOLLOWER_FIXTURE_H_
#define TURNOUT_SRC_DISCOVERY_FOLLOWER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/discovery/fake_client.h"
#include "src/discovery/follower.h"

namespace turnout::discovery {

inline constexpr char kService[] = "hwholiday.srv.app";
inline constexpr char kRecords[] = "/hwholiday/srv/app/";
inline constexpr char kRules[] = "/turnout/rules/hwholiday.srv.app";
inline constexpr char kStates[] = "/turnout/state/hwholiday.srv.app/";

class FollowerTest : public ::testing::Test, public Follower::Listener {
 protected:
  FollowerTest() : FollowerTest({.service = kService, .keys = model::Keys("")}) {}
  explicit FollowerTest(Scope scope) {
    follower = std::make_unique<Follower>(
        std::move(scope),
        Follower::Environment{
            .client = client,
            .run_after = [this](auto delay,
                                auto task) { return timers.RunAfter(delay, std::move(task)); },
            .now = [this] { return timers.now(); }},
        *this);
  }

  void OnSnapshot(std::shared_ptr<const Snapshot> snapshot) override {
    snapshots.push_back(std::move(snapshot));
  }
  void OnError(const absl::Status& error) override { errors.push_back(error); }
  void OnRecovered() override { ++recoveries; }

  static etcd::KeyValue Record(int n, etcd::Revision revision, std::string_view version = "v1") {
    std::string value = R"({"node":{"version":")";
    value.append(version).append(R"(","address":"10.0.)");
    value.append(std::to_string(n / 250) + "." + std::to_string(n % 250) + R"(:80"}})");
    return {.key = kRecords + std::string("app-") + std::to_string(1000 + n),
            .value = std::move(value),
            .create_revision = 1 + n,
            .mod_revision = revision};
  }
  static etcd::KeyValue Rules(std::string document, etcd::Revision revision) {
    return {.key = kRules,
            .value = std::move(document),
            .create_revision = revision,
            .mod_revision = revision};
  }
  // `rules_revision` 0: as that of the states.
  void AnswerList(etcd::Revision records_revision, etcd::Revision states_revision,
                  std::vector<etcd::KeyValue> records, etcd::Revision rules_revision = 0,
                  std::vector<etcd::KeyValue> rules = {}) {
    if (rules_revision == 0) rules_revision = states_revision;
    ASSERT_TRUE(client.Answer(kRecords, etcd::RangeResult{records_revision, std::move(records)}));
    ASSERT_TRUE(client.Answer(kStates, etcd::RangeResult{states_revision, {}}));
    ASSERT_TRUE(client.AnswerGet(kRules, etcd::RangeResult{rules_revision, std::move(rules)}));
  }
  etcd::Client::WatchObserver& Watched(const char* prefix) const {
    const auto* watch = client.WatchOn(prefix);
    if (watch == nullptr) throw std::logic_error("nothing is watched");  // fails the test
    return *watch->observer;
  }
  void Put(const etcd::KeyValue& kv) const {
    Watched(kRecords).OnEvents({{etcd::Event::Type::kPut, kv}}, kv.mod_revision);
  }
  void PutRules(std::string document, etcd::Revision revision) const {
    Watched(kRules).OnEvents({{etcd::Event::Type::kPut, Rules(std::move(document), revision)}},
                             revision);
  }
  void Delete(int n, etcd::Revision revision) const {
    Watched(kRecords).OnEvents(
        {{etcd::Event::Type::kDelete, {.key = Record(n, 0).key, .mod_revision = revision}}},
        revision);
  }
  std::size_t Members() const { return snapshots.back()->members.size(); }

  FakeClient client;
  FakeTimers timers;
  std::vector<std::shared_ptr<const Snapshot>> snapshots;
  std::vector<absl::Status> errors;
  int recoveries = 0;
  std::unique_ptr<Follower> follower;
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_FOLLOWER_FIXTURE_H_
