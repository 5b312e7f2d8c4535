#include "src/simulate/processor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <unordered_map>

#include "src/base/random.h"
#include "src/simulate/event_queue.h"
#include "src/simulate/variates.h"

namespace turnout::simulate {
namespace {

using enum Discipline;

const base::TimePoint kStart{std::chrono::hours(1)};

base::TimePoint After(double seconds) { return kStart + Nanoseconds(seconds); }

// When each call ends, in seconds, if nothing more happens.
std::vector<std::pair<CallId, double>> Drain(Processor& processor) {
  std::vector<std::pair<CallId, double>> ends;
  while (const auto next = processor.Next()) {
    ends.emplace_back(next->call, Seconds(next->at - kStart));
    processor.Finish(next->call, next->at);
  }
  return ends;
}

void ExpectEnds(Processor& processor, const std::vector<std::pair<CallId, double>>& expected) {
  const auto ends = Drain(processor);
  ASSERT_EQ(ends.size(), expected.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    EXPECT_EQ(ends[i].first, expected[i].first);
    EXPECT_NEAR(ends[i].second, expected[i].second, 1e-6);
  }
}

// 2 cores; calls of 1, 2 and 3 s: each has 2/3 of a core until the first is done after 1.5 s.
TEST(ProcessorTest, CallsShareTheCores) {
  Processor processor(2, 1, kProcessorSharing, kStart);
  processor.Start(3, 3, kStart);
  processor.Start(1, 1, kStart);
  processor.Start(2, 2, kStart);
  ExpectEnds(processor, {{1, 1.5}, {2, 2.5}, {3, 3.5}});
  EXPECT_NEAR(processor.BusySeconds(After(10)), 6, 1e-6);
}

TEST(ProcessorTest, InAFifoTheyWaitForTheirTurn) {
  Processor processor(2, 1, kFifo, kStart);
  processor.Start(3, 3, kStart);
  processor.Start(1, 1, kStart);
  processor.Start(2, 2, kStart);
  ExpectEnds(processor, {{1, 1}, {2, 3}, {3, 3}});
}

TEST(ProcessorTest, SpeedCountsFromTheMomentItChanges) {
  Processor processor(1, 2, kProcessorSharing, kStart);
  processor.Start(1, 4, kStart);
  processor.SetSpeed(0, After(1));
  EXPECT_FALSE(processor.Next().has_value());
  processor.SetSpeed(0.5, After(2));
  ExpectEnds(processor, {{1, 6}});
}

TEST(ProcessorTest, ACancelledCallLeavesItsShareToTheOthers) {
  for (const Discipline discipline : {kProcessorSharing, kFifo}) {
    Processor processor(1, 1, discipline, kStart);
    processor.Start(1, 2, kStart);
    processor.Start(2, 2, kStart);
    processor.Cancel(1, After(1));
    processor.Cancel(7, After(1));  // nobody
    ExpectEnds(processor, {{2, discipline == kFifo ? 3 : 2.5}});
  }
}

TEST(ProcessorTest, AWaitingCallCanBeCancelled) {
  Processor processor(1, 1, kFifo, kStart);
  for (const CallId call : {1, 2, 3}) processor.Start(call, 1, kStart);
  processor.Cancel(2, kStart);
  ExpectEnds(processor, {{1, 1}, {3, 2}});
}

TEST(ProcessorTest, ClearEndsAll) {
  Processor processor(1, 1, kFifo, kStart);
  for (const CallId call : {1, 2, 3}) processor.Start(call, 1, kStart);
  EXPECT_EQ(processor.Clear(After(0.5)), (std::vector<CallId>{1, 2, 3}));
  EXPECT_EQ(processor.calls(), 0U);
  EXPECT_FALSE(processor.Next().has_value());
}

TEST(ProcessorTest, OneMoreCallCostsWhatItTakesFromTheOthersToo) {
  Processor processor(4, 1, kProcessorSharing, kStart);
  for (const CallId call : {1, 2, 3}) processor.Start(call, 1, kStart);
  EXPECT_DOUBLE_EQ(processor.CostOf(2, kStart), 2);
  processor.Start(4, 1, kStart);
  EXPECT_DOUBLE_EQ(processor.CostOf(2, kStart), 2 * 9.0 / 4);
  processor.SetSpeed(0.5, kStart);
  EXPECT_DOUBLE_EQ(processor.CostOf(2, kStart), 4 * 9.0 / 4);
}

// 2 cores, busy for 1 and 2 s, and a call of 3 s that waits: it will have the first core until
// second 4, so that one more has the other from second 2.
TEST(ProcessorTest, OneMoreCallInAFifoCostsItsOwnTime) {
  Processor processor(2, 1, kFifo, kStart);
  processor.Start(1, 1, kStart);
  processor.Start(2, 2, kStart);
  processor.Start(3, 3, kStart);
  EXPECT_DOUBLE_EQ(processor.CostOf(0.5, kStart), 2.5);
}

// The mean time in the system with Poisson arrivals, `load` per core, mean work 1.
template <typename DrawWork>
double MeanTime(int cores, Discipline discipline, double load, DrawWork draw_work) {
  constexpr int kCalls = 300'000;
  base::SeededRandom random(11);
  EventQueue events;
  Processor processor(cores, 1, discipline, events.now());
  std::unordered_map<CallId, base::TimePoint> arrived;
  double sum = 0;
  base::TimePoint arrival = events.now();
  for (CallId call = 1; call <= kCalls; ++call) {
    arrival += Nanoseconds(Exponential(random, 1 / (load * cores)));
    for (auto next = processor.Next(); next && next->at <= arrival; next = processor.Next()) {
      processor.Finish(next->call, next->at);
      sum += Seconds(next->at - arrived.at(next->call));
      arrived.erase(next->call);
    }
    processor.Start(call, draw_work(random), arrival);
    arrived[call] = arrival;
  }
  return sum / static_cast<double>(kCalls - arrived.size());
}

double Exponential1(base::RandomSource& random) { return Exponential(random, 1); }
double LogNormal1(base::RandomSource& random) { return LogNormal(random, 1); }

// M/G/1 processor sharing: 1/(1 - load), whatever the distribution of the work.
TEST(ProcessorTheoryTest, SharingOneCore) {
  EXPECT_NEAR(MeanTime(1, kProcessorSharing, 0.7, Exponential1), 1 / 0.3, 0.1);
  EXPECT_NEAR(MeanTime(1, kProcessorSharing, 0.7, LogNormal1), 1 / 0.3, 0.1);
}

// M/M/c: 1 + C/(c·(1 - load)), where C is Erlang's probability to wait; the same for sharing, since
// the number of calls is the same process. c = 4, load 0.8: C = 0.5964, so 1.7455.
TEST(ProcessorTheoryTest, FourCores) {
  EXPECT_NEAR(MeanTime(4, kFifo, 0.8, Exponential1), 1.7455, 0.03);
  EXPECT_NEAR(MeanTime(4, kProcessorSharing, 0.8, Exponential1), 1.7455, 0.03);
}

// Pollaczek and Khinchine: a single queue suffers from the spread of the work. M/G/1 FIFO:
// 1 + load·E[work²]/(2·(1 - load)), with E[work²] = e for sigma 1.
TEST(ProcessorTheoryTest, AQueueSuffersFromSpread) {
  EXPECT_NEAR(MeanTime(1, kFifo, 0.5, LogNormal1), 1 + 0.5 * 2.71828 / (2 * 0.5), 0.06);
}

}  // namespace
}  // namespace turnout::simulate
