// 10,000 changes a second, while calls go on.
#include "tests/support/storm.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/backend.h"
#include "tests/support/caller.h"
#include "tests/support/follower.h"
#include "tests/support/process.h"
#include "tests/support/records.h"
#include "tests/support/reports.h"
#include "tests/support/scripted_etcd.h"
#include "turnout/observer.h"
#include "turnout/picker.h"

namespace turnout::testing {
namespace {

constexpr char kService[] = "storm.app";
constexpr char kConfig[] =
    R"({"loadBalancingConfig":[{"turnout":{"picker":[{"version":{"child":[{"counted":{}}]}}]}}]})";
constexpr char kLazyConfig[] =
    R"({"loadBalancingConfig":[{"turnout":{"lazyConnections":true,
        "picker":[{"version":{"child":[{"counted":{}}]}}]}}]})";

// Takes the first, and counts how often a picker for v1 was built.
class CountedBuilder final : public ChoosingPickerBuilder {
 public:
  static std::atomic<int>& builds() {
    static std::atomic<int> count{0};
    return count;
  }

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    class First final : public Picker {
     public:
      explicit First(const Endpoint* endpoint) : endpoint_(endpoint) {}
      PickResult Pick(const PickArgs& /*args*/) const override {
        return PickResult::To(*endpoint_);
      }

     private:
      const Endpoint* const endpoint_;
    };
    if (group.key() == "/v1") ++builds();
    return std::make_unique<First>(group.candidates().front());
  }
};

class EventStormTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(RegisterPickerBuilder("counted", std::make_shared<CountedBuilder>()).ok());
  }

  // Calls while `change` is made 10,000 times a second: none fails, and there are few snapshots,
  // each of which makes at most so many pickers, and few log lines.
  void CallThrough(const std::function<void(int)>& change, int pickers = 1,
                   const char* config = kConfig) {
    const auto backend = StartBackend(etcd_.endpoint(), kService, "v1");
    const auto channel = ChannelTo(etcd_.endpoint(), kService, {.service_config_json = config});
    ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, backend->answer(), 3));

    Load load(channel, {.version = "v1"});
    const Counters before = GetCounters();
    const int builds_before = CountedBuilder::builds();
    const int lines_before = reports_.CountLogs("", "warning");
    const auto begin = std::chrono::steady_clock::now();
    {
      const Storm storm(10'000, change);
      std::this_thread::sleep_until(begin + std::chrono::seconds(3));
      EXPECT_GT(storm.changes(), 3000) << "that is no storm";
    }
    PutStranger("v1000", 0);  // one that everybody must hear of
    const std::int64_t end = etcd_.revision();
    Follower follower(etcd_.endpoint(), kService);
    EXPECT_NE(follower.WaitFor([&](const Snapshot& snapshot) { return snapshot.revision >= end; }),
              nullptr);
    const auto windows = (std::chrono::steady_clock::now() - begin) / std::chrono::milliseconds(80);
    const Tally tally = load.Stop();
    EXPECT_TRUE(tally.all_ok()) << tally;
    EXPECT_GT(tally.calls, 10);
    // While windows grow from 5 ms, and again after each pause of a busy machine, there are more
    // than one in 80 ms; unbounded it would be thousands.
    const auto most = 3 * (windows + 10);
    const auto snapshots = static_cast<std::int64_t>(GetCounters().snapshots - before.snapshots);
    EXPECT_LE(snapshots, most);
    // And ten for the stranger's failing attempts to be connected.
    EXPECT_LE(CountedBuilder::builds() - builds_before, snapshots * pickers + 10);

    // Ten at once, then one a second.
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto most_lines = 10 + std::chrono::ceil<std::chrono::seconds>(took).count();
    EXPECT_LE(reports_.CountLogs("", "warning") - lines_before, most_lines) << reports_.AllLogs();
  }

  void PutStranger(const std::string& version, int load) {
    const GoRecord record{.service = kService,
                          .id = "stranger",
                          .version = version,
                          .address = "127.0.0.1:9",
                          .metadata = absl::StrCat(R"({"load":")", load, R"("})")};
    etcd_.Put(record.key(), record.value());
  }

  Reports reports_;
  ScriptedEtcd etcd_;
};

TEST_F(EventStormTest, OfChangesThatRerouteNothing) {
  CallThrough([this](int i) { PutStranger("v9", i); });
}

TEST_F(EventStormTest, OfInstancesThatAreAnotherVersionEachTime) {
  CallThrough([this](int i) { PutStranger(absl::StrCat("v", 8 + i % 2), 0); });
}

// Each time that it has come it is connected, which fails, and that makes a picker too.
TEST_F(EventStormTest, OfComingAndGoing) {
  CallThrough(
      [this](int i) {
        if (i % 2 == 0) return PutStranger("v9", i);
        etcd_.Delete(RecordKey(kService, "stranger"));
      },
      /*pickers=*/2);
}

TEST_F(EventStormTest, OfRecordsThatCannotBeUsed) {
  CallThrough([this](int i) {
    etcd_.Put(RecordKey(kService, absl::StrCat("bad-", i % 100)), i % 3 == 0 ? "{" : "nonsense");
  });
}

// Each time that one has been good, that it is not is news. Nobody calls them, and so nobody
// connects to them.
TEST_F(EventStormTest, OfRecordsThatAreGoodAndBadInTurn) {
  const std::uint64_t rejected_before = GetCounters().records_rejected;
  CallThrough(
      [this](int i) {
        const GoRecord record{.service = kService,
                              .id = absl::StrCat("turning-", i % 100),
                              .version = "v9",
                              .address = absl::StrCat("127.0.0.1:", 1 + i % 100)};
        etcd_.Put(record.key(), i / 100 % 2 == 0 ? record.value() : "{");
      },
      /*pickers=*/1, kLazyConfig);
  EXPECT_GT(GetCounters().records_rejected - rejected_before, 20) << "it was no storm of warnings";
  EXPECT_TRUE(reports_.WaitForLog("more warnings about the records of storm.app"))
      << reports_.AllLogs();
}

}  // namespace
}  // namespace turnout::testing
