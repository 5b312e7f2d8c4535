// What befalls servers while etcd is well.
#include <array>
#include <chrono>
#include <memory>

#include "tests/faults/fault.h"

namespace turnout::faults {
namespace {

using std::chrono::seconds;
using testing::Relay;

// src/grpc/v1_51/policy.cc: a ping after 15 s of silence, which is to be answered within 5 s. One
// more second until the calls' threads have been told.
constexpr seconds kPingFindsSilence{21};

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

// Somebody new at `place`, whom clients reach through a relay only, and call.
std::unique_ptr<Relay> StartBehindRelay(Scene& scene, Fleet::Place place) {
  auto relay = std::make_unique<Relay>(scene.fleet().address(place));
  scene.Drain(place);
  ServerSpec spec = scene.fleet().Usual(place);
  spec.advertise = relay->endpoint();
  scene.fleet().Start(place, spec);
  scene.fleet().AwaitRegistered(place);
  scene.AwaitKnown(place);
  scene.Pass(seconds(1));
  return relay;
}

// It keeps its lease alive, so that only the connection's silence tells.
void Silent(Scene& scene) {
  const auto place = scene.AnyPlace();
  const auto relay = StartBehindRelay(scene, place);
  relay->Set({.mode = Relay::Mode::kSilent});
  scene.AllowFailures(relay->endpoint(), kPingFindsSilence);
  scene.Recover();
  scene.Pass(kPingFindsSilence + seconds(3));
  relay->Set({});
  scene.Drain(place);
  scene.StartAnew(place);
  scene.Settle();
}

// Its process is gone, and its clients' connections stay as they are.
void HalfOpen(Scene& scene) {
  const auto place = scene.AnyPlace();
  const auto relay = StartBehindRelay(scene, place);
  relay->Set({.mode = Relay::Mode::kSilent});
  scene.AllowFailures(relay->endpoint(), kSilentUntilExpiry);
  scene.fleet().Kill(place);
  scene.Recover();
  scene.StartAnew(place);
  scene.Settle();
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
    Fault{"server_silent", "a server's connections fall silent, while its lease lives",
          "only calls to it fail, until a ping is not answered: 20 s", Needs::kAnything, &Silent},
    Fault{"server_half_open", "a server is killed, while its clients' connections stay open",
          "only calls to it fail, until its lease has ended", Needs::kAnything, &HalfOpen},
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
