// What befalls servers while etcd is well.
#include <array>
#include <chrono>

#include "tests/faults/fault.h"

namespace turnout::faults {
namespace {

using std::chrono::seconds;

constexpr std::string_view kInFlightOnly =
    "only calls that the killed process was answering fail; with retries, no call without an "
    "answer";

void Killed(Scene& scene) {
  const auto place = scene.AnyPlace();
  scene.Kill(place);
  scene.Recover();
  scene.StartAnew(place);
  scene.Settle();
}

void Frozen(Scene& scene) {
  const auto place = scene.AnyPlace();
  scene.Freeze(place);
  scene.Pass(kTtl + seconds(5));
  scene.fleet().Thaw(place);
  scene.Recover();
}

// Somebody else at the address, while the record of who was there still stands.
void RestartAs(Scene& scene, const Role& role) {
  const auto place = scene.AnyPlaceOf({kAlpha, "v1"});
  ServerSpec other = scene.fleet().Usual(place);
  other.service = role.service;
  other.version = role.version;
  if (scene.random().Coin()) {
    scene.Say("same id");
    other.id = scene.fleet().spec(place).id;
  }
  scene.Kill(place);
  scene.fleet().Start(place, other);
  scene.Recover();
  scene.Drain(place);
  scene.StartAnew(place);
  scene.Settle();
}

void AsOtherVersion(Scene& scene) { RestartAs(scene, {kAlpha, "v2"}); }
void AsOtherService(Scene& scene) { RestartAs(scene, {kBeta, "v1"}); }

void TwoWithOneAddress(Scene& scene) {
  const auto usurper = scene.AnyPlaceOf({kAlpha, "v1"});
  const auto victim = scene.AnyPlaceOf({kAlpha, "v1"}, usurper);
  scene.Drain(usurper);
  ServerSpec spec = scene.fleet().Usual(usurper);
  spec.advertise = scene.fleet().address(victim);
  scene.fleet().Start(usurper, spec);
  scene.Recover();
  scene.Pass(seconds(3));
  scene.Drain(usurper);
  scene.StartAnew(usurper);
  scene.Settle();
}

void RollingDrain(Scene& scene) {
  for (Fleet::Place place = 0; place < scene.fleet().size(); ++place) {
    scene.Drain(place);
    scene.StartAnew(place);
  }
  scene.Recover();
}

void RollingKill(Scene& scene) {
  for (Fleet::Place place = 0; place < scene.fleet().size(); ++place) {
    scene.Kill(place);
    scene.StartAnew(place);
  }
  scene.Recover();
}

constexpr std::array kFaults = {
    Fault{"server_killed", "a server is killed (SIGKILL)", kInFlightOnly, Needs::kAnything,
          &Killed},
    Fault{"server_frozen", "a server is frozen (SIGSTOP) for longer than its lease",
          "only calls to it fail, until its lease has ended", Needs::kAnything, &Frozen},
    Fault{"server_as_other_version", "a server is killed; another version starts at its address",
          kInFlightOnly, Needs::kAnything, &AsOtherVersion},
    Fault{"server_as_other_service", "a server is killed; another service starts at its address",
          kInFlightOnly, Needs::kAnything, &AsOtherService},
    Fault{"two_with_one_address", "a server announces the address of another one", "no call fails",
          Needs::kAnything, &TwoWithOneAddress},
    Fault{"rolling_drain", "all servers are restarted one after another, with a drain (SIGTERM)",
          "no call fails", Needs::kAnything, &RollingDrain},
    Fault{"rolling_kill", "all servers are restarted one after another, by SIGKILL", kInFlightOnly,
          Needs::kAnything, &RollingKill},
};

}  // namespace

std::span<const Fault> ServerFaults() { return kFaults; }

}  // namespace turnout::faults
