#include "src/simulate/event_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace turnout::simulate {
namespace {

using std::chrono::milliseconds;

TEST(EventQueueTest, EventsHappenInOrderOfTimeThenOfAddition) {
  EventQueue events;
  const base::TimePoint start = events.now();
  std::string order;
  events.After(milliseconds(2), [&] { order += "c"; });
  events.After(milliseconds(1), [&] {
    order += "a";
    events.After(milliseconds(1), [&] { order += "d"; });
  });
  events.After(milliseconds(1), [&] { order += "b"; });
  while (events.RunNext()) {
  }
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(events.now() - start, milliseconds(2));
}

TEST(EventQueueTest, ThePastIsNow) {
  EventQueue events;
  const base::TimePoint start = events.now();
  events.At(start - milliseconds(5), [] {});
  EXPECT_TRUE(events.RunNext());
  EXPECT_EQ(events.now(), start);
  EXPECT_FALSE(events.RunNext());
}

TEST(EventQueueTest, SecondsAreRoundedUp) {
  EXPECT_EQ(Nanoseconds(1e-9).count(), 1);
  EXPECT_EQ(Nanoseconds(1.5e-9).count(), 2);
  EXPECT_DOUBLE_EQ(Seconds(std::chrono::microseconds(1500)), 0.0015);
}

}  // namespace
}  // namespace turnout::simulate
