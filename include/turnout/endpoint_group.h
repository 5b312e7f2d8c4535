// The endpoints that a picker may choose among.
#ifndef TURNOUT_ENDPOINT_GROUP_H_
#define TURNOUT_ENDPOINT_GROUP_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/endpoint.h"
#include "turnout/pick.h"

namespace turnout {

// Endpoints that match a call, in all states, and what follows from those states: see "Rules that
// decide a call" in docs/architecture.md. Cheap to move, costs two vectors to copy.
class EndpointGroup {
 public:
  using Members = std::vector<const Endpoint*>;

  // `service` names it in messages, and lives as long as the endpoints.
  EndpointGroup(std::string_view service, Members members)
      : EndpointGroup(service, {}, std::move(members), false) {}

  std::string_view service() const { return service_; }
  std::span<const Endpoint* const> members() const { return members_; }

  // Which part of the service this is: "" for all of it, "/v1", "/v1/zone-a", … as the parents name
  // their parts. The same from one Build to the next, so that a builder can keep state by it.
  const std::string& key() const { return key_; }

  // Those that calls should go to now: READY, and of the best status that a READY one has.
  std::span<const Endpoint* const> candidates() const { return candidates_; }

  // Those that nobody has connected yet.
  std::span<const Endpoint* const> idle() const { return idle_; }

  // What calls get while there is no candidate: Queue, with a Connect for the idle ones, while one
  // is connecting or idle; else Fail with a connection error, or with `no match found conn`.
  PickResult Unavailable() const;

  // A part of the group, or all of it; `name` tells it from the other parts.
  EndpointGroup With(Members members, std::string_view name) const;

  // The same group, but unhealthy members (connected, and failing their health check) count as if
  // they were READY, here and in all parts.
  EndpointGroup IgnoringHealth() &&;

 private:
  EndpointGroup(std::string_view service, std::string key, Members members, bool ignores_health);
  bool Takes(const Endpoint& member) const;

  std::string_view service_;
  std::string key_;
  bool ignores_health_;
  Members members_;
  Members candidates_;
  Members idle_;
  bool connecting_ = false;            // is any member?
  const Endpoint* failing_ = nullptr;  // one of them
};

}  // namespace turnout

#endif  // TURNOUT_ENDPOINT_GROUP_H_
