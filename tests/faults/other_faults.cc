// What operators decide, and clients that come when it is least convenient.
#include <array>
#include <chrono>
#include <thread>

#include "absl/strings/str_format.h"
#include "tests/faults/fault.h"

namespace turnout::faults {
namespace {

using std::chrono::seconds;

// The disk cache is used after 2 s (docs/reliability.md). A process has to start besides, and its
// connections have to be made.
constexpr std::chrono::milliseconds kColdStartLimit{4000};

void Drained(Scene& scene) {
  const auto place = scene.AnyPlace();
  scene.Decide(place, Decision::kDraining);
  scene.Recover();
  scene.Decide(place, Decision::kNone);
  scene.Recover();
}

// However often its process comes back, and etcd.
void Removed(Scene& scene) {
  const auto place = scene.AnyPlace();
  scene.Decide(place, Decision::kRemoved);
  scene.Recover();
  const ServerSpec spec = scene.fleet().spec(place);
  scene.Drain(place);
  scene.fleet().Start(place, spec);
  scene.member().Restart();
  scene.Settle();
  scene.Decide(place, Decision::kNone);
  scene.fleet().AwaitRegistered(place);
  scene.Recover();
}

void AwaitAnswerOfOtherClient(Scene& scene, Clock::time_point started) {
  while (scene.stage().other_client().answered() == 0) {
    if (Clock::now() - started > kColdStartLimit) {
      return scene.Violate(
          absl::StrFormat("a client that starts with a cache is not answered after %d ms",
                          kColdStartLimit.count()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void ClientStartsWithoutEtcd(Scene& scene) {
  scene.stage().StopOtherClient();
  scene.stage().DisregardLeases();  // they end before etcd is back
  scene.member().Stop();
  const auto started = Clock::now();
  scene.stage().StartOtherClient();
  AwaitAnswerOfOtherClient(scene, started);
  scene.Pass(seconds(3));
  scene.member().Start();
  scene.Recover(kReturnLimit);
}

constexpr std::array kFaults = {
    Fault{"operator_drains", "an operator drains a server, and restores it",
          "no call fails; none goes to it", Needs::kAnything, &Drained},
    Fault{"operator_removes",
          "an operator removes a server, its process and a member of etcd are restarted, and it is "
          "restored",
          "no call fails; none goes to it", Needs::kAnything, &Removed},
    Fault{"client_starts_without_etcd",
          "a client starts while etcd is away, with the disk cache that another one keeps",
          "no call fails; the first is answered within 4 s", Needs::kOneMember,
          &ClientStartsWithoutEtcd},
};

}  // namespace

std::span<const Fault> OtherFaults() { return kFaults; }

}  // namespace turnout::faults
