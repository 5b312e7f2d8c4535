// Follows one service in one cluster for all of a process: list, then watch from revision + 1,
// fold, publish. Owned by a process-wide table; lives on for a while (`linger`, 5 min) after its
// last subscriber has gone, so that a channel that returns from idle has its snapshot and
// statistics. Where there is a disk cache it keeps what it finds, and begins with that if etcd does
// not answer.
#ifndef TURNOUT_SRC_DISCOVERY_SERVICE_WATCH_H_
#define TURNOUT_SRC_DISCOVERY_SERVICE_WATCH_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "turnout/discovery.h"

namespace turnout::discovery {

// As turnout::Watch, with options that have been checked and completed. Thread-safe. Callbacks come
// from the process's delivery thread (base::DeliveryThread), never from the event loop. A new
// subscriber gets the newest snapshot (or error) at once.
std::unique_ptr<Subscription> Subscribe(const std::string& service, const RegistryOptions& options,
                                        WatchCallbacks callbacks);

// For tests: how long those linger whose last subscriber goes from now on.
void SetLinger(std::chrono::milliseconds linger);

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_SERVICE_WATCH_H_
