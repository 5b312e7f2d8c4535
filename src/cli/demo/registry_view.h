// What etcd holds of the demonstration's service, at any moment.
#ifndef TURNOUT_SRC_CLI_DEMO_REGISTRY_VIEW_H_
#define TURNOUT_SRC_CLI_DEMO_REGISTRY_VIEW_H_

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "turnout/discovery.h"

namespace turnout::cli {

class RegistryView {
 public:
  static absl::StatusOr<std::unique_ptr<RegistryView>> Open(const std::string& service,
                                                            const RegistryOptions& registry);

  // Waits until the instances are as `wanted` says; false if that takes longer than `limit`.
  bool Await(std::chrono::milliseconds limit, const std::function<bool(const Snapshot&)>& wanted);

  Snapshot latest() const;  // empty while etcd has not answered

 private:
  RegistryView() = default;

  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> latest_ = std::make_shared<Snapshot>();
  std::unique_ptr<Subscription> subscription_;  // the last member: it uses the others until it ends
};

bool HasAddress(const Snapshot& snapshot, const std::string& address);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_DEMO_REGISTRY_VIEW_H_
