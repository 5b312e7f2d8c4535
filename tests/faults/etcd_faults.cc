// What befalls an etcd of one member, and the ways to it.
#include <array>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault.h"

namespace turnout::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Relay;

constexpr std::string_view kNoneFails = "no call fails";

// For longer than a lease lives, so that each registrar takes its own for lost, though etcd will
// have it again.
void StopFor(Scene& scene, seconds time) {
  scene.stage().DisregardLeases();
  scene.member().Stop();
  scene.Pass(time);
  scene.member().Start();
  scene.Recover(kReturnLimit);
}

void Stopped(Scene& scene) { StopFor(scene, seconds(5)); }
void StoppedForLong(Scene& scene) { StopFor(scene, seconds(30)); }

void Killed(Scene& scene) {
  scene.member().Restart();
  scene.Recover(kReturnLimit);
}

void Frozen(Scene& scene) {
  scene.member().Pause();
  scene.Pass(seconds(15));
  scene.member().Continue();
  scene.Recover();
}

// One server gives its place to another after the other: those who left are not to be believed any
// more.
void ChangeServers(Scene& scene) {
  const auto drained = scene.AnyPlaceOf({kAlpha, "v1"});
  scene.Drain(drained);
  scene.fleet().Start(drained, scene.fleet().Usual(drained));
  scene.fleet().AwaitRegistered(drained);
  const auto killed = scene.AnyPlaceOf({kAlpha, "v2"});
  scene.Kill(killed);
  scene.fleet().Start(killed, scene.fleet().Usual(killed));
  scene.fleet().AwaitRegistered(killed);
}

void RestoredFromBackup(Scene& scene) {
  const std::string backup =
      absl::StrCat(scene.stage().folder(), "/backup-", scene.random().Below(1'000'000'000), ".db");
  scene.etcd().SaveBackup(backup);
  ChangeServers(scene);
  scene.Settle();
  scene.member().Stop();
  scene.etcd().RestoreBackup(backup);
  scene.member().Start();
  scene.Recover(kReturnLimit);
}

void Wiped(Scene& scene) {
  scene.member().Stop();
  scene.member().Wipe();
  scene.member().Start();
  scene.Recover(kReturnLimit);
}

void CompactNow(Scene& scene) {
  const auto content = scene.etcd().TryList("/");
  if (!content.has_value()) return scene.Violate("etcd does not answer");
  scene.etcd().Compact(content->revision);
}

void CompactedAndDefragmented(Scene& scene) {
  ChangeServers(scene);
  CompactNow(scene);
  scene.etcd().Defragment();
  scene.Recover();
}

void CompactedBehindAWatch(Scene& scene) {
  scene.stage().clients_relay().Set({.mode = scene.AnyMode()});
  ChangeServers(scene);
  CompactNow(scene);
  scene.stage().clients_relay().Set({});
  scene.Recover();
}

void AllLeasesExpire(Scene& scene) {
  scene.stage().servers_relay().Set({.mode = scene.AnyMode()});
  const seconds time(scene.random().Coin() ? 8 : 16);  // before and after it is decided who stays
  scene.Say(absl::StrCat(time.count(), " s"));
  scene.Pass(time);
  scene.stage().servers_relay().Set({});
  scene.Recover();
}

void Unreachable(Scene& scene) {
  const Relay::Mode mode = scene.AnyMode();
  scene.stage().servers_relay().Set({.mode = mode});
  scene.stage().clients_relay().Set({.mode = mode});
  scene.Pass(seconds(12));
  scene.stage().servers_relay().Set({});
  scene.stage().clients_relay().Set({});
  scene.Recover();
}

void Slow(Scene& scene) {
  const milliseconds delay(100 + 50 * static_cast<int>(scene.random().Below(5)));
  scene.Say(absl::StrCat(delay.count(), " ms"));
  scene.stage().servers_relay().Set({.delay = delay});
  scene.stage().clients_relay().Set({.delay = delay});
  const auto place = scene.AnyPlace();
  scene.Drain(place);
  scene.fleet().Start(place, scene.fleet().Usual(place));
  scene.Recover();
  scene.stage().servers_relay().Set({});
  scene.stage().clients_relay().Set({});
}

constexpr std::array kFaults = {
    Fault{"etcd_stopped", "etcd ends (SIGTERM) and is back after 5 s", kNoneFails,
          Needs::kOneMember, &Stopped},
    Fault{"etcd_stopped_for_long", "etcd ends (SIGTERM) and is back after 30 s", kNoneFails,
          Needs::kOneMember, &StoppedForLong},
    Fault{"etcd_killed", "etcd is killed (SIGKILL) and started again", kNoneFails,
          Needs::kOneMember, &Killed},
    Fault{"etcd_frozen", "etcd is frozen (SIGSTOP) for 15 s", kNoneFails, Needs::kOneMember,
          &Frozen},
    Fault{"etcd_restored",
          "etcd is restored from a backup (snapshot) that is older than two replaced servers",
          "no call fails but by the one SIGKILL before it", Needs::kOneMember, &RestoredFromBackup},
    Fault{"etcd_wiped", "etcd comes back without data, with the same cluster id", kNoneFails,
          Needs::kOneMember, &Wiped},
    Fault{"etcd_compacted", "two servers are replaced, history is compacted and defragmented",
          "no call fails but by the one SIGKILL before it", Needs::kOneMember,
          &CompactedAndDefragmented},
    Fault{
        "etcd_compacted_behind_watch",
        "the clients are cut off from etcd while two servers are replaced and history is compacted",
        "no call fails but by the one SIGKILL", Needs::kRelays, &CompactedBehindAWatch},
    Fault{"all_leases_expire", "the servers are cut off from an etcd that runs, for 8 or 16 s",
          kNoneFails, Needs::kRelays, &AllLeasesExpire},
    Fault{"etcd_unreachable", "everybody is cut off from etcd for 12 s", kNoneFails, Needs::kRelays,
          &Unreachable},
    Fault{"etcd_slow",
          "all that goes to and from etcd takes 100 to 300 ms more; a server is replaced",
          kNoneFails, Needs::kRelays, &Slow},
};

}  // namespace

std::span<const Fault> EtcdFaults() { return kFaults; }

}  // namespace turnout::faults
