#include "src/registry/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/base/observe.h"
#include "src/base/random.h"
#include "src/base/test_logs.h"
#include "src/registry/fake_etcd.h"

namespace turnout::registry {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using enum RegistrationState;

const std::string kKey = "/srv/app/one";
const std::string kStateKey = "/turnout/state/srv.app/one";

Instance MakeInstance() {
  Instance instance;
  instance.service = "srv.app";
  instance.id = "one";
  instance.version = "v1";
  instance.addresses = {"10.0.0.1:80"};
  return instance;
}

class RegistrationTest : public ::testing::Test {
 protected:
  ~RegistrationTest() override {
    registration_.reset();
    etcd_.Settle();
  }

  void Begin() {
    registration_ = std::make_shared<Registration>(
        Registration::Plan{MakeInstance(), kKey, kStateKey, std::chrono::seconds(10)}, etcd_,
        [this](milliseconds delay, std::function<void()> task) {
          return timers_.RunAfter(delay, std::move(task));
        },
        [this](RegistrationState state, const absl::Status& error) {
          if (states_.empty() || states_.back() != state) states_.push_back(state);
          last_error_ = error;
        });
    registration_->Begin();
  }

  void BeginAndRegister() {
    Begin();
    etcd_.GrantLease(7);
    etcd_.Settle();
    ASSERT_THAT(states_, ElementsAre(kRegistered));
    states_.clear();
    now_ += std::chrono::minutes(1);
  }

  // "" if there is none.
  std::string Value() const {
    const etcd::KeyValue* kv = etcd_.Find(kKey);
    return kv == nullptr ? "" : kv->value;
  }
  std::int64_t Lease() const {
    const etcd::KeyValue* kv = etcd_.Find(kKey);
    return kv == nullptr ? -1 : kv->lease;
  }

