#include "src/discovery/broadcast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

#include "src/base/serial_thread.h"

namespace turnout::discovery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::shared_ptr<const Snapshot> At(std::int64_t revision) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->revision = revision;
  return snapshot;
}

// Waits until the delivery thread has done what it was given so far.
void Settle() {
  std::promise<void> done;
  base::DeliveryThread().Run([&] { done.set_value(); });
  done.get_future().wait();
}

// Holds the delivery thread until it is destroyed.
class Stall {
 public:
  Stall() {
    base::DeliveryThread().Run([until = end_.get_future().share()] { until.wait(); });
  }
  ~Stall() { end_.set_value(); }

 private:
  std::promise<void> end_;
};

// What one subscriber was told; read it when the delivery thread has settled.
struct Heard {
  std::vector<std::int64_t> revisions;
  std::vector<std::string> errors;

  WatchCallbacks Callbacks() {
    return {
        .on_snapshot = [this](auto snapshot) { revisions.push_back(snapshot->revision); },
        .on_error = [this](const absl::Status& error) { errors.emplace_back(error.message()); }};
  }
};

TEST(Broadcast, ReachesAllSubscribersOffThisThread) {
  Broadcast broadcast;
  Heard a, b;
  const auto first = broadcast.Subscribe(a.Callbacks());
  const auto second = broadcast.Subscribe(b.Callbacks());
  Settle();
  EXPECT_THAT(a.revisions, IsEmpty());
  broadcast.Publish(At(1));
  Settle();
  broadcast.Publish(At(2));
  Settle();
  EXPECT_THAT(a.revisions, ElementsAre(1, 2));
  EXPECT_THAT(b.revisions, ElementsAre(1, 2));
}

TEST(Broadcast, ANewSubscriberGetsTheNewest) {
  Broadcast broadcast;
  broadcast.Publish(At(1));
  broadcast.Publish(At(2));
  broadcast.PublishError(absl::UnavailableError("down"));
  Heard heard;
  const auto subscription = broadcast.Subscribe(heard.Callbacks());
  Settle();
  EXPECT_THAT(heard.revisions, ElementsAre(2));
  EXPECT_THAT(heard.errors, ElementsAre("down"));
}

TEST(Broadcast, ASlowSubscriberGetsTheNewestOnly) {
  Broadcast broadcast;
  Heard heard;
  const auto subscription = broadcast.Subscribe(heard.Callbacks());
  {
    const Stall stall;
    for (int revision = 1; revision <= 100; ++revision) broadcast.Publish(At(revision));
  }
  Settle();
  EXPECT_THAT(heard.revisions, ElementsAre(100));
}

TEST(Broadcast, AnErrorThatIsOverIsNotDelivered) {
  Broadcast broadcast;
  Heard heard, late;
  const auto subscription = broadcast.Subscribe(heard.Callbacks());
  {
    const Stall stall;
    broadcast.PublishError(absl::UnavailableError("down"));
    broadcast.PublishError(absl::OkStatus());
  }
  const auto another = broadcast.Subscribe(late.Callbacks());
  Settle();
  EXPECT_THAT(heard.errors, IsEmpty());
  EXPECT_THAT(late.errors, IsEmpty());
}

TEST(Broadcast, SnapshotsDoNotRepeatTheError) {
  Broadcast broadcast;
  Heard heard;
  const auto subscription = broadcast.Subscribe(heard.Callbacks());
  broadcast.PublishError(absl::UnavailableError("down"));
  Settle();
  broadcast.Publish(At(1));
  Settle();
  EXPECT_THAT(heard.errors, ElementsAre("down"));
}

TEST(Broadcast, OnErrorIsOptional) {
  Broadcast broadcast;
  Heard heard;
  const auto subscription = broadcast.Subscribe({.on_snapshot = heard.Callbacks().on_snapshot});
  broadcast.PublishError(absl::UnavailableError("down"));
  broadcast.Publish(At(1));
  Settle();
  EXPECT_THAT(heard.revisions, ElementsAre(1));
}

TEST(Broadcast, NothingComesAfterTheEnd) {
  Broadcast broadcast;
  Heard heard;
  auto subscription = broadcast.Subscribe(heard.Callbacks());
  {
    const Stall stall;
    broadcast.Publish(At(1));
    subscription.reset();
  }
  Settle();
  broadcast.Publish(At(2));
  Settle();
  EXPECT_THAT(heard.revisions, IsEmpty());
}

TEST(Broadcast, TheEndWaitsForACallbackThatRuns) {
  Broadcast broadcast;
  std::promise<void> entered, leave;
  std::atomic<bool> left = false;
  auto subscription = broadcast.Subscribe({.on_snapshot = [&](auto) {
    entered.set_value();
    leave.get_future().wait();
    left = true;
  }});
  broadcast.Publish(At(1));
  entered.get_future().wait();
  auto ended = std::async(std::launch::async, [&] {
    subscription.reset();
    return left.load();
  });
  // Cannot end now, however long one waits.
  EXPECT_EQ(ended.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  leave.set_value();
  EXPECT_TRUE(ended.get()) << "destroyed while the callback ran";
}

TEST(Broadcast, MayEndInsideItsOwnCallback) {
  Broadcast broadcast;
  broadcast.PublishError(absl::UnavailableError("down"));
  Heard heard;
  std::unique_ptr<Subscription> subscription;
  const auto callbacks = heard.Callbacks();
  {
    const Stall stall;
    subscription = broadcast.Subscribe({.on_snapshot =
                                            [&](auto snapshot) {
                                              subscription.reset();
                                              callbacks.on_snapshot(snapshot);
                                            },
                                        .on_error = callbacks.on_error});
    broadcast.Publish(At(1));
  }
  Settle();
  broadcast.Publish(At(2));
  Settle();
  EXPECT_THAT(heard.revisions, ElementsAre(1));
  EXPECT_THAT(heard.errors, IsEmpty());
}

TEST(Broadcast, LetsGoOfWhatCallbacksHold) {
  Broadcast broadcast;
  const auto held = std::make_shared<int>();
  auto subscription = broadcast.Subscribe({.on_snapshot = [held](auto) {}});
  EXPECT_EQ(held.use_count(), 2);
  subscription.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Broadcast, ForgetsWhoHasGoneThoughNothingIsPublished) {
  Broadcast broadcast;
  std::vector<std::unique_ptr<Subscription>> staying;
  for (int i = 0; i < 1000; ++i) {
    auto subscription = broadcast.Subscribe({.on_snapshot = [](auto) {}});
    if (i % 100 == 0) staying.push_back(std::move(subscription));
  }
  EXPECT_GE(broadcast.remembered(), staying.size());
  EXPECT_LE(broadcast.remembered(), 4 * staying.size());
}

TEST(Broadcast, ASubscriptionMayOutliveIt) {
  Heard heard;
  std::unique_ptr<Subscription> subscription;
  {
    Broadcast broadcast;
    subscription = broadcast.Subscribe(heard.Callbacks());
    broadcast.Publish(At(1));
  }
  Settle();
  EXPECT_THAT(heard.revisions, ElementsAre(1));
}

}  // namespace
}  // namespace turnout::discovery
