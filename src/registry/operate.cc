#include "turnout/operate.h"

#include <algorithm>
#include <map>
#include <set>

#include "src/model/names.h"
#include "src/model/record.h"
#include "src/registry/ask.h"
#include "src/registry/clusters.h"

namespace turnout {
namespace {

using etcd::Txn;
using registry::AskOnce;
using registry::AskUntil;
using registry::CheckProcess;
using registry::Deadline;
using std::chrono::steady_clock;
using On = Txn::Condition::On;
using Type = Txn::Operation::Type;

constexpr std::chrono::seconds kLongestExpiry = std::chrono::hours(24 * 366);
constexpr std::chrono::milliseconds kCleaningUp{1000};

// In an error, and of the leases of a list: what people read.
constexpr std::size_t kMostIdsShown = 8;
constexpr std::size_t kMostIdsRead = 10'000;
constexpr std::size_t kMostLeasesRead = 500;

absl::Status Check(std::string_view service, std::string_view id, const OperateOptions& options) {
  if (absl::Status status = model::CheckServiceName(service); !status.ok()) return status;
  if (absl::Status status = model::CheckInstanceId(id); !status.ok()) return status;
  if (options.expiry < std::chrono::seconds(0) || options.expiry > kLongestExpiry) {
    return absl::InvalidArgumentError(
        model::Concat({"expiry: must be 1 s to 1 year, or 0 (for ever), got ",
                       std::to_string(options.expiry.count()), " s"}));
  }
  return CheckProcess();
}

// How many characters at the beginning and the end are the same: high for an id that was shortened,
// or has one wrong character.
std::size_t Likeness(std::string_view a, std::string_view b) {
  const auto same = [](auto first, auto last, auto other, auto other_last) {
    return static_cast<std::size_t>(std::mismatch(first, last, other, other_last).first - first);
  };
  return std::min(same(a.begin(), a.end(), b.begin(), b.end()) +
                      same(a.rbegin(), a.rend(), b.rbegin(), b.rend()),
                  std::min(a.size(), b.size()));
}

// One decision about one instance, being made or undone.
class Operation {
 public:
  Operation(std::string_view service, std::string_view id, const RegistryOptions& registry,
            std::string_view word, const OperateOptions& options)
      : service_(service),
        id_(id),
        keys_(registry.prefix),
        record_key_(keys_.Record(service, id)),
        state_key_(keys_.State(service, id)),
        word_(word),
        expiry_(options.expiry),
        deadline_(steady_clock::now() + options.timeout),
        client_(etcd::Client::For(registry)) {}

  absl::Status Run() {
    absl::Status status = Decide();
    // What has been granted for nothing, or stands for a decision that is no more.
    if (!status.ok() && lease_ != 0) Revoke(lease_);
    if (status.ok() && state_.lease != 0 && state_.lease != lease_) RevokeIfUnused(state_.lease);
    return status;
  }

 private:
  absl::Status Decide() {
    base::Backoff backoff(std::chrono::milliseconds(50), std::chrono::milliseconds(1000));
    while (true) {
      if (absl::Status status = Read(); !status.ok()) return status;
      if (Done()) return absl::OkStatus();
      if (!exists_) return NotFound();
      if (absl::Status status = Grant(); !status.ok()) return status;
      const absl::StatusOr<bool> written = Write();
      if (!written.ok()) return written.status();
      if (*written) return absl::OkStatus();
      std::this_thread::sleep_until(std::min(deadline_, steady_clock::now() + backoff.Next()));
    }
  }

  absl::Status Read() {
    Txn txn;
    txn.then = {{.type = Type::kGet, .key = record_key_}, {.type = Type::kGet, .key = state_key_}};
    const auto found = AskUntil<etcd::TxnResult>(
        client_, [&client = client_, txn](auto done) { client.Commit(txn, std::move(done)); },
        deadline_);
    if (!found.ok()) return found.status();
    exists_ = !found->read.empty();
    record_revision_ = 0;
    etcd::KeyValue state;
    for (const etcd::KeyValue& kv : found->read) {
      if (kv.key == state_key_) state = kv;
      if (kv.key == record_key_) record_revision_ = kv.mod_revision;
    }
    state_now_ = std::move(state);
    if (!tried_) state_ = state_now_;
    return absl::OkStatus();
  }