  base::TimePoint now_{std::chrono::hours(1)};
  const base::ScopedClock clock_{now_};
  FakeEtcd etcd_;
  FakeTimers timers_;
  std::vector<RegistrationState> states_;
  absl::Status last_error_;
  std::shared_ptr<Registration> registration_;
  const std::string value_ = model::FormatRecord(MakeInstance());
};

TEST_F(RegistrationTest, PutsTheRecordUnderTheLease) {
  const auto before = base::GlobalCounters().registrations.load();
  BeginAndRegister();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(Lease(), 7);
  EXPECT_EQ(etcd_.watches(), 2);
  EXPECT_EQ(base::GlobalCounters().registrations.load(), before + 1);
}

TEST_F(RegistrationTest, PutsNothingWithoutALease) {
  Begin();
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(states_, IsEmpty());
}

TEST_F(RegistrationTest, PutsBackWhatVanishes) {
  BeginAndRegister();
  const auto lost = base::GlobalCounters().registrations_lost.load();
  etcd_.DeleteKey(kKey);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(Lease(), 7);
  EXPECT_THAT(states_, ElementsAre(kRegistering, kRegistered));
  EXPECT_TRUE(last_error_.ok());
  EXPECT_EQ(base::GlobalCounters().registrations_lost.load(), lost + 1);
}

TEST_F(RegistrationTest, IgnoresNeighboursOfItsKey) {
  BeginAndRegister();
  const int commits = etcd_.commits();
  etcd_.PutAs(kKey + "2", "other", 9);
  etcd_.PutAs(kStateKey + "2", "removed", 0);
  etcd_.Settle();
  EXPECT_EQ(etcd_.commits(), commits);
  EXPECT_THAT(states_, IsEmpty());
}

TEST_F(RegistrationTest, RegistersAgainUnderTheNextLease) {
  BeginAndRegister();
  etcd_.LoseLease();
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(states_, ElementsAre(kRegistering));
  EXPECT_EQ(last_error_.message(), "lease expired");
  etcd_.GrantLease(8);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(Lease(), 8);
  EXPECT_THAT(states_, ElementsAre(kRegistering, kRegistered));
}

// The client may give a lease up before etcd does.
TEST_F(RegistrationTest, MovesTheRecordOfALostLeaseThatEtcdStillHas) {
  BeginAndRegister();
  const etcd::KeyValue kept = *etcd_.Find(kKey);
  etcd_.LoseLease();
  etcd_.PutAs(kKey, kept.value, kept.lease);
  etcd_.Settle();
  etcd_.GrantLease(8);
  etcd_.Settle();
  EXPECT_EQ(Lease(), 8);
  EXPECT_THAT(states_, ElementsAre(kRegistering, kRegistered));
}

TEST_F(RegistrationTest, RegistersInAnEtcdThatWasWiped) {
  BeginAndRegister();
  etcd_.Wipe();
  etcd_.LoseLease();
  etcd_.GrantLease(8);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(Lease(), 8);
  EXPECT_EQ(etcd_.watches(), 2);
}

TEST_F(RegistrationTest, ReadsAgainAfterCompaction) {
  BeginAndRegister();
  etcd_.PutAs(kStateKey, "removed", 0);
  etcd_.Compact();
  EXPECT_THAT(timers_.RunAll(), AllOf(Ge(milliseconds(0)), Le(milliseconds(200))));
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(states_, ElementsAre(kRemoved));
  EXPECT_EQ(etcd_.watches(), 2);
}

// All of a fleet hear that etcd is back, and read at different times.
TEST_F(RegistrationTest, ReadsAgainAfterEachInterruptionButNotAtOnce) {
  BeginAndRegister();
  std::set<milliseconds> delays;
  for (int i = 0; i < 20; ++i) {
    const int commits = etcd_.commits();
    etcd_.Interrupt();
    etcd_.Resume();
    etcd_.Settle();
    EXPECT_EQ(etcd_.commits(), commits);
    ASSERT_EQ(timers_.waiting(), 1U);
    delays.insert(timers_.RunAll());
    etcd_.Settle();
    EXPECT_EQ(etcd_.commits(), commits + 1);
  }
  EXPECT_GT(delays.size(), 5U);
  EXPECT_LE(*delays.rbegin(), milliseconds(200));
  EXPECT_THAT(states_, IsEmpty());
}

// The lease may stand in the backup, and the record not; by the time that we are connected again,
// the revision has grown beyond ours, so that the watch goes on as if nothing had happened.
TEST_F(RegistrationTest, PutsBackWhatABackupHasNotEvenIfTheWatchNoticesNothing) {
  BeginAndRegister();
  etcd_.Interrupt();
  etcd_.Wipe();
  for (int i = 0; i < 200; ++i) etcd_.PutAs("/other", "filler", 0);
  etcd_.Resume();
  timers_.RunAll();
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(Lease(), 7);
}

TEST_F(RegistrationTest, TakesOverFromAnOlderIncarnationThatABackupHolds) {
  BeginAndRegister();
  etcd_.Wipe();
  etcd_.PutAs(kKey, "from before the restart", 3);
  etcd_.Compact();
  timers_.RunAll();
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(Lease(), 7);
  EXPECT_EQ(states_.back(), kRegistered);
  // But once only.
  etcd_.PutAs(kKey, "theirs", 9);
  etcd_.Settle();
  EXPECT_EQ(Value(), "theirs");
  EXPECT_EQ(states_.back(), kSuperseded);
}

TEST_F(RegistrationTest, OneThatWasSupersededTakesNothingOverInANewHistory) {
  BeginAndRegister();
  etcd_.PutAs(kKey, "theirs", 9);
  etcd_.Settle();
  etcd_.Wipe();
  etcd_.PutAs(kKey, "theirs", 9);
  etcd_.Compact();
  timers_.RunAll();
  etcd_.Settle();
  EXPECT_EQ(Value(), "theirs");
  EXPECT_THAT(states_, ElementsAre(kSuperseded));
}

TEST_F(RegistrationTest, ARecordOfAnyOfItsFormerLeasesIsItsOwn) {
  BeginAndRegister();
  for (const int lease : {8, 9, 10}) {
    etcd_.LoseLease();
    etcd_.GrantLease(lease);
    etcd_.Settle();
    ASSERT_EQ(Lease(), lease);
  }
  etcd_.PutAs(kKey, value_, 7);
  etcd_.Settle();
  EXPECT_EQ(Lease(), 10);
  EXPECT_EQ(states_.back(), kRegistered);
}

// In the new history events have revisions that are lower than those known from the old one.
TEST_F(RegistrationTest, HearsOfEventsInAHistoryWithLowerRevisions) {
  BeginAndRegister();
  etcd_.Wipe();
  etcd_.Compact();
  timers_.RunAll();
  etcd_.Settle();
  ASSERT_LT(etcd_.Find(kKey)->mod_revision, 100);
  etcd_.PutAs(kStateKey, "removed", 0);
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_EQ(states_.back(), kRemoved);
  etcd_.DeleteKey(kStateKey);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
}

// Whoever does that must not make us as busy as it is itself.
TEST_F(RegistrationTest, PutsBackWithBackoffWhatIsDeletedAgainAndAgain) {
  BeginAndRegister();
  etcd_.DeleteKey(kKey);
  etcd_.Settle();
  ASSERT_EQ(Value(), value_);
  milliseconds step{100};
  for (int i = 0; i < 10; ++i) {
    etcd_.DeleteKey(kKey);
    etcd_.Settle();
    ASSERT_EQ(Value(), "");
    EXPECT_THAT(timers_.RunAll(), AllOf(Ge(step / 2), Le(step)));
    etcd_.Settle();
    ASSERT_EQ(Value(), value_);
    step = std::min(step * 2, milliseconds(5000));
  }
}

TEST_F(RegistrationTest, StaysAwayWhileAnOperatorHasRemovedIt) {
  BeginAndRegister();
  etcd_.PutAs(kStateKey, "removed", 0);
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(states_, ElementsAre(kRemoved));
  etcd_.DeleteKey(kStateKey);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_THAT(states_, ElementsAre(kRemoved, kRegistering, kRegistered));
}

// Record and decision are watched apart: that the record went may be heard of first.
TEST_F(RegistrationTest, IsNotPutBackUnderADecisionThatIsNotYetHeardOf) {
  BeginAndRegister();
  const int commits = etcd_.commits();
  etcd_.DeleteKey(kKey);
  etcd_.PutAs(kStateKey, "removed", 0);
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(states_, ElementsAre(kRegistering, kRemoved));
  EXPECT_EQ(etcd_.commits(), commits + 1) << "one put, refused: there is nothing to delete again";
}

TEST_F(RegistrationTest, BeginsRemovedIfAnOperatorSaidSoBefore) {
  etcd_.PutAs(kStateKey, "removed", 0);
  Begin();
  etcd_.GrantLease(7);
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(states_, ElementsAre(kRemoved));
}

TEST_F(RegistrationTest, ShowsThatAnOperatorDrainsIt) {
  BeginAndRegister();
  etcd_.PutAs(kStateKey, "draining", 0);
  etcd_.Settle();
  EXPECT_THAT(Value(), HasSubstr(R"("turnout.state":"draining")"));
  EXPECT_EQ(Lease(), 7);
  EXPECT_THAT(states_, IsEmpty());
  etcd_.DeleteKey(kStateKey);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
}

TEST_F(RegistrationTest, IgnoresAnOperatorStateThatIsNone) {
  BeginAndRegister();
  etcd_.PutAs(kStateKey, "exploded", 0);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_THAT(states_, IsEmpty());
}

TEST_F(RegistrationTest, LeavesTheKeyToAnotherProcessUntilThatGoes) {
  BeginAndRegister();
  etcd_.PutAs(kKey, "theirs", 9);
  etcd_.Settle();
  EXPECT_EQ(Value(), "theirs");
  EXPECT_THAT(states_, ElementsAre(kSuperseded));
  etcd_.DeleteKey(kKey);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_THAT(states_, ElementsAre(kSuperseded, kRegistering, kRegistered));
}

TEST_F(RegistrationTest, DoesNotDeleteTheRecordOfAnotherProcess) {
  BeginAndRegister();
  etcd_.PutAs(kKey, "theirs", 9);
  etcd_.Settle();
  registration_->End(nullptr);
  etcd_.Settle();
  EXPECT_EQ(Value(), "theirs");
  EXPECT_THAT(states_, ElementsAre(kSuperseded, kEnded));
}

TEST_F(RegistrationTest, TakesOverTheRecordOfItsPredecessor) {
  etcd_.PutAs(kKey, "from before the restart", 3);
  BeginAndRegister();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(Lease(), 7);
}

// It is told of the deletion first, when another process has the key already.
TEST_F(RegistrationTest, OverwritesNothingUnseen) {
  BeginAndRegister();
  etcd_.DeleteKey(kKey);
  etcd_.PutAs(kKey, "theirs", 9);
  etcd_.Settle();
  EXPECT_EQ(Value(), "theirs");
  EXPECT_EQ(states_.back(), kSuperseded);
}

// The answer to the second put overtakes the event of the deletion before it.
TEST_F(RegistrationTest, IgnoresEventsOlderThanItsAnswers) {
  BeginAndRegister();
  etcd_.LoseLease();
  etcd_.GrantLease(8);
  etcd_.SettleAnswers();
  EXPECT_THAT(states_, ElementsAre(kRegistering, kRegistered));
  const int commits = etcd_.commits();
  now_ += std::chrono::minutes(1);
  etcd_.Settle();
  EXPECT_THAT(states_, ElementsAre(kRegistering, kRegistered));
  EXPECT_EQ(etcd_.commits(), commits);
}

// The event of a deletion overtakes the answer to the put before it.
TEST_F(RegistrationTest, ReadsAgainWhenItsAnswerIsOlderThanEvents) {
  Begin();
  etcd_.Settle();
  etcd_.GrantLease(7);
  etcd_.DeleteKey(kKey);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_EQ(states_.back(), kRegistered);
}

TEST_F(RegistrationTest, ANewLeaseEndsTheWait) {
  Begin();
  etcd_.set_failure(absl::UnavailableError("connection refused"));
  etcd_.Settle();
  etcd_.GrantLease(7);
  etcd_.Settle();
  ASSERT_EQ(timers_.waiting(), 1U);
  etcd_.set_failure(absl::OkStatus());
  etcd_.GrantLease(8);
  etcd_.Settle();
  EXPECT_EQ(Lease(), 8);
  EXPECT_EQ(timers_.waiting(), 0U);
}

TEST_F(RegistrationTest, RetriesWithGrowingDelaysForAsLongAsItTakes) {
  etcd_.set_failure(absl::UnavailableError("connection refused"));
  Begin();
  etcd_.Settle();
  EXPECT_EQ(last_error_.message(), "connection refused");
  milliseconds step{100};
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(timers_.waiting(), 1U);
    EXPECT_THAT(timers_.RunAll(), AllOf(Ge(step / 2), Le(step)));
    etcd_.Settle();
    step = std::min(step * 2, milliseconds(5000));
  }
  EXPECT_EQ(etcd_.commits(), 21);
  etcd_.set_failure(absl::OkStatus());
  timers_.RunAll();
  etcd_.Settle();
  etcd_.GrantLease(7);
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_TRUE(last_error_.ok());
}

