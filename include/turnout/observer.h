// Events and counters, for metrics and tests.
#ifndef TURNOUT_OBSERVER_H_
#define TURNOUT_OBSERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "turnout/registrar.h"
#include "turnout/snapshot.h"

namespace turnout {

// What happens seldom. Methods are called from one thread of the library's own, in order, and may
// block: that delays later events and log entries, and nothing else. While 10,000 events wait, new
// ones are dropped, and their number is logged; of snapshots that wait, only the newest stays.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void OnRegistration(const std::string& /*key*/, RegistrationState /*state*/,
                              const absl::Status& /*last_error*/) {}
  virtual void OnSnapshot(std::shared_ptr<const Snapshot> /*snapshot*/) {}
  virtual void OnRecordRejected(const std::string& /*key*/, const std::string& /*reason*/) {}
  // Its record vanished unannounced: from now on it is called only where nobody else can be, for as
  // long as its connection lives. OnSnapshot tells when it is back or gone.
  virtual void OnInstanceLapsed(std::shared_ptr<const Instance> /*instance*/) {}
};

// Sets the process's observer; null for none. Thread-safe.
void SetObserver(std::shared_ptr<Observer> observer);

// What happens often, since the process began. Each is monotonic.
struct Counters {
  std::uint64_t picks_completed = 0;   // calls sent to an instance
  std::uint64_t picks_queued = 0;      // times a call had to wait for a connection
  std::uint64_t picks_failed = 0;      // times a call was told that there is no instance
  std::uint64_t picks_dropped = 0;     // calls ended for good by a policy
  std::uint64_t calls_denied = 0;      // calls ended for good by a traffic rule
  std::uint64_t snapshots = 0;         // published to channels and watchers
  std::uint64_t records_rejected = 0;  // malformed, too large, shadowed
  std::uint64_t instances_lapsed = 0;  // records that vanished unannounced
  std::uint64_t relists = 0;           // times a service was listed again: compaction, new history
  std::uint64_t cache_loads = 0;       // services begun from the cache, etcd being away
  std::uint64_t registrations = 0;     // times a record was put, first or again
  std::uint64_t registrations_lost = 0;
  std::uint64_t subchannels_created = 0;
};

// Thread-safe; a momentary reading, not a consistent cut.
Counters GetCounters();

}  // namespace turnout

#endif  // TURNOUT_OBSERVER_H_
