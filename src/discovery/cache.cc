#include "src/discovery/cache.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/base/serial_thread.h"
#include "src/discovery/cache_file.h"
#include "src/model/text.h"

namespace turnout::discovery {
namespace {

using model::Concat;

constexpr std::string_view kComponent = "cache";
constexpr std::chrono::milliseconds kShortestPause{1000};

// Writing takes at most this part of the time, however large a service is.
constexpr int kPart = 50;

// What has been reported: paths of files that cannot be used, folders that cannot be written to.
class Complaints {
 public:
  static Complaints& Get() {
    static Complaints& complaints = *new Complaints;
    return complaints;
  }

  void BadFile(const std::string& path, const absl::Status& why) {
    if (!Add(path)) return;
    base::Log(LogSeverity::kWarning, kComponent,
              Concat({path, " is not used: ", model::Message(why),
                      "; it will be replaced when etcd has answered"}));
  }
  void Unwritable(const std::string& folder, const absl::Status& why) {
    if (!Add(folder)) return;
    const std::string_view advice =
        absl::IsResourceExhausted(why)
            ? ""
            : "; make it a folder that this user can write to, with space left, or unset "
              "cache_dir and TURNOUT_CACHE_DIR";
    base::Log(LogSeverity::kWarning, kComponent,
              Concat({"snapshots are not kept in ", folder, ": ", model::Message(why), advice}));
  }
  void Written(const std::string& folder) {
    const base::MutexLock lock(mutex_);
    if (made_.erase(folder) == 0) return;
    base::Log(LogSeverity::kInfo, kComponent, Concat({"snapshots are kept in ", folder, " again"}));
  }

 private:
  bool Add(const std::string& about) {
    const base::MutexLock lock(mutex_);
    return made_.insert(about).second;
  }

  base::Mutex mutex_;
  std::set<std::string> made_ ABSL_GUARDED_BY(mutex_);
};

std::string HeaderOf(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

CachedService::CachedService(std::string service, const RegistryOptions& options)
    : identity_(std::move(service), options),
      folder_(options.cache_dir),
      name_(identity_.FileName()) {}

std::optional<Lists> CachedService::Load() {
  RemoveLeftovers(folder_, name_);
  const std::string path = Concat({folder_, "/", name_});
  const auto text = ReadCacheFile(path);
  if (!text.ok()) {
    if (!absl::IsNotFound(text.status())) Complaints::Get().BadFile(path, text.status());
    return std::nullopt;
  }
  auto lists = ParseCache(identity_, *text);
  if (!lists.ok()) {
    Complaints::Get().BadFile(path, lists.status());
    return std::nullopt;
  }
  known_ = HeaderOf(*text);
  return *std::move(lists);
}

void CachedService::Store(const Snapshot& snapshot) {
  const std::string text = FormatCache(identity_, snapshot);
  std::string header = HeaderOf(text);
  if (header == known_) return;
  const absl::Status status = ReplaceCacheFile(folder_, name_, text);
  if (!status.ok()) return Complaints::Get().Unwritable(folder_, status);
  known_ = std::move(header);
  Complaints::Get().Written(folder_);
}

std::vector<std::string> CachedServices(const RegistryOptions& options) {
  std::vector<std::string> services;
  for (const std::string& name : CacheFileNames(options.cache_dir)) {
    // The name ends with two parts more, which must be those that this service has here.
    const auto end = name.rfind('.', name.rfind('.') - 1);
    if (end == std::string::npos) continue;
    std::string service = name.substr(0, end);
    if (CacheIdentity(service, options).FileName() == name) services.push_back(std::move(service));
  }
  return services;
}

// What the disk's thread shares with a cache, and may outlive it.
class Cache::Disk {
 public:
  using Clock = decltype(Environment::now);

  Disk(std::string service, const RegistryOptions& options) : file_(std::move(service), options) {}

  std::optional<Lists> Load() { return file_.Load(); }

  // From the cache's thread. True if Store is to be run.
  bool Put(std::shared_ptr<const Snapshot> snapshot) {
    const base::MutexLock lock(mutex_);
    return std::exchange(newest_, std::move(snapshot)) == nullptr;
  }

  void Store(const Clock& now) {
    std::shared_ptr<const Snapshot> snapshot;
    {
      const base::MutexLock lock(mutex_);
      snapshot.swap(newest_);
    }
    const auto start = now();
    file_.Store(*snapshot);
    const base::MutexLock lock(mutex_);
    last_took_ = std::chrono::ceil<std::chrono::milliseconds>(now() - start);
  }

  std::chrono::milliseconds last_took() {
    const base::MutexLock lock(mutex_);
    return last_took_;
  }

 private:
  CachedService file_;  // for the disk's thread
  base::Mutex mutex_;
  std::shared_ptr<const Snapshot> newest_ ABSL_GUARDED_BY(mutex_);  // null: Store has taken it
  std::chrono::milliseconds last_took_ ABSL_GUARDED_BY(mutex_){0};
};

Cache::Cache(std::string service, const RegistryOptions& options, Environment environment)
    : environment_(std::move(environment)),
      disk_(std::make_shared<Disk>(std::move(service), options)),
      alive_(std::make_shared<char>()) {}

Cache::~Cache() {
  if (newest_ != nullptr) Write();
}

void Cache::Load(std::function<void(Lists)> done) {
  environment_.run_on_disk([disk = disk_, post = environment_.post, done = std::move(done),
                            alive = std::weak_ptr(alive_)] {
    auto lists = disk->Load();
    if (!lists.has_value()) return;
    post([lists = *std::move(lists), done, alive]() mutable {
      if (!alive.expired()) done(std::move(lists));
    });
  });
}

void Cache::Store(std::shared_ptr<const Snapshot> snapshot) {
  const auto lapsed = [](const Member& member) { return member.status == InstanceStatus::kLapsed; };
  const auto& members = snapshot->members;
  if (!members.empty() && std::all_of(members.begin(), members.end(), lapsed)) return;
  newest_ = std::move(snapshot);
  if (pause_ == nullptr) Write();
}

void Cache::Write() {
  if (disk_->Put(std::move(newest_))) {
    environment_.run_on_disk([disk = disk_, now = environment_.now] { disk->Store(now); });
  }
  newest_ = nullptr;
  const auto pause = std::max(kShortestPause, kPart * disk_->last_took());
  pause_ = environment_.run_after(pause, [this] {
    pause_.reset();
    if (newest_ != nullptr) Write();
  });
}

Cache::Environment CacheEnvironment() {
  static base::SerialThread& disk = *new base::SerialThread("turnout-cache");
  etcd::EventLoop& loop = etcd::EventLoop::Get();
  return {
      .run_on_disk = [](auto task) { disk.Run(std::move(task)); },
      .post = [&loop](auto task) { loop.Post(std::move(task)); },
      .run_after = [&loop](auto delay, auto task) { return loop.RunAfter(delay, std::move(task)); },
      .now = std::chrono::steady_clock::now,
  };
}

}  // namespace turnout::discovery