// Without etcd, the lease is refused and the keys cannot be read, both at the same time.
TEST_F(RegistrationTest, SaysOnceThatEtcdIsAway) {
  base::TestLogs logs;
  etcd_.set_failure(absl::UnavailableError("connection refused"));
  Begin();
  for (int i = 0; i < 1000; ++i) {
    etcd_.Settle();
    etcd_.FailGrant(absl::UnavailableError("connection refused"));
    timers_.RunAll();
  }
  EXPECT_EQ(logs.Messages().size(), 10U);  // at 1, 2, 4, … 512
}

TEST_F(RegistrationTest, AMissingPermissionIsNoReasonToHammer) {
  etcd_.set_failure(absl::PermissionDeniedError("may not do that"));
  Begin();
  etcd_.GrantLease(7);
  milliseconds time{0};
  int requests = 0;
  for (etcd_.Settle(); time < std::chrono::minutes(1); etcd_.Settle()) {
    ASSERT_EQ(timers_.waiting(), 1U);
    time += timers_.RunAll();
    ++requests;
  }
  EXPECT_EQ(last_error_.message(), "may not do that");
  EXPECT_LE(requests, 6 + 60 / 2.5) << "0.1, 0.2, ... 3.2 s, then 5 s, or half of that";
  etcd_.set_failure(absl::OkStatus());
  timers_.RunAll();
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
}

