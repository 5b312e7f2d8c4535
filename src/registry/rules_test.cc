// The rules of a service and their history, as etcd holds them.
#include "turnout/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/etcd_admin.h"
#include "tests/support/etcd_server.h"
#include "tests/support/scripted_etcd.h"

namespace turnout {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using turnout::testing::EtcdAdmin;
using turnout::testing::EtcdServer;
using turnout::testing::ReservedPort;

constexpr seconds kPatience{20};
constexpr char kService[] = "srv.app";
constexpr char kKey[] = "/turnout/rules/srv.app";
constexpr char kHistory[] = "/turnout/rules-history/srv.app/";

// One etcd for all tests of the program.
EtcdServer& Etcd() {
  static auto* const etcd = new EtcdServer;
  return *etcd;
}

class StopEtcd final : public ::testing::Environment {
 public:
  void TearDown() override { Etcd().Stop(); }
};
[[maybe_unused]] const auto* const kStopEtcd = ::testing::AddGlobalTestEnvironment(new StopEtcd);

// A document that can be told from others.
std::string Document(const std::string& name) {
  return R"({"rules":[{"name":")" + name + R"(","route":{"destinations":[{"version":"v1"}]}}]})";
}

RulesOptions Options() {
  return {.registry = {.endpoints = {Etcd().endpoint()}}, .timeout = kPatience};
}

absl::StatusOr<StoredRules> Put(const std::string& name, const RulesChange& change = {}) {
  return PutRules(kService, Document(name), change, Options());
}

// "3 c", newest first; "4 -" for a deletion.
std::vector<std::string> History(const RulesOptions& options = Options()) {
  std::vector<std::string> lines;
  const auto history = GetRulesHistory(kService, options);
  EXPECT_TRUE(history.ok()) << history.status();
  for (const RulesVersion& version : *history) {
    std::string name = "-";
    if (!version.document.empty()) {
      const auto start = version.document.find("\"name\":\"") + 8;
      name = version.document.substr(start, version.document.find('"', start) - start);
    }
    lines.push_back(std::to_string(version.number) + " " + name);
  }
  return lines;
}

class RulesTest : public ::testing::Test {
 protected:
  RulesTest() {
    for (const auto& entry : admin_.List("/")) admin_.Delete(entry.key);
  }

  EtcdAdmin admin_{Etcd().endpoint()};
};

TEST_F(RulesTest, WhatIsPutIsFoundWithItsRevision) {
  const auto nothing = GetRules(kService, Options());
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_EQ(nothing->revision, 0);
  EXPECT_THAT(nothing->document, IsEmpty());

  const auto put = Put("a");
  ASSERT_TRUE(put.ok()) << put.status();
  const auto entry = admin_.Get(kKey);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->value, Document("a"));
  EXPECT_EQ(entry->lease, 0);
  EXPECT_EQ(put->revision, entry->mod_revision);
  EXPECT_EQ(put->document, Document("a"));
  EXPECT_EQ(GetRules(kService, Options())->revision, entry->mod_revision);
}

TEST_F(RulesTest, TheHistoryHasTheDocumentTheCommentAndTheTimeAtTheSameRevision) {
  const auto before = std::chrono::system_clock::now();
  ASSERT_TRUE(Put("a", {.comment = "half of \"them\""}).ok());
  const auto entries = admin_.List(kHistory);
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].key, std::string(kHistory) + "0000000001");
  EXPECT_EQ(entries[0].mod_revision, admin_.Get(kKey)->mod_revision);
  EXPECT_THAT(entries[0].value, HasSubstr(R"("comment":"half of \"them\"")"));

  const auto history = GetRulesHistory(kService, Options());
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_THAT(*history, SizeIs(1));
  EXPECT_EQ(history->front().number, 1);
  EXPECT_EQ(history->front().document, Document("a"));
  EXPECT_EQ(history->front().comment, "half of \"them\"");
  EXPECT_GE(history->front().time, before - std::chrono::milliseconds(1));
  EXPECT_LE(history->front().time, std::chrono::system_clock::now());
}

