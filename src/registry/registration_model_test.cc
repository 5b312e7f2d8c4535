// The registration against a model of etcd: random sequences of everything that may happen, then
// quiet. TURNOUT_MODEL_SEED runs one sequence again, TURNOUT_MODEL_SEQUENCES other numbers of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/clock.h"
#include "src/base/random.h"
#include "src/registry/fake_etcd.h"
#include "src/registry/model_etcd.h"
#include "src/registry/registration.h"

namespace turnout::registry {
namespace {

using std::chrono::milliseconds;
using enum RegistrationState;

const std::string kKey = "/srv/app/one";
const std::string kStateKey = "/turnout/state/srv.app/one";

Instance MakeInstance(const std::string& version) {
  Instance instance;
  instance.service = "srv.app";
  instance.id = "one";
  instance.version = version;
  instance.addresses = {"10.0.0.1:80"};
  return instance;
}

std::string Value(Instance instance, bool draining) {
  instance.draining = draining;
  return model::FormatRecord(instance);
}

// A process that registers `one`.
class Process {
 public:
  Process(ModelEtcd& etcd, base::RandomSource& random, const std::string& version)
      : client(etcd, random, kStateKey),
        instance_(MakeInstance(version)),
        registration_(std::make_shared<Registration>(
            Registration::Plan{instance_, kKey, kStateKey, std::chrono::seconds(10)}, client,
            [this](milliseconds delay, std::function<void()> task) {
              return timers.RunAfter(delay, std::move(task));
            },
            [this](RegistrationState state, const absl::Status&) { state_ = state; })) {
    registration_->Begin();
  }

  void Drain() {
    if (std::exchange(drains, true)) return;
    registration_->Drain([this](bool listed) {
      ++announcements;
      said_listed = listed;
    });
  }
  void End() {
    if (ends) return;
    drains = ends = true;
    registration_->End([this] { ended = true; });
    registration_.reset();
  }
  bool Settle() {
    const bool moved = client.Settle();
    return timers.RunAll() >= milliseconds(0) || moved;
  }

  bool Wrote(const etcd::KeyValue& record) const {
    return record.value == Value(instance_, false) || record.value == Value(instance_, true);
  }
  // What is wrong when everything has come to rest; empty: nothing.
  std::string Judge(const etcd::KeyValue* record, const etcd::KeyValue* decision) const;

  ModelClient client;
  FakeTimers timers;
  bool drains = false, ends = false, ended = false;
  bool said_listed = false;
  int announcements = 0;

 private:
  std::string JudgeLiving(const etcd::KeyValue* record, const etcd::KeyValue* decision) const;

  const Instance instance_;
  RegistrationState state_ = kRegistering;
  std::shared_ptr<Registration> registration_;
};

std::string Process::Judge(const etcd::KeyValue* record, const etcd::KeyValue* decision) const {
  if (!client.violation().empty()) return client.violation();
  if (ends) {
    if (!ended) return "has not ended";
    if (!client.released()) return "ended, and kept its lease";
    return record != nullptr && Wrote(*record) ? "ended, and left its record" : "";
  }
  if (drains) {
    if (announcements != 1) return absl::StrCat("announced ", announcements, " times");
    const bool unmarked = record != nullptr && Wrote(*record) && record->lease == client.lease() &&
                          record->value != Value(instance_, true);
    const bool removed = decision != nullptr && decision->value == "removed";
    return unmarked && said_listed && !removed ? "drains, and is not marked" : "";
  }
  return JudgeLiving(record, decision);
}

std::string Process::JudgeLiving(const etcd::KeyValue* record,
                                 const etcd::KeyValue* decision) const {
  const std::string_view state = ToString(state_);
  if (decision != nullptr && decision->value == "removed") {
    if (record != nullptr && Wrote(*record)) return "removed, and its record is there";
    return state_ == kRemoved ? "" : absl::StrCat("removed, and ", std::string(state));
  }
  if (record == nullptr) return absl::StrCat("no record, and ", std::string(state));
  if (!Wrote(*record)) {
    return state_ == kSuperseded ? "" : absl::StrCat("another's record, and ", std::string(state));
  }
  const bool draining = decision != nullptr && decision->value == "draining";
  if (record->lease != client.lease()) return "its record has another lease";
  if (record->value != Value(instance_, draining)) return "its record is not as it should be";
  return state_ == kRegistered ? "" : absl::StrCat("registered, and ", std::string(state));
}

class Sequence {
 public:
  explicit Sequence(std::uint64_t seed) : random_(seed) {
    etcd_.Backup();  // of nothing: etcd may be wiped
    processes_.push_back(std::make_unique<Process>(etcd_, random_, "v1"));
    if (random_.Below(3) == 0) {
      processes_.push_back(std::make_unique<Process>(etcd_, random_, "v2"));
    }
  }

