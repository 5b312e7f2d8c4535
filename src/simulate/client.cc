#include "src/simulate/client.h"

namespace turnout::simulate {

void Client::Learn(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kJoined: {
      Endpoint endpoint;
      endpoint.member = {.instance = change.instance,
                         .status_since = events_.now(),
                         .stats = std::make_shared<InstanceStats>(events_.now())};
      endpoint.state = ConnectionState::kReady;
      endpoint.serving_since = view_ == nullptr ? base::TimePoint::min() : events_.now();
      known_[change.server] = std::move(endpoint);
      break;
    }
    case Change::Kind::kDraining:
      known_[change.server].member.status = InstanceStatus::kDraining;
      known_[change.server].member.status_since = events_.now();
      break;
    case Change::Kind::kStopped:
      known_.erase(change.server);
      break;
  }
}

void Client::Disconnected(std::size_t server) {
  const auto found = known_.find(server);
  if (found == known_.end()) return;
  found->second.state = ConnectionState::kFailing;
  found->second.last_error = absl::UnavailableError("connection refused");
  found->second.serving_since.reset();
}

void Client::Rebuild() {
  auto view = std::make_unique<View>();
  view->servers.reserve(known_.size());
  view->endpoints.reserve(known_.size());
  for (const auto& [server, endpoint] : known_) {
    view->servers.push_back(server);
    view->endpoints.push_back(endpoint);
  }
  view->picker = balance::BuildRoot(*config_->picker, "simulated", view->endpoints);
  view_ = std::move(view);
}

std::size_t Client::ServerOf(const Endpoint& endpoint) const {
  return view_->servers[static_cast<std::size_t>(&endpoint - view_->endpoints.data())];
}

}  // namespace turnout::simulate