// Many processes, each with one registration, on one clock.
class FleetTest : public ::testing::Test {
 protected:
  static constexpr int kProcesses = 1000;
  // When each of them is registered again, counted from when requests succeed again, in order. All
  // have found at one moment that etcd has lost what it held; from then on requests fail.
  static std::vector<milliseconds> Returns(milliseconds outage) {
    std::vector<milliseconds> returns;
    for (int i = 0; i < kProcesses; ++i) returns.push_back(Return(outage));
    std::sort(returns.begin(), returns.end());
    return returns;
  }
  static int MostWithin(milliseconds window, const std::vector<milliseconds>& returns) {
    std::ptrdiff_t most = 0;
    for (auto first = returns.begin(); first != returns.end(); ++first) {
      most = std::max(most, std::lower_bound(first, returns.end(), *first + window) - first);
    }
    return static_cast<int>(most);
  }

 private:
  static milliseconds Return(milliseconds outage) {
    FakeEtcd etcd;
    milliseconds time{0};
    milliseconds due{0};
    std::function<void()> retry;
    const auto registration = std::make_shared<Registration>(
        Registration::Plan{MakeInstance(), kKey, kStateKey, std::chrono::seconds(10)}, etcd,
        [&](milliseconds delay, std::function<void()> task) {
          due = time + delay;
          retry = std::move(task);
          return nullptr;
        },
        [](RegistrationState, const absl::Status&) {});
    registration->Begin();
    etcd.GrantLease(7);
    etcd.Settle();

    etcd.Wipe();
    etcd.set_failure(absl::UnavailableError("connection refused"));
    etcd.Compact();  // so that all of them read again
    etcd.Settle();
    while (etcd.Find(kKey) == nullptr && retry != nullptr) {
      time = due;
      if (time >= outage) etcd.set_failure(absl::OkStatus());
      std::exchange(retry, nullptr)();
      etcd.Settle();
    }
    return etcd.Find(kKey) == nullptr ? milliseconds::max() : time - outage;  // max: not at all
  }
};

