#include "src/discovery/broadcast.h"

#include <utility>

#include "src/base/fork.h"
#include "src/base/serial_thread.h"

namespace turnout::discovery {

class Broadcast::Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
  explicit Subscriber(WatchCallbacks callbacks) : callbacks_(std::move(callbacks)) {}

  void Deliver(std::shared_ptr<const Snapshot> snapshot);
  void DeliverError(absl::Status error);  // OK: what is still to be delivered is out of date

  // Afterwards no callback runs, unless it is the one that calls this.
  void End();

 private:
  void Schedule() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  bool ended();

  base::Mutex mutex_;
  base::CondVar idle_;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);  // to be delivered; null: none
  absl::Status error_ ABSL_GUARDED_BY(mutex_);                        // the same; OK: none
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  WatchCallbacks callbacks_;  // used by the delivery thread while running_, by End after that
};

void Broadcast::Subscriber::Deliver(std::shared_ptr<const Snapshot> snapshot) {
  base::MutexLock lock(mutex_);
  snapshot_ = std::move(snapshot);
  Schedule();
}

void Broadcast::Subscriber::DeliverError(absl::Status error) {
  base::MutexLock lock(mutex_);
  error_ = std::move(error);
  if (!error_.ok()) Schedule();
}

void Broadcast::Subscriber::Schedule() {
  if (std::exchange(scheduled_, true)) return;
  base::DeliveryThread().Run([self = shared_from_this()] { self->Run(); });
}

bool Broadcast::Subscriber::ended() {
  base::MutexLock lock(mutex_);
  return ended_;
}

void Broadcast::Subscriber::Run() {
  std::shared_ptr<const Snapshot> snapshot;
  absl::Status error;
  {
    base::MutexLock lock(mutex_);
    scheduled_ = false;
    if (ended_) return;
    running_ = true;
    snapshot = std::exchange(snapshot_, nullptr);
    error = std::exchange(error_, absl::OkStatus());
  }
  if (snapshot != nullptr) callbacks_.on_snapshot(std::move(snapshot));
  // The first callback may have ended it.
  if (!error.ok() && callbacks_.on_error != nullptr && !ended()) callbacks_.on_error(error);

  base::MutexLock lock(mutex_);
  running_ = false;
  idle_.NotifyAll();
}

void Broadcast::Subscriber::End() {
  const bool inside = base::DeliveryThread().OnThread();
  {
    base::MutexLock lock(mutex_);
    ended_ = true;
    while (running_ && !inside) idle_.Wait(mutex_);
    if (running_) return;  // its own callback is still on the stack
  }
  callbacks_ = {};
}

class Broadcast::Handle final : public Subscription {
 public:
  explicit Handle(std::shared_ptr<Subscriber> subscriber) : subscriber_(std::move(subscriber)) {}
  ~Handle() override {
    if (!base::InForkedChild()) subscriber_->End();
  }

 private:
  const std::shared_ptr<Subscriber> subscriber_;
};

template <typename Deliver>
void Broadcast::ForEach(const Deliver& deliver) {
  std::erase_if(subscribers_, [&](const std::weak_ptr<Subscriber>& weak) {
    const auto subscriber = weak.lock();
    if (subscriber != nullptr) deliver(*subscriber);
    return subscriber == nullptr;
  });
}

void Broadcast::Publish(const std::shared_ptr<const Snapshot>& snapshot) {
  base::MutexLock lock(mutex_);
  newest_ = snapshot;
  ForEach([&](Subscriber& subscriber) { subscriber.Deliver(snapshot); });
}

void Broadcast::PublishError(const absl::Status& error) {
  base::MutexLock lock(mutex_);
  error_ = error;
  ForEach([&](Subscriber& subscriber) { subscriber.DeliverError(error); });
}

std::unique_ptr<Subscription> Broadcast::Subscribe(WatchCallbacks callbacks) {
  auto subscriber = std::make_shared<Subscriber>(std::move(callbacks));
  {
    base::MutexLock lock(mutex_);
    // In quiet times nobody else would notice that they have gone.
    if (subscribers_.size() == subscribers_.capacity()) ForEach([](Subscriber&) {});
    subscribers_.push_back(subscriber);
    if (newest_ != nullptr) subscriber->Deliver(newest_);
    subscriber->DeliverError(error_);
  }
  return std::make_unique<Handle>(std::move(subscriber));
}

std::size_t Broadcast::remembered() {
  base::MutexLock lock(mutex_);
  return subscribers_.size();
}

}  // namespace turnout::discovery