TEST_F(RulesTest, ABadDocumentIsNotWritten) {
  ASSERT_TRUE(Put("a").ok());
  const auto bad =
      PutRules(kService, R"({"rules":[{"name":"x","route":{}}],"extra":1})", {}, Options());
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(bad.status().message()),
              AllOf(HasSubstr("rules[0].route.destinations: missing"), HasSubstr("extra")));
  EXPECT_EQ(admin_.Get(kKey)->value, Document("a"));
  EXPECT_THAT(History(), ElementsAre("1 a"));
  EXPECT_FALSE(CheckRules("").ok());
  EXPECT_EQ(CheckRules(Document("a")), absl::OkStatus());
}

TEST_F(RulesTest, AnotherRevisionThanTheExpectedOneIsAborted) {
  const std::int64_t first = Put("a", {.expected_revision = 0})->revision;
  const std::int64_t second = Put("b", {.expected_revision = first})->revision;
  const auto late = Put("c", {.expected_revision = first});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(late.status().message(),
            "the rules of srv.app have been changed: they are at revision " +
                std::to_string(second) + " now, not at revision " + std::to_string(first));
  EXPECT_THAT(std::string(Put("c", {.expected_revision = 0}).status().message()),
              EndsWith(" now, not absent"));
  EXPECT_EQ(DeleteRules(kService, {.expected_revision = first}, Options()).code(),
            absl::StatusCode::kAborted);
  EXPECT_EQ(RollBackRules(kService, 1, {.expected_revision = first}, Options()).status().code(),
            absl::StatusCode::kAborted);
  EXPECT_EQ(admin_.Get(kKey)->value, Document("b"));
  EXPECT_THAT(History(), ElementsAre("2 b", "1 a"));

  admin_.Delete(kKey);
  EXPECT_THAT(std::string(Put("c", {.expected_revision = second}).status().message()),
              HasSubstr("they are deleted now"));
}

TEST_F(RulesTest, TenVersionsAreKept) {
  for (int i = 1; i <= 13; ++i) ASSERT_TRUE(Put(std::to_string(i)).ok());
  EXPECT_THAT(History(), ElementsAre("13 13", "12 12", "11 11", "10 10", "9 9", "8 8", "7 7", "6 6",
                                     "5 5", "4 4"));
  EXPECT_THAT(admin_.List(kHistory), SizeIs(10));
}

TEST_F(RulesTest, RollingBackPutsAnEarlierVersionOnceMore) {
  ASSERT_TRUE(Put("a").ok());
  ASSERT_TRUE(Put("b").ok());
  const auto back = RollBackRules(kService, 1, {}, Options());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->document, Document("a"));
  EXPECT_EQ(back->revision, admin_.Get(kKey)->mod_revision);
  EXPECT_EQ(admin_.Get(kKey)->value, Document("a"));
  EXPECT_THAT(History(), ElementsAre("3 a", "2 b", "1 a"));
  EXPECT_EQ(GetRulesHistory(kService, Options())->front().comment, "version 1 again");

  const auto unknown = RollBackRules(kService, 9, {}, Options());
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(unknown.status().message(), "the rules of srv.app have no version 9; kept: 3, 2, 1");
}

TEST_F(RulesTest, ADeletionIsAVersion) {
  EXPECT_EQ(DeleteRules(kService, {}, Options()).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Put("a").ok());
  ASSERT_EQ(DeleteRules(kService, {.comment = "enough"}, Options()), absl::OkStatus());
  EXPECT_FALSE(admin_.Get(kKey).has_value());
  EXPECT_THAT(History(), ElementsAre("2 -", "1 a"));
  ASSERT_TRUE(Put("b", {.expected_revision = 0}).ok());
  const auto deleted_again = RollBackRules(kService, 2, {}, Options());
  ASSERT_TRUE(deleted_again.ok()) << deleted_again.status();
  EXPECT_EQ(deleted_again->revision, 0);
  EXPECT_FALSE(admin_.Get(kKey).has_value());
  EXPECT_THAT(History(), ElementsAre("4 -", "3 b", "2 -", "1 a"));
}