TEST_F(FleetTest, AThousandComeBackWithinABackoffStepAndNotAtOnce) {
  base::SeededRandom random(1);
  const base::ScopedRandom scoped(random);
  for (const milliseconds outage :
       {milliseconds(1000), milliseconds(10'000), milliseconds(3'600'000)}) {
    SCOPED_TRACE(outage.count());
    const auto returns = Returns(outage);
    EXPECT_LE(returns.back(), milliseconds(5000));
    EXPECT_LE(MostWithin(milliseconds(10), returns), 50);
  }
}

// The first attempt of each comes at a random moment of the first 200 ms.
TEST_F(FleetTest, AThousandThatHearOfItTogetherDoNotAskTogether) {
  base::SeededRandom random(1);
  const base::ScopedRandom scoped(random);
  const auto returns = Returns(milliseconds(0));
  EXPECT_LE(returns.back(), milliseconds(200));
  EXPECT_LE(MostWithin(milliseconds(10), returns), 80);
}

TEST_F(RegistrationTest, ReportsThatThereIsNoLease) {
  Begin();
  etcd_.Settle();
  etcd_.FailGrant(absl::UnavailableError("no leader"));
  EXPECT_EQ(last_error_.message(), "no leader");
}

TEST_F(RegistrationTest, RecognizesItsPutAlthoughTheAnswerWasLost) {
  Begin();
  etcd_.Settle();
  etcd_.LoseNextAnswer(absl::DeadlineExceededError("timed out"));
  etcd_.GrantLease(7);
  etcd_.Settle();
  const int commits = etcd_.commits();
  timers_.RunAll();
  etcd_.Settle();
  EXPECT_THAT(states_, ElementsAre(kRegistering, kRegistered));
  EXPECT_EQ(etcd_.commits(), commits);
}

TEST_F(RegistrationTest, DrainsThenDeletesThenLetsGoOfTheLease) {
  BeginAndRegister();
  std::vector<std::string> steps;
  registration_->Drain([&](bool listed) { steps.push_back(listed ? "announced" : "not listed"); });
  etcd_.Settle();
  EXPECT_THAT(steps, ElementsAre("announced"));
  EXPECT_THAT(Value(), HasSubstr(R"("turnout.state":"draining")"));
  EXPECT_FALSE(etcd_.lease_released());

  registration_->End([&] { steps.push_back("ended"); });
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_TRUE(etcd_.lease_released());
  EXPECT_THAT(steps, ElementsAre("announced", "ended"));
  EXPECT_THAT(states_, ElementsAre(kDraining, kEnded));
}

TEST_F(RegistrationTest, MarksItsRecordBeforeItDeletesIt) {
  BeginAndRegister();
  etcd_.set_failure(absl::OkStatus());
  registration_->End(nullptr);
  EXPECT_THAT(Value(), HasSubstr(R"("turnout.state":"draining")"));
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(states_, ElementsAre(kEnded));
}

TEST_F(RegistrationTest, EndsWithoutAMarkWhenAnOperatorHasRemovedIt) {
  BeginAndRegister();
  etcd_.PutAs(kStateKey, "removed", 0);
  const int commits = etcd_.commits();
  etcd_.SettleEvents();  // the deletion is under way
  registration_->End(nullptr);
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_EQ(etcd_.commits(), commits + 1);
  EXPECT_EQ(states_.back(), kEnded);
}

// Another registration of the process may keep the lease alive, and the record with it.
TEST_F(RegistrationTest, DeletesWhatItPutAlthoughTheAnswerWasLost) {
  Begin();
  etcd_.Settle();
  etcd_.LoseNextAnswer(absl::DeadlineExceededError("timed out"));
  etcd_.GrantLease(7);
  registration_->End(nullptr);
  etcd_.Settle();
  timers_.RunAll();
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_EQ(states_.back(), kEnded);
}

TEST_F(RegistrationTest, MarksNothingThatAnOperatorHasRemoved) {
  BeginAndRegister();
  etcd_.set_failure(absl::UnavailableError("connection refused"));
  etcd_.PutAs(kStateKey, "removed", 0);
  etcd_.Settle();
  etcd_.set_failure(absl::OkStatus());
  std::vector<bool> announced;
  registration_->Drain([&](bool listed) { announced.push_back(listed); });
  etcd_.Settle();
  EXPECT_EQ(Value(), value_);
  EXPECT_THAT(announced, ElementsAre(false));
}

TEST_F(RegistrationTest, DoesNotComeBackToDrain) {
  BeginAndRegister();
  etcd_.PutAs(kStateKey, "removed", 0);
  etcd_.Settle();
  std::vector<bool> announced;
  registration_->Drain([&](bool listed) { announced.push_back(listed); });
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_THAT(announced, ElementsAre(false));
}

TEST_F(RegistrationTest, EndsBeforeItEverRegistered) {
  Begin();
  bool ended = false;
  registration_->End([&] { ended = true; });
  etcd_.Settle();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(etcd_.lease_released());
}

// The process may go on living under the same lease: the record must not stay for ever.
TEST_F(RegistrationTest, GoesOnEndingAfterItsOwnerHasGone) {
  BeginAndRegister();
  etcd_.set_failure(absl::UnavailableError("connection refused"));
  bool ended = false;
  registration_->End([&] { ended = true; });
  etcd_.Settle();
  registration_->Detach();
  registration_.reset();
  EXPECT_EQ(Value(), value_);

  etcd_.set_failure(absl::OkStatus());
  timers_.RunAll();
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_TRUE(etcd_.lease_released());
  EXPECT_FALSE(ended);
}

TEST_F(RegistrationTest, WaitsForItsOwnPutBeforeItDeletes) {
  Begin();
  etcd_.Settle();
  etcd_.GrantLease(7);  // the put is under way
  registration_->End(nullptr);
  etcd_.Settle();
  EXPECT_EQ(Value(), "");
  EXPECT_EQ(states_.back(), kEnded);
}

}  // namespace
}  // namespace turnout::registry
