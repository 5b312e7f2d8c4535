#include "src/cli/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace turnout::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Member MakeMember(std::string id, const std::function<void(Instance&)>& adjust = {}) {
  Instance instance;
  instance.id = std::move(id);
  instance.version = "v1";
  instance.addresses = {"127.0.0.1:1"};
  instance.create_revision = 3;
  if (adjust) adjust(instance);
  Member member;
  member.instance = std::make_shared<const Instance>(std::move(instance));
  return member;
}

Snapshot Of(std::vector<Member> members) {
  Snapshot snapshot;
  snapshot.members = std::move(members);
  return snapshot;
}

std::vector<std::string> Lines(const Snapshot* before, const Snapshot& after) {
  std::vector<std::string> lines;
  for (const Change& change : Compare(before, after)) {
    std::string line(ToString(change.kind));
    line += ' ' + change.subject;
    if (!change.detail.empty()) line += ": " + change.detail;
    lines.push_back(std::move(line));
  }
  return lines;
}

TEST(CompareTest, TheFirstSnapshotIsWhatIsPresent) {
  EXPECT_THAT(Lines(nullptr, Of({MakeMember("a"), MakeMember("b")})),
              ElementsAre("present a", "present b"));
}

TEST(CompareTest, DeparturesComeFirst) {
  const Snapshot before = Of({MakeMember("b"), MakeMember("c")});
  EXPECT_THAT(Lines(&before, Of({MakeMember("a"), MakeMember("b")})),
              ElementsAre("left c", "joined a"));
}

TEST(CompareTest, SaysThatAnOperatorHasRemovedWhoHadLeftAMomentBefore) {
  const Snapshot before = Of({});
  Snapshot after = before;
  after.removed = {"b"};
  EXPECT_THAT(Lines(&before, after), ElementsAre("removed b: by an operator"));
}

TEST(CompareTest, SaysWhetherAnOperatorHasRemovedWhoIsGone) {
  const Snapshot before = Of({MakeMember("a"), MakeMember("b")});
  Snapshot after = Of({});
  after.removed = {"b"};
  EXPECT_THAT(Lines(&before, after), ElementsAre("left a", "removed b: by an operator"));
  EXPECT_THAT(Lines(&after, after), IsEmpty());
  EXPECT_THAT(Lines(nullptr, after), IsEmpty());
}

TEST(CompareTest, AnEqualSnapshotIsNoChange) {
  const Snapshot before = Of({MakeMember("a")});
  EXPECT_THAT(Lines(&before, Of({MakeMember("a")})), IsEmpty());
}

TEST(CompareTest, FollowsTheStatus) {
  Member registered = MakeMember("a");
  Member draining = registered;
  draining.status = InstanceStatus::kDraining;
  Member lapsed = registered;
  lapsed.status = InstanceStatus::kLapsed;
  const Snapshot one = Of({registered});
  const Snapshot two = Of({draining});
  const Snapshot three = Of({lapsed});
  EXPECT_THAT(Lines(&one, two), ElementsAre("draining a"));
  EXPECT_THAT(Lines(&two, three), ElementsAre("lapsed a: its record vanished unannounced"));
  EXPECT_THAT(Lines(&three, one), ElementsAre("returned a"));
}

TEST(CompareTest, SaysWhatHasChanged) {
  const Snapshot before = Of({MakeMember("a")});
  const Snapshot restarted = Of({MakeMember("a", [](Instance& instance) {
    instance.create_revision = 9;
    instance.version = "v2";
    instance.addresses = {"127.0.0.1:2"};
  })});
  EXPECT_THAT(Lines(&before, restarted), ElementsAre("changed a: registered anew, version v1 → v2, "
                                                     "address 127.0.0.1:1 → 127.0.0.1:2"));
  const Snapshot tuned = Of({MakeMember("a", [](Instance& instance) {
    instance.weight = 5;
    instance.locality.zone = "z1";
    instance.methods["ApiTest"].online = false;
  })});
  EXPECT_THAT(Lines(&before, tuned),
              ElementsAre("changed a: weight 1 → 5, zone none → z1, methods off none → ApiTest"));
  const Snapshot labelled =
      Of({MakeMember("a", [](Instance& instance) { instance.metadata["k"] = "v"; })});
  EXPECT_THAT(Lines(&before, labelled), ElementsAre("changed a: metadata"));
}

TEST(CompareTest, ReportsARejectedRecordOnceForEachReason) {
  Snapshot before = Of({});
  Snapshot after = Of({});
  after.rejected = {{"/s/x", "empty"}};
  EXPECT_THAT(Lines(&before, after), ElementsAre("rejected /s/x: empty"));
  EXPECT_THAT(Lines(&after, after), IsEmpty());
  before.rejected = {{"/s/x", "too large"}};
  EXPECT_THAT(Lines(&before, after), ElementsAre("rejected /s/x: empty"));
}

}  // namespace
}  // namespace turnout::cli
