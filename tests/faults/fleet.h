// The servers of a stage. Each has a place: an address of its own, and what usually serves there.
//
// One thread at a time. What cannot be started ends the program.
#ifndef TURNOUT_TESTS_FAULTS_FLEET_H_
#define TURNOUT_TESTS_FAULTS_FLEET_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/faults/traffic.h"
#include "tests/support/etcd_server.h"
#include "tests/support/process.h"

namespace turnout::faults {

struct ServerSpec {
  std::string service, version, id;
  std::string advertise;  // empty: where it listens
};

// An operator's word about a server.
enum class Decision { kNone, kDraining, kRemoved };

class Fleet {
 public:
  using Place = std::size_t;

  // `etcd`: what the servers are told. Nobody serves yet. Their logs go to `folder`.
  Fleet(std::vector<std::string> etcd, std::string folder);

  std::size_t size() const { return places_.size(); }
  const std::string& address(Place place) const { return places_[place]->port.address(); }
  const ServerSpec& spec(Place place) const { return places_[place]->spec; }  // the newest there

  // What an operator has decided about who serves there. It goes with the id.
  void Note(Place place, Decision decision) { places_[place]->decision = decision; }

  // What usually serves at `place`, with an id that was not there before.
  ServerSpec Usual(Place place);

  // Returns when it serves; it may not be registered yet.
  void Start(Place place, ServerSpec spec);
  void AwaitRegistered(Place place);

  void Kill(Place place);
  void Freeze(Place place);
  void Thaw(Place place);
  void BeginDrain(Place place);
  // Its exit status; nothing if it does not end.
  std::optional<int> AwaitEnd(Place place);
  std::optional<int> Drain(Place place);

  struct Registration {
    ServerSpec spec;
    std::string address;  // as advertised
    bool draining = false;
  };
  // Of those that serve, are neither frozen nor ending, and have not been removed.
  std::vector<Registration> Registrations() const;

 private:
  struct Placed {
    Role usual{};
    testing::ReservedPort port;
    ServerSpec spec;
    std::unique_ptr<testing::Process> process;  // null: nobody serves
    bool frozen = false;
    bool ending = false;
    Decision decision = Decision::kNone;
  };

  const std::vector<std::string> etcd_;
  const std::string folder_;
  std::vector<std::unique_ptr<Placed>> places_;
  int next_id_ = 1;
};

// This program.
std::string SelfPath();

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_FLEET_H_