  // Is there nothing to write, or was it written by a request whose answer was lost?
  bool Done() const {
    if (word_.empty()) return (exists_ || tried_) && state_now_.mod_revision == 0;
    return tried_ && state_now_.value == word_ && state_now_.lease == lease_;
  }

  absl::Status Grant() {
    if (word_.empty() || expiry_.count() == 0 || lease_ != 0) return absl::OkStatus();
    const auto lease = AskUntil<std::int64_t>(
        client_,
        [&client = client_, expiry = expiry_](auto done) {
          client.GrantLease(expiry, std::move(done));
        },
        deadline_);
    if (lease.ok()) lease_ = *lease;
    return lease.status();
  }

  // False: the keys have changed since they were read, or it is not known whether it took effect.
  absl::StatusOr<bool> Write() {
    Txn txn;
    txn.conditions = {
        {.key = state_key_, .on = On::kModRevision, .equals = state_now_.mod_revision},
        {.key = record_key_, .on = On::kModRevision, .equals = record_revision_}};
    if (word_.empty()) {
      txn.then = {{.type = Type::kDelete, .key = state_key_}};
    } else {
      txn.then = {{.type = Type::kPut, .key = state_key_, .value = word_, .lease = lease_}};
    }
    if (word_ == kRemoved) txn.then.push_back({.type = Type::kDelete, .key = record_key_});
    state_ = state_now_;
    tried_ = true;
    const auto result = AskOnce<etcd::TxnResult>(
        [&client = client_, txn](auto done) { client.Commit(txn, std::move(done)); }, deadline_);
    if (result.has_value() && result->ok()) return (*result)->succeeded;
    if (!result.has_value() || absl::IsUnavailable(result->status()) ||
        absl::IsDeadlineExceeded(result->status())) {
      return false;
    }
    return result->status();
  }

  void Revoke(std::int64_t lease) {
    AskOnce<etcd::Revision>(
        [&client = client_, lease](auto done) { client.RevokeLease(lease, std::move(done)); },
        steady_clock::now() + kCleaningUp);
  }

  // Somebody may have put other keys under the lease of a decision written by hand.
  void RevokeIfUnused(std::int64_t lease) {
    const auto life = AskOnce<etcd::LeaseLife>(
        [&client = client_, lease](auto done) { client.LookUpLease(lease, std::move(done)); },
        steady_clock::now() + kCleaningUp / 2);
    if (life.has_value() && life->ok() && (*life)->keys.empty()) Revoke(lease);
  }

  absl::Status NotFound() {
    std::set<std::string> ids;
    for (const std::string& prefix : {keys_.RecordPrefix(service_), keys_.StatePrefix(service_)}) {
      const auto found = AskUntil<etcd::RangeResult>(
          client_,
          [&client = client_, prefix](auto done) {
            client.RangePrefix(prefix, std::move(done), kMostIdsRead);
          },
          deadline_);
      if (!found.ok()) return found.status();
      for (const etcd::KeyValue& kv : found->kvs) {
        const std::string_view id = std::string_view{kv.key}.substr(prefix.size());
        if (model::CheckInstanceId(id).ok()) ids.emplace(id);
      }
    }
    return absl::NotFoundError(model::Concat({service_, " has no instance ", id_, Others(ids)}));
  }

