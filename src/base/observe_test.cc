#include "src/base/observe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "src/base/serial_thread.h"
#include "turnout/log.h"

namespace turnout::base {
namespace {

using testing::ElementsAre;

class Recorder final : public Observer {
 public:
  std::vector<std::string> keys;

  void OnRecordRejected(const std::string& key, const std::string& reason) override {
    EXPECT_TRUE(ReportThread().OnThread());
    keys.push_back(key + ": " + reason);
  }
};

void Flush() {
  std::promise<void> done;
  ReportThread().Run([&] { done.set_value(); });
  done.get_future().wait();
}

TEST(Observe, ReachesTheObserverThatIsSet) {
  const auto recorder = std::make_shared<Recorder>();
  Observe([](Observer& observer) { observer.OnRecordRejected("/a", "too early"); });
  SetObserver(recorder);
  Observe([](Observer& observer) { observer.OnRecordRejected("/b", "malformed"); });
  Observe([](Observer& observer) { observer.OnRecordRejected("/c", "shadowed"); });
  Flush();
  SetObserver(nullptr);
  Observe([](Observer& observer) { observer.OnRecordRejected("/d", "too late"); });
  Flush();
  EXPECT_THAT(recorder->keys, ElementsAre("/b: malformed", "/c: shadowed"));
  EXPECT_EQ(recorder.use_count(), 1);
}

TEST(Observe, DropsWhatABlockedObserverCannotTake) {
  const auto recorder = std::make_shared<Recorder>();
  SetObserver(recorder);
  std::vector<std::string> warnings;
  SetLogSink([&](const LogEntry& entry) { warnings.emplace_back(entry.message); });
  std::promise<void> entered, let_go;
  Observe([&](Observer&) {
    entered.set_value();
    let_go.get_future().wait();
  });
  entered.get_future().wait();
  for (int i = 0; i < 10'007; ++i) {
    Observe([](Observer& observer) { observer.OnRecordRejected("/a", "malformed"); });
  }
  let_go.set_value();
  Flush();
  Flush();  // the warning follows what the observer was told
  SetObserver(nullptr);
  SetLogSink({});
  EXPECT_EQ(recorder->keys.size(), 10'000U);
  EXPECT_THAT(warnings, ElementsAre("7 events dropped"));
}

TEST(Counters, ShowEachCounterUnderItsName) {
  AtomicCounters& now = GlobalCounters();
  std::uint64_t value = 0;
  for (auto* counter : {&now.picks_completed, &now.picks_queued, &now.picks_failed,
                        &now.picks_dropped, &now.snapshots, &now.records_rejected,
                        &now.registrations, &now.registrations_lost, &now.calls_denied}) {
    *counter = ++value;
  }
  Count(now.subchannels_created);
  const Counters counters = GetCounters();
  EXPECT_EQ(counters.picks_completed, 1U);
  EXPECT_EQ(counters.picks_queued, 2U);
  EXPECT_EQ(counters.picks_failed, 3U);
  EXPECT_EQ(counters.picks_dropped, 4U);
  EXPECT_EQ(counters.snapshots, 5U);
  EXPECT_EQ(counters.records_rejected, 6U);
  EXPECT_EQ(counters.registrations, 7U);
  EXPECT_EQ(counters.registrations_lost, 8U);
  EXPECT_EQ(counters.calls_denied, 9U);
  EXPECT_EQ(counters.subchannels_created, 1U);
}

}  // namespace
}  // namespace turnout::base
