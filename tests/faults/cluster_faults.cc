// What befalls one of three members of etcd: always the one that the client uses. The others go on,
// so that recovery counts from the fault's beginning.
#include <array>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault.h"

namespace turnout::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kNoneFails = "no call fails";

// The member that the client uses, and about a third of the servers.
int UsedMember(Scene& scene) {
  const auto used = scene.etcd().MemberUsedBy(scene.stage().client().pid());
  if (!used.has_value()) scene.Violate("the client is connected to no member of etcd");
  return used.value_or(0);
}

int UsedLeader(Scene& scene) {
  const int used = UsedMember(scene);
  scene.etcd().MoveLeader(used);
  return used;
}

int UsedFollower(Scene& scene) {
  const int used = UsedMember(scene);
  if (scene.etcd().Leader() == used) scene.etcd().MoveLeader((used + 1) % scene.etcd().size());
  return used;
}

// What is registered and unregistered meanwhile goes through the others.
void ReplaceOne(Scene& scene) {
  const auto place = scene.AnyPlace();
  scene.Drain(place);
  scene.StartAnew(place);
}

void LeaderKilled(Scene& scene) {
  const int leader = UsedLeader(scene);
  scene.member(leader).Kill();
  scene.Recover();
  ReplaceOne(scene);
  scene.member(leader).Start();
  scene.Settle();
}

void Freeze(Scene& scene, int member) {
  scene.member(member).Pause();
  scene.Pass(seconds(1));
  scene.Recover(kSilenceLimit);
  scene.Pass(seconds(15));
  scene.Settle();
  scene.member(member).Continue();
  scene.member(member).AwaitAnswer();
  scene.Settle();
}

void LeaderFrozen(Scene& scene) { Freeze(scene, UsedLeader(scene)); }
void FollowerFrozen(Scene& scene) { Freeze(scene, UsedFollower(scene)); }

void Part(Scene& scene, int member) {
  scene.etcd().Part(member, scene.AnyMode());
  scene.Pass(seconds(1));
  scene.Recover(kSilenceLimit);
  scene.Pass(seconds(10));
  ReplaceOne(scene);
  scene.Settle();
  scene.etcd().Heal();
  scene.member(member).AwaitAnswer();
  scene.Settle();
}

void LeaderParted(Scene& scene) { Part(scene, UsedLeader(scene)); }
void FollowerParted(Scene& scene) { Part(scene, UsedFollower(scene)); }

void FollowerLags(Scene& scene) {
  const milliseconds delay(200 + 100 * static_cast<int>(scene.random().Below(6)));
  scene.Say(absl::StrCat(delay.count(), " ms"));
  scene.etcd().Delay(UsedFollower(scene), delay);
  scene.Pass(seconds(5));
  ReplaceOne(scene);
  scene.Recover();
  scene.etcd().Heal();
}

void MembersRestarted(Scene& scene) {
  for (int i = 0; i < scene.etcd().size(); ++i) {
    scene.member(i).Stop();
    scene.member(i).Start();
    scene.etcd().Leader();
  }
  scene.Recover();
}

constexpr std::array kFaults = {
    Fault{"leader_killed", "the leader is killed (SIGKILL); a server is replaced without it",
          kNoneFails, Needs::kThreeMembers, &LeaderKilled},
    Fault{"leader_frozen", "the leader is frozen (SIGSTOP) for 15 s or more", kNoneFails,
          Needs::kThreeMembers, &LeaderFrozen},
    Fault{"follower_frozen", "another member is frozen (SIGSTOP) for 15 s or more", kNoneFails,
          Needs::kThreeMembers, &FollowerFrozen},
    Fault{"leader_parted", "the leader is parted from its peers, and a server is replaced",
          kNoneFails, Needs::kThreeMembers, &LeaderParted},
    Fault{"follower_parted", "another member is parted from its peers, and a server is replaced",
          kNoneFails, Needs::kThreeMembers, &FollowerParted},
    Fault{"follower_lags", "a member is 0.2 to 0.7 s behind its peers, and a server is replaced",
          kNoneFails, Needs::kThreeMembers, &FollowerLags},
    Fault{"members_restarted", "all members are restarted (SIGTERM), one after another", kNoneFails,
          Needs::kThreeMembers, &MembersRestarted},
};

}  // namespace

std::span<const Fault> ClusterFaults() { return kFaults; }

}  // namespace turnout::faults
