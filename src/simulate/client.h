// One simulated client: what it knows of the servers, and the real picker that it asks.
#ifndef TURNOUT_SRC_SIMULATE_CLIENT_H_
#define TURNOUT_SRC_SIMULATE_CLIENT_H_

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "src/balance/policy_config.h"
#include "src/simulate/event_queue.h"
#include "src/simulate/fleet.h"
#include "turnout/picker.h"

namespace turnout::simulate {

class Client {
 public:
  Client(std::shared_ptr<const balance::PolicyConfig> config, const EventQueue& events)
      : config_(std::move(config)), events_(events) {}

  // Takes in what has happened, but for the picker: Rebuild does that.
  void Learn(const Change& change);
  void Disconnected(std::size_t server);  // from the instance that is known
  void Rebuild();

  const PickerBuilder& builder() const { return *config_->picker; }
  PickResult Pick(const PickArgs& args) const { return view_->picker->Pick(args); }

  // Of the endpoint that a pick has returned, until the next Rebuild.
  std::size_t ServerOf(const Endpoint& endpoint) const;

 private:
  struct View {
    std::vector<std::size_t> servers;  // of the endpoints
    std::vector<Endpoint> endpoints;
    std::unique_ptr<const Picker> picker;
  };

  const std::shared_ptr<const balance::PolicyConfig> config_;
  const EventQueue& events_;
  std::map<std::size_t, Endpoint> known_;  // by server
  std::unique_ptr<const View> view_;
};

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_CLIENT_H_
