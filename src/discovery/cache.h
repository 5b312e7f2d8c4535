// The disk cache: keeps the last snapshot of each service, for a start while etcd is away.
//
// All disk work is done on a thread of its own, so that a slow disk delays neither leases nor
// snapshots. Whatever goes wrong there is reported once and harms nothing else.
#ifndef TURNOUT_SRC_DISCOVERY_CACHE_H_
#define TURNOUT_SRC_DISCOVERY_CACHE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/discovery/cache_format.h"
#include "src/etcd/event_loop.h"
#include "turnout/registry.h"
#include "turnout/snapshot.h"

namespace turnout::discovery {

// One service's file. One thread at a time; blocks.
class CachedService {
 public:
  // `options.cache_dir` is not empty.
  CachedService(std::string service, const RegistryOptions& options);

  // Nothing if there is no usable file; a bad one is reported, once in the process.
  std::optional<Lists> Load();

  // Writes the file unless it says the same already. What goes wrong is reported once for each
  // folder, until a file is written there again.
  void Store(const Snapshot& snapshot);

 private:
  const CacheIdentity identity_;
  const std::string folder_;
  const std::string name_;
  std::string known_;  // header of what the file holds, as far as we know: it sums up the rest
};

// The services of one cluster that `options.cache_dir` has files of. Blocks.
std::vector<std::string> CachedServices(const RegistryOptions& options);

// The same for those who must not block. Lives on one thread, such as the event loop's.
class Cache {
 public:
  struct Environment {
    using Timer = std::unique_ptr<etcd::EventLoop::Timer>;

    std::function<void(std::function<void()>)> run_on_disk;  // on the disk's thread, in order
    std::function<void(std::function<void()>)> post;         // from there to the owner's thread
    std::function<Timer(std::chrono::milliseconds, std::function<void()>)> run_after;
    std::function<std::chrono::steady_clock::time_point()> now;  // on any thread
  };

  Cache(std::string service, const RegistryOptions& options, Environment environment);
  ~Cache();  // what is not written yet will be
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Calls `done` unless there is nothing to load, or the cache is destroyed before.
  void Load(std::function<void(Lists)> done);

  // Of those that come within a second the newest is written. One in which all have lapsed is
  // passed over: what is there is the better one to start with.
  void Store(std::shared_ptr<const Snapshot> snapshot);

 private:
  class Disk;

  void Write();

  const Environment environment_;
  const std::shared_ptr<Disk> disk_;
  const std::shared_ptr<void> alive_;
  std::shared_ptr<const Snapshot> newest_;  // null: all is on its way
  Environment::Timer pause_;                // null: one may be written at once
};

// The process's environment: a thread "turnout-cache" and the event loop.
Cache::Environment CacheEnvironment();

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_CACHE_H_
