// The fastest that anyone can know of a change: a watch on etcd and nothing else, on a connection
// and a thread of its own.
#ifndef TURNOUT_BENCH_SUPPORT_BARE_WATCH_H_
#define TURNOUT_BENCH_SUPPORT_BARE_WATCH_H_

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace turnout::bench {

class BareWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // Watches the keys that begin with `prefix` from now on; runs when the constructor returns.
  BareWatch(const std::string& endpoint, const std::string& prefix);
  ~BareWatch();
  BareWatch(const BareWatch&) = delete;
  BareWatch& operator=(const BareWatch&) = delete;

  enum class Event { kPut, kDelete };
  // When the first such event of `key` arrived. Nothing if none does within 5 s.
  std::optional<Clock::time_point> ArrivalOf(const std::string& key, Event event);

 private:
  class Stream;
  void Read();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::string, Event>, Clock::time_point> arrivals_;
  const std::unique_ptr<Stream> stream_;
  std::thread thread_;
};

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_BARE_WATCH_H_