TEST_F(RulesTest, WhatOthersWroteGetsAVersionOfItsOwn) {
  admin_.Put(kKey, Document("by hand"));
  EXPECT_THAT(History(), IsEmpty());
  ASSERT_TRUE(Put("a").ok());
  EXPECT_THAT(History(), ElementsAre("2 a", "1 by hand"));
  // The same text once more is the same version.
  admin_.Put(kKey, Document("a"));
  ASSERT_TRUE(Put("b").ok());
  admin_.Delete(kKey);
  ASSERT_TRUE(Put("c").ok());
  EXPECT_THAT(History(), ElementsAre("5 c", "4 -", "3 b", "2 a", "1 by hand"));
  EXPECT_EQ(admin_.List(kHistory)[4].mod_revision, admin_.List(kHistory)[3].mod_revision);
  ASSERT_TRUE(RollBackRules(kService, 1, {}, Options()).ok());
  EXPECT_EQ(admin_.Get(kKey)->value, Document("by hand"));
}

TEST_F(RulesTest, WhatOthersWroteMayBeAnything) {
  admin_.Put(kKey, "no rules\xff");
  EXPECT_EQ(GetRules(kService, Options())->document, "no rules\xff");
  ASSERT_TRUE(Put("a").ok());
  EXPECT_EQ(GetRulesHistory(kService, Options())->back().document, "no rules\xEF\xBF\xBD");
  EXPECT_EQ(RollBackRules(kService, 1, {}, Options()).status().code(),
            absl::StatusCode::kInvalidArgument);
  admin_.Put(kKey, std::string(1'000'000, '\x01'));  // would be 6 MB as JSON
  ASSERT_TRUE(Put("b").ok());
  admin_.Put(std::string(kHistory) + "9", "not an entry");
  admin_.Put(std::string(kHistory) + "0000000099", "[]");
  ASSERT_TRUE(Put("c").ok());
  EXPECT_THAT(History(), ElementsAre("4 c", "3 b", "2 a", HasSubstr("1 ")));
}

TEST_F(RulesTest, TheLargestDocumentFits) {
  const auto large = [](const std::string& name) {
    std::string document = Document(name);
    document.insert(document.size() - 1, std::string(256 * 1024 - document.size(), '\n'));
    return document;
  };
  admin_.Put(kKey, large("by hand"));
  const auto put = PutRules(kService, large("a"), {.comment = std::string(1024, 'c')}, Options());
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_THAT(History(), ElementsAre("2 a", "1 by hand"));
  EXPECT_THAT(std::string(Put("b", {.comment = std::string(1025, 'c')}).status().message()),
              StartsWith("comment: "));
}

// Of those that expect the same revision, one wins; those that expect none only collide when they
// run at the same time. Nothing is lost, and no version is written twice.
TEST_F(RulesTest, OfSeveralWritersOneWinsEachRound) {
  constexpr int kWriters = 6;
  constexpr int kRounds = 4;
  std::int64_t revision = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> won{0};
    std::atomic<int> aborted{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        const auto put = Put(std::to_string(i), {.expected_revision = revision});
        (put.ok() ? won : aborted) += put.ok() || absl::IsAborted(put.status()) ? 1 : 1000;
      });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(aborted, kWriters - 1);
    revision = admin_.Get(kKey)->mod_revision;
    EXPECT_THAT(admin_.List(kHistory), SizeIs(round + 1));
  }
}

