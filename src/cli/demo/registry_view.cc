#include "src/cli/demo/registry_view.h"

#include <algorithm>
#include <utility>

#include "src/cli/waiting.h"

namespace turnout::cli {

absl::StatusOr<std::unique_ptr<RegistryView>> RegistryView::Open(const std::string& service,
                                                                 const RegistryOptions& registry) {
  std::unique_ptr<RegistryView> view(new RegistryView);
  // Clients remember for a while who vanished unannounced; this is about etcd alone.
  RegistryOptions forgetful = registry;
  forgetful.lapsed_limit = std::chrono::seconds(0);
  auto subscription = Watch(service, forgetful, {.on_snapshot = [&view = *view](auto snapshot) {
                              {
                                const std::lock_guard lock(view.mutex_);
                                view.latest_ = std::move(snapshot);
                              }
                              WakeUp();
                            }});
  if (!subscription.ok()) return subscription.status();
  view->subscription_ = *std::move(subscription);
  return view;
}

bool RegistryView::Await(std::chrono::milliseconds limit,
                         const std::function<bool(const Snapshot&)>& wanted) {
  return WaitFor(limit, [&] { return wanted(latest()); });
}

Snapshot RegistryView::latest() const {
  const std::lock_guard lock(mutex_);
  return *latest_;
}

bool HasAddress(const Snapshot& snapshot, const std::string& address) {
  return std::any_of(snapshot.members.begin(), snapshot.members.end(),
                     [&](const Member& member) { return member.instance->address() == address; });
}

}  // namespace turnout::cli