  std::string Others(const std::set<std::string>& ids) const {
    if (ids.empty()) return ", nor any other";
    std::vector<std::string> sorted(ids.begin(), ids.end());
    std::stable_sort(sorted.begin(), sorted.end(), [this](const auto& a, const auto& b) {
      return Likeness(a, id_) > Likeness(b, id_);
    });
    std::string text = "; it has ";
    for (std::size_t i = 0; i < std::min(sorted.size(), kMostIdsShown); ++i) {
      text += model::Concat({i == 0 ? "" : ", ", sorted[i]});
    }
    if (sorted.size() > kMostIdsShown) {
      text += model::Concat({" and ", std::to_string(sorted.size() - kMostIdsShown), " more"});
    }
    return text;
  }

  static constexpr std::string_view kRemoved = "removed";

  const std::string service_, id_;
  const model::Keys keys_;
  const std::string record_key_, state_key_;
  const std::string word_;  // empty: the decision is undone
  const std::chrono::seconds expiry_;
  const Deadline deadline_;
  etcd::Client& client_;

  bool exists_ = false;  // a record or a decision
  etcd::Revision record_revision_ = 0;
  etcd::KeyValue state_now_;  // as it was last read
  etcd::KeyValue state_;      // as it was before we wrote
  bool tried_ = false;        // to write
  std::int64_t lease_ = 0;
};

absl::Status Operate(std::string_view service, std::string_view id, std::string_view word,
                     const OperateOptions& options) {
  if (absl::Status status = Check(service, id, options); !status.ok()) return status;
  const auto complete = registry::Complete(options.registry);
  if (!complete.ok()) return complete.status();
  return Operation(service, id, *complete, word, options).Run();
}

// What is left of each lease, as far as etcd tells in time.
std::map<std::int64_t, std::chrono::seconds> TimeLeft(etcd::Client& client,
                                                      const std::vector<etcd::KeyValue>& states,
                                                      Deadline deadline) {
  std::map<std::int64_t, std::chrono::seconds> left;
  for (const etcd::KeyValue& kv : states) {
    if (kv.lease == 0 || left.contains(kv.lease) || left.size() == kMostLeasesRead) continue;
    const auto life = AskOnce<etcd::LeaseLife>(
        [&client, lease = kv.lease](auto done) { client.LookUpLease(lease, std::move(done)); },
        deadline);
    if (!life.has_value() || !life->ok()) break;
    left[kv.lease] = (*life)->left;
  }
  return left;
}

}  // namespace

absl::Status DrainInstance(std::string_view service, std::string_view id,
                           const OperateOptions& options) {
  return Operate(service, id, "draining", options);
}

absl::Status RemoveInstance(std::string_view service, std::string_view id,
                            const OperateOptions& options) {
  return Operate(service, id, "removed", options);
}

absl::Status RestoreInstance(std::string_view service, std::string_view id,
                             const OperateOptions& options) {
  return Operate(service, id, "", options);
}

absl::StatusOr<std::vector<OperatorDecision>> ListDecisions(const RegistryOptions& registry,
                                                            std::chrono::milliseconds timeout) {
  const auto options = registry::Complete(registry);
  if (!options.ok()) return options.status();
  if (absl::Status status = CheckProcess(); !status.ok()) return status;
  const Deadline deadline = steady_clock::now() + timeout;
  etcd::Client& client = etcd::Client::For(*options);
  const model::Keys keys(options->prefix);
  const auto found = AskUntil<etcd::RangeResult>(
      client,
      [&client, root = keys.StateRoot()](auto done) {
        client.RangePrefix(root, std::move(done), 0);
      },
      deadline);
  if (!found.ok()) return found.status();

  const auto left = TimeLeft(client, found->kvs, deadline);
  std::vector<OperatorDecision> decisions;
  for (const etcd::KeyValue& kv : found->kvs) {
    const auto parsed = keys.ParseState(kv.key);
    const auto state = model::ParseOperatorState(kv.value);
    if (!parsed.has_value() || !state.ok()) continue;
    const auto time = left.find(kv.lease);
    decisions.push_back({.service = parsed->first,
                         .id = parsed->second,
                         .removed = *state == model::OperatorState::kRemoved,
                         .left = time == left.end() ? std::nullopt : std::optional(time->second)});
  }
  return decisions;
}

}  // namespace turnout
