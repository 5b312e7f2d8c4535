#include "turnout/discovery.h"

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "src/base/backoff.h"
#include "src/base/fork.h"
#include "src/base/mutex.h"
#include "src/discovery/cache.h"
#include "src/discovery/fold.h"
#include "src/discovery/service_watch.h"
#include "src/etcd/client.h"
#include "src/etcd/event_loop.h"
#include "src/model/text.h"
#include "src/registry/clusters.h"

namespace turnout {
namespace {

using std::chrono::steady_clock;
using RangeOutcome = absl::StatusOr<etcd::RangeResult>;

// What one thread asks and the event loop answers, perhaps after the asker has given up.
struct Answer {
  base::Mutex mutex;
  base::CondVar given;
  std::optional<RangeOutcome> outcome ABSL_GUARDED_BY(mutex);
};

// Nothing if there was no answer until `deadline`.
std::optional<RangeOutcome> RangeOnce(etcd::Client& client, const std::string& prefix,
                                      steady_clock::time_point deadline) {
  auto answer = std::make_shared<Answer>();
  etcd::EventLoop::Get().Post([&client, prefix, answer] {
    client.RangePrefix(prefix, [answer](RangeOutcome outcome) {
      base::MutexLock lock(answer->mutex);
      answer->outcome = std::move(outcome);
      answer->given.NotifyAll();
    });
  });
  base::MutexLock lock(answer->mutex);
  while (!answer->outcome.has_value()) {
    if (!answer->given.WaitUntil(answer->mutex, deadline)) break;
  }
  return std::move(answer->outcome);
}

// Tries again until `deadline`: each time the client asks another member.
RangeOutcome RangeUntil(etcd::Client& client, const std::string& prefix,
                        steady_clock::time_point deadline) {
  base::Backoff backoff(std::chrono::milliseconds(50), std::chrono::milliseconds(1000));
  std::string last_error = "no answer in time";
  while (true) {
    auto outcome = RangeOnce(client, prefix, deadline);
    if (outcome.has_value() && outcome->ok()) return *std::move(outcome);
    if (outcome.has_value()) last_error = model::Message(outcome->status());
    const auto next = steady_clock::now() + backoff.Next();
    if (!outcome.has_value() || next >= deadline) {
      return absl::UnavailableError(model::Concat(
          {"cannot read the registrations from etcd at ", client.endpoints(), ": ", last_error}));
    }
    std::this_thread::sleep_until(next);
  }
}

// The keys that begin with `prefix`; `all` is sorted by key, as etcd answers.
etcd::RangeResult Part(const etcd::RangeResult& all, const std::string& prefix) {
  etcd::RangeResult part{.revision = all.revision};
  auto kv = std::lower_bound(
      all.kvs.begin(), all.kvs.end(), prefix,
      [](const etcd::KeyValue& a, const std::string& wanted) { return a.key < wanted; });
  for (; kv != all.kvs.end() && kv->key.starts_with(prefix); ++kv) part.kvs.push_back(*kv);
  return part;
}

etcd::RangeResult Exactly(const etcd::RangeResult& all, const std::string& key) {
  etcd::RangeResult found = Part(all, key);
  if (!found.kvs.empty() && found.kvs.front().key != key) found.kvs.clear();
  return found;
}

// With the cache, those that it knew and etcd does not, though nobody announced that, are lapsed.
Snapshot SnapshotOf(const std::string& service, const RegistryOptions& options,
                    const discovery::Lists& lists, steady_clock::time_point now) {
  const discovery::Scope scope{.service = service,
                               .keys = model::Keys(options.prefix),
                               .limits = {.size_bytes = options.max_record_bytes,
                                          .allow_unix_addresses = options.allow_unix_addresses},
                               .max_instances = options.max_instances,
                               .lapsed_limit = options.lapsed_limit};
  std::shared_ptr<const discovery::View> before;
  if (!options.cache_dir.empty()) {
    const auto cached = discovery::CachedService(service, options).Load();
    if (cached.has_value()) {
      before = discovery::FoldList(scope, nullptr, *cached, now).view;
    }
  }
  const auto folded = discovery::FoldList(scope, before.get(), lists, now);
  return *discovery::MakeSnapshot(scope, *folded.view);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Subscription>> Watch(std::string_view service,
                                                    const RegistryOptions& registry,
                                                    WatchCallbacks callbacks) {
  if (absl::Status status = model::CheckServiceName(service); !status.ok()) return status;
  auto options = registry::Complete(registry);
  if (!options.ok()) return options.status();
  if (callbacks.on_snapshot == nullptr) {
    return absl::InvalidArgumentError("on_snapshot: must be a function, got none");
  }
  return discovery::Subscribe(std::string(service), *options, std::move(callbacks));
}

absl::StatusOr<std::vector<Snapshot>> List(const RegistryOptions& registry,
                                           std::chrono::milliseconds timeout) {
  auto options = registry::Complete(registry);
  if (!options.ok()) return options.status();
  if (base::InForkedChild()) {
    return absl::FailedPreconditionError(
        "etcd cannot be read in a forked child: its threads do not exist");
  }
  const auto now = steady_clock::now();
  const auto all = RangeUntil(etcd::Client::For(*options), options->prefix + "/", now + timeout);
  if (!all.ok()) return all.status();

  const model::Keys keys(options->prefix);
  std::map<std::string, etcd::RangeResult> records;
  for (const etcd::KeyValue& kv : all->kvs) {
    const auto parsed = keys.ParseRecord(kv.key);
    if (parsed.has_value()) records[parsed->first].kvs.push_back(kv);
  }
  if (!options->cache_dir.empty()) {
    // All of whose records may have vanished.
    for (const std::string& service : discovery::CachedServices(*options)) records[service];
  }
  std::vector<Snapshot> services;
  for (auto& [service, found] : records) {
    found.revision = all->revision;
    Snapshot snapshot = SnapshotOf(service, *options,
                                   {.records = found,
                                    .states = Part(*all, keys.StatePrefix(service)),
                                    .rules = Exactly(*all, keys.Rules(service))},
                                   now);
    if (found.kvs.empty() && snapshot.members.empty()) continue;
    services.push_back(std::move(snapshot));
  }
  return services;
}

}  // namespace turnout
