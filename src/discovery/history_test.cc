#include "src/discovery/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/discovery/fold_fixture.h"

namespace turnout::discovery {
namespace {

class HistoryTest : public FoldTest {
 protected:
  // a, b and c were created at 101, 102 and 103, and the view ends at 103.
  HistoryTest() {
    List({Record("a", Value("10.0.0.1:1")), Record("b", Value("10.0.0.2:1")),
          Record("c", Value("10.0.0.3:1"))});
  }
  bool IsAnother(etcd::Revision at, std::vector<etcd::KeyValue> records) const {
    return IsOfAnotherHistory(scope, *view, {at, std::move(records)});
  }
  etcd::KeyValue Known(const std::string& id, etcd::Revision created, etcd::Revision modified) {
    return {.key = scope.keys.Record(kService, id),
            .value = Value("10.0.0." + std::to_string(id[0] - 'a' + 1) + ":1"),
            .create_revision = created,
            .mod_revision = modified};
  }
};

TEST_F(HistoryTest, TheSameOneGoesOn) {
  EXPECT_FALSE(IsAnother(103, {Known("a", 101, 101), Known("b", 102, 102), Known("c", 103, 103)}));
  EXPECT_FALSE(IsAnother(200, {}));
  EXPECT_FALSE(IsAnother(200, {Known("a", 101, 150), Known("b", 160, 160), Known("d", 170, 170)}));
}

TEST_F(HistoryTest, ALowerRevisionIsAnother) {
  EXPECT_TRUE(IsAnother(102, {Known("a", 101, 101)}));
}

// Past our revision by the time that we look: its records betray it.
TEST_F(HistoryTest, WhatWasCreatedBeforeOurTimeWithoutOurKnowingIsAnother) {
  EXPECT_TRUE(IsAnother(500, {Known("d", 50, 50)}));
  EXPECT_TRUE(IsAnother(500, {Known("a", 100, 400)}));
}

TEST_F(HistoryTest, ARecordThatCannotBeUsedBetraysItToo) {
  auto a = Known("a", 101, 104);
  a.value = "{";
  revision = 104;
  Put(a);
  a.mod_revision = 105;
  EXPECT_FALSE(IsAnother(105, {a}));
  a.create_revision = 100;
  EXPECT_TRUE(IsAnother(105, {a}));
}

TEST_F(HistoryTest, WhatHasVanishedDoesNotComeBackAsOfOld) {
  scope.lapsed_limit = std::chrono::seconds(300);
  Delete("a");  // at 104
  EXPECT_TRUE(IsAnother(104, {Known("a", 101, 101)}));
  EXPECT_FALSE(IsAnother(105, {Known("a", 105, 105)}));
}

TEST_F(HistoryTest, WhatWasLeftOutForWantOfRoomProvesNothing) {
  scope.max_instances = 2;
  Take(FoldList(scope, nullptr,
                {{103, {Known("a", 101, 101), Known("b", 102, 102)}, true}, {103, {}}, {103, {}}},
                now));
  EXPECT_TRUE(view->overflow);
  EXPECT_FALSE(IsAnother(200, {Known("a", 101, 101), Known("c", 103, 103)}));
}

TEST_F(HistoryTest, AWitnessKnowsItsHistory) {
  const auto witness = FindWitness(scope, *view);
  ASSERT_TRUE(witness.has_value());
  EXPECT_EQ(witness->key, scope.keys.Record(kService, "a"));
  EXPECT_EQ(witness->at, 103);
  EXPECT_TRUE(witness->Confirms({200, {Known("a", 101, 101)}}));
  EXPECT_FALSE(witness->Confirms({200, {}}));
  EXPECT_FALSE(witness->Confirms({200, {Known("a", 101, 102)}}));
  auto other_value = Known("a", 101, 101);
  other_value.value += ' ';
  EXPECT_FALSE(witness->Confirms({200, {other_value}}));
}

TEST_F(HistoryTest, WithoutRecordsThereIsNoWitness) {
  List({});
  EXPECT_FALSE(FindWitness(scope, *view).has_value());
}

}  // namespace
}  // namespace turnout::discovery
