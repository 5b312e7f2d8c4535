#include "src/discovery/cache_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "src/base/random.h"
#include "src/discovery/fold.h"

namespace turnout::discovery {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr char kService[] = "hwholiday.srv.app";

CacheIdentity Identity() {
  return {kService, {.endpoints = {"10.0.0.2:2379", "10.0.0.1:2379"}, .prefix = "/eu"}};
}

Member MakeMember(const std::string& id, InstanceStatus status = InstanceStatus::kRegistered) {
  auto instance = std::make_shared<Instance>();
  instance->service = kService;
  instance->id = id;
  instance->version = "v1 \"ä\"";
  instance->addresses = {"10.0.1.1:80"};
  instance->metadata = {{"owner", "checkout"}};
  instance->methods["Buy"].online = false;
  instance->weight = 7;
  instance->create_revision = 5;
  instance->mod_revision = 9;
  return {std::move(instance), status, {}, std::make_shared<InstanceStats>()};
}

Snapshot MakeSnapshot(std::vector<Member> members) {
  return {.service = kService, .revision = 17, .members = std::move(members)};
}

std::string Written() {
  return FormatCache(Identity(), MakeSnapshot({MakeMember("app-1"), MakeMember("app-2")}));
}

// A file with this body, as somebody else would write it.
std::string WithHeader(const std::string& body) {
  std::array<char, 64> header{};
  const auto checksum =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  std::snprintf(header.data(), header.size(), "turnout-cache 1 %08lx %zu\n", checksum, body.size());
  return header.data() + body;
}

std::string Body(const std::string& text) { return text.substr(text.find('\n') + 1); }

std::string Fault(const std::string& text) {
  return std::string{ParseCache(Identity(), text).status().message()};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// The instances that the lists come to.
std::vector<Member> Folded(const Lists& lists) {
  const Scope scope{.service = kService, .keys = model::Keys("/eu")};
  const auto folded = FoldList(scope, nullptr, lists, {});
  return turnout::discovery::MakeSnapshot(scope, *folded.view)->members;
}

TEST(CacheFormatTest, WhatIsWrittenIsRead) {
  const Member member = MakeMember("app-1");
  const auto lists = ParseCache(Identity(), FormatCache(Identity(), MakeSnapshot({member})));
  ASSERT_TRUE(lists.ok()) << lists.status();
  EXPECT_EQ(lists->records.revision, 17);
  EXPECT_EQ(lists->states.revision, 17);
  EXPECT_THAT(lists->states.kvs, IsEmpty());
  ASSERT_THAT(lists->records.kvs, SizeIs(1));
  EXPECT_EQ(lists->records.kvs[0].key, "/eu/hwholiday/srv/app/app-1");
  const auto members = Folded(*lists);
  ASSERT_THAT(members, SizeIs(1));
  Instance expected = *member.instance;
  expected.metadata["turnout.weight"] = "7";
  EXPECT_EQ(*members[0].instance, expected);
  EXPECT_EQ(members[0].status, InstanceStatus::kRegistered);
}

TEST(CacheFormatTest, WhatAnOperatorDrainsIsDraining) {
  const auto text =
      FormatCache(Identity(), MakeSnapshot({MakeMember("app-1", InstanceStatus::kDraining)}));
  const auto lists = ParseCache(Identity(), text);
  ASSERT_TRUE(lists.ok()) << lists.status();
  const auto members = Folded(*lists);
  ASSERT_THAT(members, SizeIs(1));
  EXPECT_EQ(members[0].status, InstanceStatus::kDraining);
  EXPECT_FALSE(members[0].instance->draining) << "it did not say so itself";
}

TEST(CacheFormatTest, WhatDrainsByItselfNeedsNoOperator) {
  Member member = MakeMember("app-1", InstanceStatus::kDraining);
  Instance draining = *member.instance;
  draining.draining = true;
  member.instance = std::make_shared<Instance>(draining);
  const auto lists = ParseCache(Identity(), FormatCache(Identity(), MakeSnapshot({member})));
  ASSERT_TRUE(lists.ok()) << lists.status();
  EXPECT_THAT(lists->states.kvs, IsEmpty());
  const auto members = Folded(*lists);
  ASSERT_THAT(members, SizeIs(1));
  EXPECT_EQ(members[0].status, InstanceStatus::kDraining);
}

// A snapshot of no instance, with rules.
Snapshot WithRules(std::string_view document) {
  Snapshot snapshot = MakeSnapshot({});
  snapshot.rules = *route::RuleSet::Parse(document);
  snapshot.rules_revision = 12;
  return snapshot;
}

TEST(CacheFormatTest, RulesAreWrittenAndRead) {
  const std::string document = "{\"rules\": [],\n \"description\": \"ä \\\" {\"}";
  const auto lists = ParseCache(Identity(), FormatCache(Identity(), WithRules(document)));
  ASSERT_TRUE(lists.ok()) << lists.status();
  EXPECT_EQ(lists->rules.revision, 17);
  ASSERT_THAT(lists->rules.kvs, SizeIs(1));
  EXPECT_EQ(lists->rules.kvs[0].key, "/eu/turnout/rules/hwholiday.srv.app");
  EXPECT_EQ(lists->rules.kvs[0].value, document);
  EXPECT_EQ(lists->rules.kvs[0].mod_revision, 12);
  const Scope scope{.service = kService, .keys = model::Keys("/eu")};
  const auto folded = FoldList(scope, nullptr, *lists, {});
  const auto snapshot = turnout::discovery::MakeSnapshot(scope, *folded.view);
  ASSERT_NE(snapshot->rules, nullptr);
  EXPECT_EQ(snapshot->rules->text(), document);
  EXPECT_EQ(snapshot->rules_revision, 12);
}

TEST(CacheFormatTest, WithoutRulesThereAreNone) {
  EXPECT_THAT(Written(), Not(HasSubstr("rules")));
  const auto lists = ParseCache(Identity(), Written());
  ASSERT_TRUE(lists.ok()) << lists.status();
  EXPECT_THAT(lists->rules.kvs, IsEmpty());
  EXPECT_EQ(lists->rules.revision, 17);
}

TEST(CacheFormatTest, MalformedRulesAreNamed) {
  const std::string body = Body(FormatCache(Identity(), WithRules("{}")));
  const std::string rules = R"("rules":{"document":"{}","mod_revision":12})";
  EXPECT_EQ(Fault(WithHeader(body)), "");
  for (const char* const bad :
       {R"("rules":[])", R"("rules":null)", R"("rules":"{}")", R"("rules":{})",
        R"("rules":{"document":{},"mod_revision":12})", R"("rules":{"document":"{}"})",
        R"("rules":{"mod_revision":12})", R"("rules":{"document":"{}","mod_revision":0})",
        R"("rules":{"document":"{}","mod_revision":-1})",
        R"("rules":{"document":"{}","mod_revision":"12"})"}) {
    EXPECT_EQ(Fault(WithHeader(Replaced(body, rules, bad))), "its rules are malformed") << bad;
  }
}

// They may be of a newer program; the instances are of use all the same.
TEST(CacheFormatTest, ADocumentThatIsNotUnderstoodLeavesTheInstances) {
  Snapshot snapshot = WithRules("{}");
  snapshot.members = {MakeMember("app-1")};
  const std::string body = Body(FormatCache(Identity(), snapshot));
  const auto lists = ParseCache(
      Identity(), WithHeader(Replaced(body, R"("document":"{}")", R"("document":"{\"new\":1}")")));
  ASSERT_TRUE(lists.ok()) << lists.status();
  EXPECT_THAT(Folded(*lists), SizeIs(1));
}

TEST(CacheFormatTest, LapsedMembersAreLeftOut) {
  const auto text = FormatCache(
      Identity(),
      MakeSnapshot({MakeMember("app-1", InstanceStatus::kLapsed), MakeMember("app-2")}));
  const auto lists = ParseCache(Identity(), text);
  ASSERT_TRUE(lists.ok()) << lists.status();
  ASSERT_THAT(lists->records.kvs, SizeIs(1));
  EXPECT_THAT(lists->records.kvs[0].key, EndsWith("/app-2"));
}

TEST(CacheFormatTest, AFileIsLegible) {
  EXPECT_THAT(Written(), StartsWith("turnout-cache 1 "));
  EXPECT_THAT(Written(), HasSubstr(R"("service":"hwholiday.srv.app")"));
  EXPECT_TRUE(ParseCache(Identity(), WithHeader(Body(Written()))).ok());
}

TEST(CacheFormatTest, EveryChangedByteIsNoticed) {
  const std::string text = Written();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int mask = 1; mask < 256; ++mask) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ mask);
      ASSERT_FALSE(ParseCache(Identity(), changed).ok()) << "byte " << i << ", mask " << mask;
    }
  }
}

TEST(CacheFormatTest, EveryTruncationIsNoticed) {
  const std::string text = Written();
  for (std::size_t length = 0; length < text.size(); ++length) {
    ASSERT_FALSE(ParseCache(Identity(), text.substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(ParseCache(Identity(), text + "x").ok());
  EXPECT_FALSE(ParseCache(Identity(), text + text).ok());
}

// Checksums protect from accidents, not from who can compute one.
TEST(CacheFormatTest, NoBodyIsTooOdd) {
  base::SeededRandom random(1);
  const std::string body = Body(Written());
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = body;
    for (std::uint64_t edits = 1 + random.Below(3); edits > 0; --edits) {
      const std::size_t at = random.Below(changed.size());
      if (random.Below(2) == 0) {
        changed[at] = static_cast<char>(random.Below(256));
      } else {
        changed.erase(at, 1 + random.Below(20));
      }
    }
    const auto lists = ParseCache(Identity(), WithHeader(changed));
    if (!lists.ok()) continue;
    ++taken;
    for (const Member& member : Folded(*lists)) ASSERT_FALSE(member.instance->addresses.empty());
  }
  EXPECT_GT(taken, 100) << "hardly anything got past the first checks";
}

TEST(CacheFormatTest, FaultsAreNamed) {
  EXPECT_THAT(Fault(""), HasSubstr("not a cache file"));
  EXPECT_THAT(Fault("#!/bin/sh\n"), HasSubstr("not a cache file"));
  EXPECT_THAT(Fault("turnout-cache 1 "), HasSubstr("truncated"));
  EXPECT_THAT(Fault(Replaced(Written(), "turnout-cache 1", "turnout-cache 2")),
              HasSubstr(R"(its format is "2", this program reads "1")"));
  EXPECT_THAT(Fault(Written().substr(0, 200)), HasSubstr("size"));
  EXPECT_THAT(Fault(Replaced(Written(), "app-1", "app-3")), HasSubstr("checksum"));
  const std::string body = Body(Written());
  EXPECT_THAT(Fault(WithHeader("[]")), HasSubstr("another service"));
  EXPECT_THAT(Fault(WithHeader("{")), HasSubstr("JSON"));
  EXPECT_THAT(Fault(WithHeader(Replaced(body, "srv.app", "srv.pay"))),
              HasSubstr("another service"));
  EXPECT_THAT(Fault(WithHeader(Replaced(body, "/eu", "/us"))), HasSubstr("another service"));
  EXPECT_THAT(Fault(WithHeader(Replaced(body, "10.0.0.1", "10.0.0.9"))),
              HasSubstr("another service"));
  EXPECT_THAT(Fault(WithHeader(Replaced(body, R"("revision":17)", R"("revision":0)"))),
              HasSubstr("revision"));
  EXPECT_THAT(Fault(WithHeader(Replaced(body, R"("members":[)", R"("members":[0,)"))),
              HasSubstr("members is malformed"));
  EXPECT_THAT(Fault(WithHeader(Replaced(body, R"("id":"app-1")", R"("id":"../app-1")"))),
              HasSubstr("members is malformed"));
  EXPECT_THAT(Fault(WithHeader(std::string(100'000, '['))), HasSubstr("depth"));
}

TEST(CacheFormatTest, NamesAreSafeAndTellClustersApart) {
  const std::string name = Identity().FileName();
  EXPECT_THAT(name, MatchesRegex(R"(hwholiday\.srv\.app\.[0-9a-f]{16}\.cache)"));
  const CacheIdentity reordered(kService,
                                {.endpoints = {"10.0.0.1:2379", "10.0.0.2:2379"}, .prefix = "/eu"});
  EXPECT_EQ(reordered.FileName(), name);
  const CacheIdentity elsewhere(kService, {.endpoints = {"10.0.0.1:2379"}, .prefix = "/eu"});
  EXPECT_NE(elsewhere.FileName(), name);
  const CacheIdentity other_prefix(
      kService, {.endpoints = {"10.0.0.1:2379", "10.0.0.2:2379"}, .prefix = "/us"});
  EXPECT_NE(other_prefix.FileName(), name);

  const std::string long_service(256, 'a');
  const std::string longer = CacheIdentity(long_service, {}).FileName();
  EXPECT_LT(longer.size(), 220U);
  EXPECT_NE(CacheIdentity(std::string(255, 'a'), {}).FileName(), longer);
}

}  // namespace
}  // namespace turnout::discovery