TEST_F(RulesTest, WritersThatExpectNothingWriteOneVersionForEachSuccess) {
  std::atomic<int> written{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < 5; ++i) {
    writers.emplace_back([&, i] {
      for (int round = 0; round < 2; ++round) {
        const auto put = Put(std::to_string(i));
        if (put.ok()) ++written;
        if (!put.ok() && !absl::IsAborted(put.status())) ++failed;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(written, 0);
  const auto history = GetRulesHistory(kService, Options());
  EXPECT_THAT(*history, SizeIs(written.load()));
  EXPECT_EQ(history->front().number, written);
  EXPECT_EQ(history->front().document, admin_.Get(kKey)->value);
}

TEST_F(RulesTest, KeepsToItsNamespace) {
  RulesOptions options = Options();
  options.registry.prefix = "/eu";
  ASSERT_TRUE(Put("a").ok());
  ASSERT_TRUE(PutRules(kService, Document("eu"), {}, options).ok());
  EXPECT_EQ(admin_.Get(kKey)->value, Document("a"));
  EXPECT_EQ(admin_.Get(std::string("/eu") + kKey)->value, Document("eu"));
  EXPECT_THAT(History(), ElementsAre("1 a"));
  EXPECT_THAT(History(options), ElementsAre("1 eu"));
}

TEST_F(RulesTest, AServiceWhoseNameGoesOnIsAnother) {
  ASSERT_TRUE(PutRules("srv.app2", Document("other"), {}, Options()).ok());
  ASSERT_TRUE(PutRules("srv.app.sub", Document("other"), {}, Options()).ok());
  EXPECT_EQ(GetRules(kService, Options())->revision, 0);
  EXPECT_THAT(History(), IsEmpty());
}

TEST_F(RulesTest, NamesTheOptionThatIsWrong) {
  EXPECT_THAT(std::string(GetRules("a b", Options()).status().message()), StartsWith("service: "));
  RulesOptions options = Options();
  options.registry.endpoints = {"nowhere"};
  EXPECT_EQ(PutRules(kService, Document("a"), {}, options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(RulesTest, SaysWhichEtcdCannotBeReached) {
  const ReservedPort nobody;
  RulesOptions options = Options();
  options.registry.endpoints = {nobody.address()};
  options.timeout = std::chrono::milliseconds(300);
  const auto start = steady_clock::now();
  const auto statuses = {
      GetRules(kService, options).status(), PutRules(kService, Document("a"), {}, options).status(),
      DeleteRules(kService, {}, options), RollBackRules(kService, 1, {}, options).status(),
      GetRulesHistory(kService, options).status()};
  for (const absl::Status& status : statuses) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr(nobody.address()));
  }
  EXPECT_LT(steady_clock::now() - start, kPatience);
}

// An etcd that does what it is asked to, but says so too late, the first time.
class LostAnswerTest : public ::testing::Test {
 protected:
  LostAnswerTest() {
    options_.registry.endpoints = {etcd_.endpoint()};
    options_.registry.request_timeout = std::chrono::milliseconds(150);
  }

  void LoseNextAnswer() {
    committed_ = etcd_.requests("Txn");
    etcd_.Alter("Txn", [lost = false](std::string& /*answer*/) mutable {
      if (!lost) std::this_thread::sleep_for(std::chrono::milliseconds(600));
      lost = true;
    });
  }
  int Commits() const { return etcd_.requests("Txn") - committed_; }

  testing::ScriptedEtcd etcd_;
  RulesOptions options_ = Options();
  int committed_ = 0;
};

TEST_F(LostAnswerTest, WhatTookEffectIsNeitherAFailureNorWrittenTwice) {
  LoseNextAnswer();
  const auto put = PutRules(kService, Document("a"), {.expected_revision = 0}, options_);
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(put->revision, etcd_.revision());
  EXPECT_EQ(Commits(), 1);
  EXPECT_THAT(History(options_), ElementsAre("1 a"));

  LoseNextAnswer();
  EXPECT_EQ(DeleteRules(kService, {}, options_), absl::OkStatus());
  EXPECT_EQ(Commits(), 1);
  EXPECT_THAT(History(options_), ElementsAre("2 -", "1 a"));
}

TEST_F(LostAnswerTest, WhatAnotherChangedMeanwhileStays) {
  LoseNextAnswer();
  ASSERT_TRUE(PutRules(kService, Document("a"), {}, options_).ok());
  // A request that never arrives, while somebody else is faster.
  etcd_.Alter("Txn", nullptr);
  etcd_.Fail("Txn", grpc::Status(grpc::StatusCode::UNAVAILABLE, "no leader"));
  std::thread other([this] {
    etcd_.WaitForRequests("Txn", etcd_.requests("Txn") + 1);
    etcd_.Put(kKey, Document("of another"));
    etcd_.Fail("Txn", grpc::Status::OK);
  });
  const auto put = PutRules(kService, Document("b"), {}, options_);
  other.join();
  EXPECT_EQ(put.status().code(), absl::StatusCode::kAborted) << put.status();
  EXPECT_EQ(etcd_.Value(kKey), Document("of another"));
  EXPECT_THAT(History(options_), ElementsAre("1 a"));
}

}  // namespace
}  // namespace turnout
