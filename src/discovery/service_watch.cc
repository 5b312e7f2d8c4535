#include "src/discovery/service_watch.h"

#include <atomic>
#include <map>
#include <utility>

#include "src/base/fork.h"
#include "src/base/mutex.h"
#include "src/discovery/broadcast.h"
#include "src/discovery/cache.h"
#include "src/discovery/cold_start.h"
#include "src/discovery/follower.h"
#include "src/discovery/report.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"

namespace turnout::discovery {
namespace {

std::atomic<std::chrono::milliseconds> linger_time{std::chrono::minutes(5)};

class ServiceWatch;

struct Table {
  base::Mutex mutex;
  // By service; there are seldom two clusters with the same one.
  std::multimap<std::string, std::shared_ptr<ServiceWatch>> watches ABSL_GUARDED_BY(mutex);
};

Table& AllWatches() {
  static Table& table = *new Table;
  return table;
}

// A follower and those who want what it finds.
class ServiceWatch final : public Follower::Listener,
                           public std::enable_shared_from_this<ServiceWatch> {
 public:
  ServiceWatch(std::string service, RegistryOptions options)
      : service_(std::move(service)), options_(std::move(options)) {}

  const RegistryOptions& options() const { return options_; }
  Broadcast& broadcast() { return broadcast_; }

  // Under the table's lock, so that it is not found unused in between.
  void AddSubscriber() { ++subscribers_; }
  // True if it was the last.
  bool RemoveSubscriber() { return --subscribers_ == 0; }

  // The rest is for the event loop's thread.
  void Start();
  void Linger();
  void OnSnapshot(std::shared_ptr<const Snapshot> snapshot) override;
  void OnError(const absl::Status& error) override { broadcast_.PublishError(error); }
  void OnRecovered() override { broadcast_.PublishError(absl::OkStatus()); }

 private:
  void UseCache();
  void EndIfUnused();

  const std::string service_;
  const RegistryOptions options_;
  Broadcast broadcast_;
  std::atomic<int> subscribers_{0};
  std::unique_ptr<Cache> cache_;  // null without a folder for it
  std::unique_ptr<ColdStart> cold_start_;
  std::unique_ptr<Follower> follower_;
  std::unique_ptr<etcd::EventLoop::Timer> linger_;
};

void ServiceWatch::Start() {
  etcd::EventLoop& loop = etcd::EventLoop::Get();
  Scope scope{.service = service_,
              .keys = model::Keys(options_.prefix),
              .limits = {.size_bytes = options_.max_record_bytes,
                         .allow_unix_addresses = options_.allow_unix_addresses},
              .max_instances = options_.max_instances,
              .lapsed_limit = options_.lapsed_limit};
  Follower::Environment environment{
      .client = etcd::Client::For(options_),
      .run_after = [&loop](auto delay, auto task) { return loop.RunAfter(delay, std::move(task)); },
      .now = std::chrono::steady_clock::now};
  follower_ = std::make_unique<Follower>(std::move(scope), std::move(environment), *this);
  if (!options_.cache_dir.empty()) UseCache();
}

void ServiceWatch::UseCache() {
  const Cache::Environment environment = CacheEnvironment();
  cache_ = std::make_unique<Cache>(service_, options_, environment);
  cold_start_ = std::make_unique<ColdStart>(
      *cache_, environment, [this](const Lists& lists) { follower_->Preload(lists); });
}

void ServiceWatch::OnSnapshot(std::shared_ptr<const Snapshot> snapshot) {
  if (snapshot->from_cache) {
    ReportCacheLoad(*snapshot);
  } else if (cache_ != nullptr) {
    cold_start_->End();
    cache_->Store(snapshot);
  }
  broadcast_.Publish(snapshot);
}

void ServiceWatch::Linger() {
  linger_ = etcd::EventLoop::Get().RunAfter(linger_time, [this] { EndIfUnused(); });
}

void ServiceWatch::EndIfUnused() {
  // Ends on the loop's thread, but not inside its own timer.
  etcd::EventLoop::Get().Post([self = shared_from_this()] {});
  Table& table = AllWatches();
  base::MutexLock lock(table.mutex);
  if (subscribers_ > 0) return;
  std::erase_if(table.watches, [this](const auto& entry) { return entry.second.get() == this; });
}

// One subscriber's share in a watch.
class Share final : public Subscription {
 public:
  Share(std::shared_ptr<ServiceWatch> watch, std::unique_ptr<Subscription> subscription)
      : watch_(std::move(watch)), subscription_(std::move(subscription)) {}
  ~Share() override;

 private:
  std::shared_ptr<ServiceWatch> watch_;
  std::unique_ptr<Subscription> subscription_;
};

Share::~Share() {
  subscription_.reset();
  if (base::InForkedChild() || !watch_->RemoveSubscriber()) return;
  // The last reference must go on the loop's thread, where the follower lives.
  etcd::EventLoop::Get().Post([watch = std::move(watch_)] { watch->Linger(); });
}

// The watch for these, made and started if there is none; counts a subscriber.
std::shared_ptr<ServiceWatch> Join(const std::string& service, const RegistryOptions& options) {
  Table& table = AllWatches();
  base::MutexLock lock(table.mutex);
  const auto [first, last] = table.watches.equal_range(service);
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second->options() != options) continue;
    entry->second->AddSubscriber();
    return entry->second;
  }
  auto watch = std::make_shared<ServiceWatch>(service, options);
  watch->AddSubscriber();
  table.watches.emplace(service, watch);
  etcd::EventLoop::Get().Post([watch] { watch->Start(); });
  return watch;
}

}  // namespace

std::unique_ptr<Subscription> Subscribe(const std::string& service, const RegistryOptions& options,
                                        WatchCallbacks callbacks) {
  if (base::InForkedChild()) return std::make_unique<Subscription>();
  std::shared_ptr<ServiceWatch> watch = Join(service, options);
  auto subscription = watch->broadcast().Subscribe(std::move(callbacks));
  return std::make_unique<Share>(std::move(watch), std::move(subscription));
}

void SetLinger(std::chrono::milliseconds linger) { linger_time = linger; }

}  // namespace turnout::discovery
