// For tests: a service as it goes through folds.
#ifndef TURNOUT_SRC_DISCOVERY_FOLD_FIXTURE_H_
#define TURNOUT_SRC_DISCOVERY_FOLD_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/discovery/fold.h"

namespace turnout::discovery {

inline constexpr char kService[] = "hwholiday.srv.app";

inline std::string Value(std::string_view address, std::string_view version = "v1",
                         std::string_view metadata = "null", std::string_view endpoints = "null") {
  std::string value = R"({"node":{"version":")";
  value.append(version).append(R"(","address":")").append(address);
  value.append(R"("},"metadata":)").append(metadata);
  return value.append(",\"endpoints\":").append(endpoints).append("}");
}

// A service as it goes through folds, at a time that the test sets.
class FoldTest : public testing::Test {
 protected:
  using TimePoint = std::chrono::steady_clock::time_point;

  Scope scope{.service = kService, .keys = model::Keys("/ns")};
  TimePoint now{std::chrono::seconds(1)};
  etcd::Revision revision = 100;
  std::shared_ptr<const View> view;
  std::shared_ptr<const Snapshot> snapshot;
  Changes changes;

  etcd::KeyValue Record(const std::string& id, std::string value, etcd::Revision created = 0) {
    ++revision;
    return {.key = scope.keys.Record(kService, id),
            .value = std::move(value),
            .create_revision = created == 0 ? revision : created,
            .mod_revision = revision};
  }
  etcd::KeyValue State(const std::string& id, std::string value) {
    ++revision;
    return {.key = scope.keys.State(kService, id),
            .value = std::move(value),
            .create_revision = revision,
            .mod_revision = revision};
  }

  etcd::KeyValue Rules(std::string document) {
    ++revision;
    return {.key = scope.keys.Rules(kService),
            .value = std::move(document),
            .create_revision = revision,
            .mod_revision = revision};
  }

  void Take(Folded folded) {
    view = std::move(folded.view);
    changes = std::move(folded.changes);
    snapshot = MakeSnapshot(scope, *view);
  }
  void List(std::vector<etcd::KeyValue> records, std::vector<etcd::KeyValue> states = {},
            std::vector<etcd::KeyValue> rules = {}) {
    Take(FoldList(scope, view.get(),
                  {{revision, std::move(records)},
                   {revision, std::move(states)},
                   {revision, std::move(rules)}},
                  now));
  }
  void Events(const std::vector<etcd::Event>& events) {
    Take(FoldEvents(scope, *view, events, now));
  }
  void Wait(std::chrono::seconds time) {
    now += time;
    Take(FoldTime(scope, *view, now));
  }
  void Put(const etcd::KeyValue& kv) { Events({{etcd::Event::Type::kPut, kv}}); }
  void DeleteKey(const std::string& key) {
    Events({{etcd::Event::Type::kDelete, {.key = key, .mod_revision = ++revision}}});
  }
  void Delete(const std::string& id) { DeleteKey(scope.keys.Record(kService, id)); }
  void DeleteRules() { DeleteKey(scope.keys.Rules(kService)); }
  void DeleteState(const std::string& id) { DeleteKey(scope.keys.State(kService, id)); }

  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    for (const Member& member : snapshot->members) ids.push_back(member.instance->id);
    return ids;
  }
  const Member& At(std::string_view id) const {
    for (const Member& member : snapshot->members) {
      if (member.instance->id == id) return member;
    }
    ADD_FAILURE() << "no member " << id;
    static const Member& none = *new Member{.instance = std::make_shared<Instance>()};
    return none;
  }
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_FOLD_FIXTURE_H_
