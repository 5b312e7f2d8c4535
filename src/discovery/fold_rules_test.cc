// What becomes of a service's traffic rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/discovery/fold_fixture.h"

namespace turnout::discovery {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kDeny[] = R"({"default":{"deny":{}}})";
constexpr char kV1[] = R"({"default":{"route":{"destinations":[{"version":"v1"}]}}})";
constexpr char kBad[] = R"({"default":{}})";
constexpr char kKey[] = "/ns/turnout/rules/hwholiday.srv.app";

class FoldRulesTest : public FoldTest {
 protected:
  // Of the document in force; empty: there is none.
  std::string InForce() const { return snapshot->rules == nullptr ? "" : snapshot->rules->text(); }
};

TEST_F(FoldRulesTest, TheListMayHaveADocumentOrNone) {
  List({});
  EXPECT_EQ(snapshot->rules, nullptr);
  EXPECT_EQ(snapshot->rules_revision, 0);
  List({}, {}, {Rules(kDeny)});
  EXPECT_EQ(InForce(), kDeny);
  EXPECT_EQ(snapshot->rules_revision, 101);
  EXPECT_TRUE(changes.anything);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldRulesTest, PutReplaceAndDelete) {
  List({Record("a", Value("10.0.0.1:1"))});
  Put(Rules(kDeny));
  EXPECT_EQ(InForce(), kDeny);
  EXPECT_EQ(snapshot->rules_revision, revision);
  EXPECT_EQ(snapshot->revision, revision);
  EXPECT_TRUE(changes.anything);
  EXPECT_TRUE(changes.rules) << "calls are to go by them at once";
  EXPECT_THAT(snapshot->members, SizeIs(1));
  Put(Rules(kV1));
  EXPECT_EQ(InForce(), kV1);
  EXPECT_EQ(snapshot->rules_revision, revision);
  EXPECT_TRUE(changes.rules);
  DeleteRules();
  EXPECT_EQ(snapshot->rules, nullptr);
  EXPECT_EQ(snapshot->rules_revision, 0);
  EXPECT_TRUE(changes.rules);
  DeleteRules();
  EXPECT_FALSE(changes.anything);
}

TEST_F(FoldRulesTest, WhatDoesNotChangeIsParsedOnce) {
  const auto rules = Rules(kDeny);
  List({}, {}, {rules});
  const auto before = snapshot->rules;
  Put(Record("a", Value("10.0.0.1:1")));
  EXPECT_EQ(snapshot->rules, before);
  EXPECT_FALSE(changes.rules);
  List({}, {}, {rules});
  EXPECT_EQ(snapshot->rules, before);
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(snapshot->rules, before);
}

TEST_F(FoldRulesTest, AMalformedDocumentLeavesTheLastGoodOneInForce) {
  List({}, {}, {Rules(kDeny)});
  const auto good = snapshot->rules;
  Put(Rules(kBad));
  EXPECT_EQ(snapshot->rules, good);
  EXPECT_EQ(snapshot->rules_revision, 101) << "of the good one";
  EXPECT_TRUE(changes.anything);  // of the rejected ones
  EXPECT_FALSE(changes.rules);
  ASSERT_THAT(changes.rejected, SizeIs(1));
  EXPECT_EQ(changes.rejected[0].key, kKey);
  EXPECT_EQ(changes.rejected[0].reason, "default.route: missing; a rule has either route or deny");
  ASSERT_THAT(snapshot->rejected, SizeIs(1));
  EXPECT_EQ(snapshot->rejected[0].key, kKey);

  Put(Rules(kBad));
  EXPECT_THAT(changes.rejected, IsEmpty()) << "reported already";
  List({}, {}, {Rules(kBad)});
  EXPECT_THAT(changes.rejected, IsEmpty()) << "reported already";
  EXPECT_EQ(snapshot->rules, good);
  Put(Rules("{"));
  EXPECT_THAT(changes.rejected, SizeIs(1)) << "it is wrong in another way";

  Put(Rules(kV1));
  EXPECT_EQ(InForce(), kV1);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
  Put(Rules(kBad));
  EXPECT_THAT(changes.rejected, SizeIs(1)) << "it was good in between";
  EXPECT_EQ(InForce(), kV1);

  DeleteRules();
  EXPECT_EQ(snapshot->rules, nullptr);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldRulesTest, AMalformedFirstDocumentIsNone) {
  List({}, {}, {Rules(kBad)});
  EXPECT_EQ(snapshot->rules, nullptr);
  EXPECT_EQ(snapshot->rules_revision, 0);
  EXPECT_THAT(changes.rejected, SizeIs(1));
  DeleteRules();
  EXPECT_TRUE(changes.anything) << "nothing is rejected any more";
  EXPECT_FALSE(changes.rules);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldRulesTest, OfABatchTheLastWordCounts) {
  List({});
  const auto put = [this](const char* text) {
    return etcd::Event{etcd::Event::Type::kPut, Rules(text)};
  };
  Events({put(kBad), put(kDeny)});
  EXPECT_EQ(InForce(), kDeny);
  EXPECT_THAT(changes.rejected, IsEmpty()) << "it is good by now";
  Events({put(kV1), put(kBad)});
  EXPECT_EQ(InForce(), kV1);
  EXPECT_THAT(changes.rejected, SizeIs(1));
  Events({{etcd::Event::Type::kDelete, {.key = kKey, .mod_revision = ++revision}}, put(kDeny)});
  EXPECT_EQ(InForce(), kDeny);
}

TEST_F(FoldRulesTest, KeysOfOtherServicesAreIgnored) {
  List({}, {}, {Rules(kDeny)});
  for (const char* const key :
       {"/ns/turnout/rules/hwholiday.srv.app.backend", "/ns/turnout/rules/hwholiday.srv",
        "/ns/turnout/rules/hwholiday.srv.app/x", "/turnout/rules/hwholiday.srv.app",
        "/ns/turnout/rules-history/hwholiday.srv.app/1"}) {
    etcd::KeyValue others = Rules(kV1);
    others.key = key;
    Put(others);
    EXPECT_FALSE(changes.anything) << key;
    DeleteKey(key);
    EXPECT_FALSE(changes.anything) << key;
    EXPECT_EQ(InForce(), kDeny) << key;
  }
}

TEST_F(FoldRulesTest, EventsThatAreContainedAlreadyAreDropped) {
  const auto older = Rules(kV1);
  List({}, {}, {Rules(kDeny)});
  Put(older);
  EXPECT_FALSE(changes.anything);
  EXPECT_EQ(InForce(), kDeny);
  Events({{etcd::Event::Type::kDelete, {.key = kKey, .mod_revision = revision}}});
  EXPECT_EQ(InForce(), kDeny);
}

// Each watch is at a revision of its own.
TEST_F(FoldRulesTest, RulesAreDroppedByTheirOwnRevision) {
  Take(FoldList(scope, nullptr, {{200, {}}, {200, {}}, {100, {}}}, now));
  Put(Rules(kDeny));  // at 101
  EXPECT_EQ(InForce(), kDeny);
  EXPECT_EQ(snapshot->revision, 200);
}

TEST_F(FoldRulesTest, ADeletionThatAListTellsCounts) {
  List({}, {}, {Rules(kDeny)});
  ++revision;
  List({});
  EXPECT_EQ(snapshot->rules, nullptr);
  EXPECT_TRUE(changes.rules);
  EXPECT_FALSE(changes.new_history);
}

// etcd was wiped: what was forbidden must not become allowed by that.
TEST_F(FoldRulesTest, ANewHistoryWithoutRulesKeepsThem) {
  List({}, {}, {Rules(kDeny)});
  const auto good = snapshot->rules;
  revision = 3;
  List({});
  EXPECT_TRUE(changes.new_history);
  EXPECT_EQ(snapshot->rules, good);
  EXPECT_EQ(snapshot->rules_revision, 101);
  ASSERT_THAT(changes.rejected, SizeIs(1));
  EXPECT_EQ(changes.rejected[0].key, kKey);
  EXPECT_THAT(changes.rejected[0].reason, HasSubstr("those of the old one stay in force"));
  EXPECT_THAT(snapshot->rejected, SizeIs(1));

  List({});
  EXPECT_EQ(snapshot->rules, good) << "nobody has deleted them";
  EXPECT_THAT(changes.rejected, IsEmpty()) << "reported already";
  revision = 2;
  List({});
  EXPECT_TRUE(changes.new_history);
  EXPECT_EQ(snapshot->rules, good) << "nor after another wipe";

  Put(Rules(kV1));
  EXPECT_EQ(InForce(), kV1);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldRulesTest, RulesOfAnOldHistoryGoWhenSomebodyDeletesThem) {
  List({}, {}, {Rules(kDeny)});
  revision = 3;
  List({});
  Put(Rules(kBad));
  EXPECT_EQ(InForce(), kDeny);
  DeleteRules();
  EXPECT_EQ(snapshot->rules, nullptr);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

TEST_F(FoldRulesTest, TheRulesOfANewHistoryCount) {
  List({}, {}, {Rules(kDeny)});
  revision = 3;
  List({}, {}, {Rules(kV1)});
  EXPECT_TRUE(changes.new_history);
  EXPECT_EQ(InForce(), kV1);
  EXPECT_EQ(snapshot->rules_revision, 4);
  EXPECT_THAT(snapshot->rejected, IsEmpty());
}

// A service without records gives no sign of the new history but this one.
TEST_F(FoldRulesTest, ARestoredHistoryHasAnotherDocumentAtTheSameRevision) {
  List({}, {}, {Rules(kDeny)});
  revision = 100;
  const auto other = Rules(kV1);
  revision = 200;
  List({}, {}, {other});
  EXPECT_EQ(InForce(), kV1);
  EXPECT_TRUE(changes.rules);
}

TEST_F(FoldRulesTest, WhatTheCacheHadHoldsForAsLongAsEtcdDoesNotSayOtherwise) {
  List({}, {}, {Rules(kDeny)});
  View cached = *view;
  cached.from_cache = true;
  view = std::make_shared<const View>(cached);
  const auto good = snapshot->rules;
  List({}, {}, {{.key = kKey, .value = kDeny, .create_revision = 101, .mod_revision = 101}});
  EXPECT_EQ(snapshot->rules, good);
  view = std::make_shared<const View>(cached);
  List({});
  EXPECT_EQ(snapshot->rules, nullptr) << "they have been deleted meanwhile";
}

}  // namespace
}  // namespace turnout::discovery
