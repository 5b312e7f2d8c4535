// One fault as it happens on a stage: what it may do, and what is measured of it.
#ifndef TURNOUT_TESTS_FAULTS_SCENE_H_
#define TURNOUT_TESTS_FAULTS_SCENE_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/faults/judge.h"
#include "tests/faults/random.h"
#include "tests/faults/stage.h"

namespace turnout::faults {

// What etcd, servers and clients may take until all is as it should be.
inline constexpr std::chrono::seconds kRegistrationLimit = kTtl + std::chrono::seconds(5);
inline constexpr std::chrono::seconds kViewLimit{5};
// Once etcd is back: the longest backoff step, and the request for which it ends.
inline constexpr std::chrono::seconds kReturnLimit =
    std::chrono::seconds(5) + std::chrono::seconds(1);
// Until a connection that has fallen silent is noticed, where that comes before.
inline constexpr std::chrono::seconds kSilenceLimit{10};

// Calls to a server that has fallen silent fail until its lease has ended, its clients have been
// told, and have turned away; etcd looks for leases that have ended every half second.
inline constexpr std::chrono::seconds kSilentUntilExpiry = kTtl + std::chrono::seconds(2);

class Scene {
 public:
  // `rules` are the stage's: calls may outlive the fault that they fail by.
  Scene(Stage& stage, Random& random, Rules& rules)
      : stage_(stage), random_(random), rules_(rules) {}

  Stage& stage() { return stage_; }
  testing::EtcdCluster& etcd() { return stage_.etcd(); }
  testing::EtcdServer& member(int index = 0) { return stage_.etcd().member(index); }
  Fleet& fleet() { return stage_.fleet(); }

  // Choices are drawn from the seed, and said in the report.
  Random& random() { return random_; }
  void Say(const std::string& choice);
  Fleet::Place AnyPlace();
  // One whose usual role this is; not `other`.
  Fleet::Place AnyPlaceOf(const Role& role, std::optional<Fleet::Place> other = std::nullopt);
  // How a connection is disturbed: cut, or silent.
  testing::Relay::Mode AnyMode();

  void Pass(std::chrono::milliseconds time);

  // SIGKILL. Calls that it was answering may fail.
  void Kill(Fleet::Place place);
  // SIGTERM. No call may fail, and it must end well.
  void Drain(Fleet::Place place);
  // SIGSTOP. Calls that are sent to it may fail until its lease has ended.
  void Freeze(Fleet::Place place);
  // From now on calls that are sent to `address` may fail, for so long.
  void AllowFailures(const std::string& address, Clock::duration time);
  // Somebody else of its kind, registered. Waits until the clients know, as one does who restarts
  // servers one after another.
  void StartAnew(Fleet::Place place);
  void AwaitKnown(Fleet::Place place);

  // An operator takes a server out of use: from a moment later, no call goes to it. Or puts it
  // back.
  void Decide(Fleet::Place place, Decision decision);

  // Measures from now until registrations and views are right, and holds the time of registrations
  // against `limit`. The longest of several counts.
  void Recover(Clock::duration limit = kRegistrationLimit);
  // Waits for the same after what only prepares or tidies up.
  void Settle();

  void Violate(const std::string& what) { violations_.push_back(what); }

  const std::string& choices() const { return choices_; }
  const std::vector<std::string>& violations() const { return violations_; }
  std::optional<Clock::time_point> recovery_begin() const { return recovery_begin_; }
  std::optional<Clock::duration> recovery() const { return recovery_; }

 private:
  Clock::duration AwaitRight(Clock::duration registration_limit);

  Stage& stage_;
  Random& random_;
  Rules& rules_;
  std::string choices_;
  std::vector<std::string> violations_;
  std::optional<Clock::time_point> recovery_begin_;
  std::optional<Clock::duration> recovery_;
};

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_SCENE_H_