  // What went wrong; empty: nothing.
  std::string Run() {
    for (auto steps = random_.Below(60); steps > 0; --steps) {
      Process& process = *processes_[random_.Below(processes_.size())];
      if (random_.Below(4) == 0) {
        HappensToEtcd();
      } else {
        HappensTo(process);
      }
    }
    if (!ComesToRest()) return "does not come to rest";
    for (const auto& process : processes_) {
      std::string wrong = process->Judge(etcd_.Find(kKey), etcd_.Find(kStateKey));
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

 private:
  void HappensTo(Process& process) {
    ModelClient& client = process.client;
    switch (random_.Below(32)) {
      case 0:
        return client.RequestFails();
      case 1:
        return client.AnswerIsLost();
      case 2:
        return process.ends ? client.RequestFails() : client.RequestTimesOut();
      case 3:
        return client.LateRequestArrives();
      case 4:
        return client.EventArrivesTwice();
      case 5:
        return client.StreamBreaks();
      case 6:
        return client.StreamResumes(random_.Below(8) == 0);
      case 7:
        return client.GrantFails();
      case 8:
        return client.LeaseIsLost();
      case 9:
        return client.LossIsHeardOf();
      case 10:
        return process.Drain();
      case 11:
        return End(process);
      case 12:
      case 13:
      case 14:
        return client.LeaseIsGranted();
      case 15:
      case 16:
        return static_cast<void>(process.timers.RunAll());
      case 17:
      case 18:
      case 19:
      case 20:
      case 21:
        return client.RequestArrives();
      case 22:
      case 23:
      case 24:
      case 25:
      case 26:
        return client.AnswerArrives();
      default:
        return client.EventArrives();
    }
  }

  void HappensToEtcd() {
    switch (random_.Below(12)) {
      case 0:
        return etcd_.Put(kKey, "theirs", etcd_.Grant());
      case 1:
        return etcd_.Delete(kKey);
      case 2:
        return etcd_.Put(kStateKey, "draining", 0);
      case 3:
        return etcd_.Put(kStateKey, "removed", etcd_.Grant());
      case 4:  // as `turnout remove` does it
        etcd_.Put(kStateKey, "removed", 0);
        return etcd_.Delete(kKey);
      case 5:
        return etcd_.Put(kStateKey, "nonsense", 0);
      case 6:
      case 7:
        return etcd_.Delete(kStateKey);
      case 8:
        return etcd_.Compact();
      case 9:
        return etcd_.Backup();
      case 10:
        return EndLease();
      default:
        return random_.Below(3) == 0 ? Restore() : PassTime();
    }
  }

  // A process that ends gives nothing up: what it sent before must not arrive after its end.
  static void End(Process& process) {
    process.client.LateRequestArrives();
    process.End();
  }

  void EndLease() {
    const auto leases = etcd_.leases();
    if (!leases.empty()) etcd_.EndLease(leases[random_.Below(leases.size())]);
  }

  void Restore() {
    etcd_.Restore();
    for (const auto& process : processes_) process->client.ConnectionBreaks();
  }

  void PassTime() { now_ += std::chrono::minutes(1); }

  // Nothing fails any more, and leases end that nobody keeps alive.
  bool ComesToRest() {
    for (const std::int64_t lease : etcd_.leases()) {
      bool kept = false;
      for (const auto& process : processes_) kept |= process->client.lease() == lease;
      if (!kept && random_.Below(2) == 0) etcd_.EndLease(lease);
    }
    for (int rounds = 0; rounds < 100; ++rounds) {
      bool moved = false;
      for (const auto& process : processes_) moved |= process->Settle();
      if (moved) continue;
      // What lived a little longer ends now, at last.
      if (!EndOwnFormerLeases()) return true;
    }
    return false;
  }

  bool EndOwnFormerLeases() {
    const etcd::KeyValue* record = etcd_.Find(kKey);
    if (record == nullptr || record->value == "theirs") return false;
    for (const auto& process : processes_) {
      if (process->client.lease() == record->lease) return false;
    }
    etcd_.EndLease(record->lease);
    return true;
  }

  base::SeededRandom random_;
  const base::ScopedRandom scoped_random_{random_};
  base::TimePoint now_{std::chrono::hours(1)};
  const base::ScopedClock clock_{now_};
  ModelEtcd etcd_{random_};
  std::vector<std::unique_ptr<Process>> processes_;
};

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST(RegistrationModelTest, EveryRandomSequenceEndsAsItShould) {
  const std::uint64_t only = FromEnvironment("TURNOUT_MODEL_SEED", 0);
  const std::uint64_t count = FromEnvironment("TURNOUT_MODEL_SEQUENCES", 100'000);
  for (std::uint64_t i = 1; i <= count; ++i) {
    const std::uint64_t seed = only != 0 ? only : i;
    const std::string wrong = Sequence(seed).Run();
    ASSERT_EQ(wrong, "") << "repeat it with TURNOUT_MODEL_SEED=" << seed;
    if (only != 0) break;
  }
}

}  // namespace
}  // namespace turnout::registry
