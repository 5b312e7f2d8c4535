// What befalls one of three members of etcd: always the one that the client uses. The others go on,
// so that recovery counts from the fault's beginning; and something changes at once that can only
// be heard from them.
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

// A new leader may make the client use another member.
int UsedLeader(Scene& scene) {
  int used = UsedMember(scene);
  for (int leader = -1; leader != used; used = UsedMember(scene)) {
    leader = used;
    scene.etcd().MoveLeader(leader);
  }
  return used;
}

int UsedFollower(Scene& scene) {
  int used = UsedMember(scene);
  for (; scene.etcd().Leader() == used; used = UsedMember(scene)) {
    scene.etcd().MoveLeader((used + 1) % scene.etcd().size());
  }
  return used;
}

// One server leaves, a member is struck, another server comes in its place: who uses the member
// must leave it to hear of that, be it for no other reason than that nothing comes from it any
// more.
int Strike(Scene& scene, int (*choose)(Scene&), void (*blow)(Scene&, int member),
           Clock::duration limit) {
  const auto place = scene.AnyPlace();
  scene.Drain(place);
  const int member = choose(scene);
  blow(scene, member);
  scene.fleet().Start(place, scene.fleet().Usual(place));
  scene.Recover(limit);
  return member;
}

// With one that is struck already.
void ReplaceOne(Scene& scene) {
  const auto place = scene.AnyPlace();
  scene.Drain(place);
  scene.StartAnew(place);
}

void LeaderKilled(Scene& scene) {
  const auto kill = [](Scene& on, int member) { on.member(member).Kill(); };
  const int leader = Strike(scene, &UsedLeader, kill, kRegistrationLimit);
  scene.member(leader).Start();
  scene.Settle();
}

void Freeze(Scene& scene, int (*choose)(Scene&)) {
  const auto pause = [](Scene& on, int struck) { on.member(struck).Pause(); };
  const int member = Strike(scene, choose, pause, kRegistrationLimit + kSilenceLimit);
  ReplaceOne(scene);
  scene.Settle();
  scene.member(member).Continue();
  scene.member(member).AwaitAnswer();
  scene.Settle();
}

void LeaderFrozen(Scene& scene) { Freeze(scene, &UsedLeader); }
void FollowerFrozen(Scene& scene) { Freeze(scene, &UsedFollower); }

void Part(Scene& scene, int (*choose)(Scene&)) {
  const auto part = [](Scene& on, int struck) { on.etcd().Part(struck, on.AnyMode()); };
  const int member = Strike(scene, choose, part, kRegistrationLimit + kSilenceLimit);
  ReplaceOne(scene);
  scene.Settle();
  scene.etcd().Heal();
  scene.member(member).AwaitAnswer();
  scene.Settle();
}

void LeaderParted(Scene& scene) { Part(scene, &UsedLeader); }
void FollowerParted(Scene& scene) { Part(scene, &UsedFollower); }

void FollowerLags(Scene& scene) {
  const milliseconds delay(200 + 100 * static_cast<int>(scene.random().Below(6)));
  scene.Say(absl::StrCat(delay.count(), " ms"));
  scene.etcd().Delay(UsedFollower(scene), delay);
  scene.Pass(seconds(5));
  const auto place = scene.AnyPlace();
  scene.Drain(place);
  scene.fleet().Start(place, scene.fleet().Usual(place));
  scene.Recover();
  scene.etcd().Heal();
  scene.Settle();
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
    Fault{"leader_killed", "the leader is killed (SIGKILL) while a server is replaced", kNoneFails,
          Needs::kThreeMembers, &LeaderKilled},
    Fault{"leader_frozen", "the leader is frozen (SIGSTOP) while servers are replaced", kNoneFails,
          Needs::kThreeMembers, &LeaderFrozen},
    Fault{"follower_frozen", "another member is frozen (SIGSTOP) while servers are replaced",
          kNoneFails, Needs::kThreeMembers, &FollowerFrozen},
    Fault{"leader_parted", "the leader is parted from its peers while servers are replaced",
          kNoneFails, Needs::kThreeMembers, &LeaderParted},
    Fault{"follower_parted", "another member is parted from its peers while servers are replaced",
          kNoneFails, Needs::kThreeMembers, &FollowerParted},
    Fault{"follower_lags", "a member is 0.2 to 0.7 s behind its peers, and a server is replaced",
          kNoneFails, Needs::kThreeMembers, &FollowerLags},
    Fault{"members_restarted", "all members are restarted (SIGTERM), one after another", kNoneFails,
          Needs::kThreeMembers, &MembersRestarted},
};

}  // namespace

std::span<const Fault> ClusterFaults() { return kFaults; }

}  // namespace turnout::faults
