// What operators do to the traffic rules of a service: each change is one transaction, which puts
// the document and its entry in the history, or neither.
#include "turnout/rules.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "src/etcd/client.h"
#include "src/model/names.h"
#include "src/model/text.h"
#include "src/registry/ask.h"
#include "src/registry/clusters.h"
#include "src/registry/rules_history.h"
#include "src/route/rule_set.h"

namespace turnout {
namespace {

using etcd::Txn;
using model::Concat;
using registry::AskOnce;
using registry::AskUntil;
using registry::Deadline;
using registry::HistoryEntry;
using std::chrono::steady_clock;
using On = Txn::Condition::On;
using Type = Txn::Operation::Type;

constexpr std::size_t kMostVersions = 10;
constexpr std::size_t kMostCommentBytes = 1024;

// A transaction of etcd's has at most 1.5 MiB and 128 operations: a document and its entry, at most
// three times the document's size, leave this for what somebody else has written.
constexpr std::size_t kMostForeignBytes = 640 * 1024;
constexpr std::size_t kMostDeleted = 100;

constexpr char kForeign[] = "written by other means, found at the next change";

// The rules of one service.
class Rules {
 public:
  Rules(std::string_view service, const RegistryOptions& registry,
        std::chrono::milliseconds timeout)
      : key_(model::Keys(registry.prefix).Rules(service)),
        history_prefix_(model::Keys(registry.prefix).RulesHistoryPrefix(service)),
        deadline_(steady_clock::now() + timeout),
        client_(etcd::Client::For(registry)) {}

  absl::StatusOr<StoredRules> Read() {
    const auto found = AskUntil<etcd::RangeResult>(
        client_, [&client = client_, key = key_](auto done) { client.Get(key, std::move(done)); },
        deadline_);
    if (!found.ok()) return found.status();
    if (found->kvs.empty()) return StoredRules();
    const etcd::KeyValue& kv = found->kvs.front();
    return StoredRules{.document = kv.value, .revision = kv.mod_revision};
  }

  // Newest first.
  absl::StatusOr<std::vector<HistoryEntry>> ReadHistory() {
    auto found = AskUntil<etcd::RangeResult>(
        client_,
        [&client = client_, prefix = history_prefix_](auto done) {
          client.RangePrefix(prefix, std::move(done));
        },
        deadline_);
    if (!found.ok()) return found.status();
    return registry::ParseHistory(history_prefix_, std::move(found->kvs));
  }

  // The revision of the change. 0: what the conditions speak of has changed, or it is not known
  // whether it took effect.
  absl::StatusOr<etcd::Revision> Commit(const Txn& txn) {
    const auto result = AskOnce<etcd::TxnResult>(
        [&client = client_, txn](auto done) { client.Commit(txn, std::move(done)); }, deadline_);
    if (result.has_value() && result->ok()) return (*result)->succeeded ? (*result)->revision : 0;
    if (!result.has_value() || absl::IsUnavailable(result->status()) ||
        absl::IsDeadlineExceeded(result->status())) {
      return 0;
    }
    return result->status();
  }

  const std::string& key() const { return key_; }
  const std::string& history_prefix() const { return history_prefix_; }
  Deadline deadline() const { return deadline_; }

 private:
  const std::string key_, history_prefix_;
  const Deadline deadline_;
  etcd::Client& client_;
};

// One change, made once, however often it takes asking.
class Writing {
 public:
  // An empty document: they are deleted.
  Writing(std::string_view service, Rules& rules, std::string_view document,
          const RulesChange& change)
      : service_(service),
        rules_(rules),
        document_(document),
        comment_(change.comment),
        expected_(change.expected_revision),
        time_(std::chrono::system_clock::now()) {}

  absl::StatusOr<StoredRules> Run() {
    base::Backoff backoff(std::chrono::milliseconds(50), std::chrono::milliseconds(1000));
    while (true) {
      // In this order: whoever changes the rules after the first read makes the transaction fail.
      auto stored = rules_.Read();
      if (!stored.ok()) return stored.status();
      stored_ = *std::move(stored);
      auto history = rules_.ReadHistory();
      if (!history.ok()) return history.status();
      history_ = *std::move(history);

      if (const HistoryEntry* const ours = Done()) return InForce(ours->kv.mod_revision);
      if (absl::Status status = CheckRevision(); !status.ok()) return status;
      const absl::StatusOr<etcd::Revision> written = rules_.Commit(Compose());
      if (!written.ok()) return written.status();
      if (*written != 0) return InForce(*written);
      std::this_thread::sleep_until(
          std::min(rules_.deadline(), steady_clock::now() + backoff.Next()));
    }
  }

 private:
  // The entry that a request made whose answer was lost.
  const HistoryEntry* Done() const {
    const auto found = std::ranges::find_if(history_, [this](const HistoryEntry& entry) {
      return entry.kv.key == our_key_ && entry.kv.value == our_value_;
    });
    return found == history_.end() ? nullptr : &*found;
  }

  StoredRules InForce(etcd::Revision revision) const {
    if (document_.empty()) return {};
    return {.document = document_, .revision = revision};
  }

  absl::Status CheckRevision() {
    if (!expected_.has_value()) expected_ = stored_.revision;
    if (stored_.revision == *expected_) return absl::OkStatus();
    const auto text = [](std::int64_t revision) {
      return revision == 0 ? "deleted" : "at revision " + std::to_string(revision);
    };
    return absl::AbortedError(
        Concat({"the rules of ", service_, " have been changed: they are ", text(stored_.revision),
                " now, not ", *expected_ == 0 ? "absent" : text(*expected_)}));
  }

  Txn Compose() {
    Txn txn;
    int number = history_.empty() ? 1 : history_.front().version.number + 1;
    const std::string& newest =
        history_.empty() ? std::string() : history_.front().version.document;
    std::size_t added = 1;
    if (stored_.document != newest) {
      const std::string value = registry::HistoryValue(
          {.number = number, .document = stored_.document, .comment = kForeign, .time = time_});
      if (value.size() <= kMostForeignBytes) {
        txn.then.push_back(
            {.key = registry::HistoryKey(rules_.history_prefix(), number++), .value = value});
        ++added;
      }
    }
    our_key_ = registry::HistoryKey(rules_.history_prefix(), number);
    our_value_ = registry::HistoryValue(
        {.number = number, .document = document_, .comment = comment_, .time = time_});
    txn.then.push_back({.key = our_key_, .value = our_value_});
    txn.then.push_back({.type = document_.empty() ? Type::kDelete : Type::kPut,
                        .key = rules_.key(),
                        .value = document_});
    for (std::size_t i = kMostVersions - added; i < std::min(history_.size(), kMostDeleted); ++i) {
      txn.then.push_back({.type = Type::kDelete, .key = history_[i].kv.key});
    }
    // The second tells rules that are absent from others that are absent again.
    txn.conditions = {{.key = rules_.key(), .on = On::kModRevision, .equals = stored_.revision},
                      {.key = our_key_, .on = On::kModRevision, .equals = 0}};
    return txn;
  }

  const std::string service_;
  Rules& rules_;
  const std::string document_, comment_;
  std::optional<std::int64_t> expected_;
  const std::chrono::system_clock::time_point time_;

  StoredRules stored_;
  std::vector<HistoryEntry> history_;
  std::string our_key_, our_value_;  // that we have tried to write
};

absl::StatusOr<Rules> Open(std::string_view service, const RulesOptions& options) {
  if (absl::Status status = model::CheckServiceName(service); !status.ok()) return status;
  auto complete = registry::Complete(options.registry);
  if (!complete.ok()) return complete.status();
  if (absl::Status status = registry::CheckProcess(); !status.ok()) return status;
  return Rules(service, *complete, options.timeout);
}

absl::Status CheckComment(std::string_view comment) {
  if (comment.size() <= kMostCommentBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      Concat({"comment: must be at most ", std::to_string(kMostCommentBytes), " bytes, got ",
              std::to_string(comment.size())}));
}

absl::Status NoVersion(std::string_view service, int number,
                       const std::vector<HistoryEntry>& history) {
  std::string kept;
  for (const HistoryEntry& entry : history) {
    kept += (kept.empty() ? "" : ", ") + std::to_string(entry.version.number);
  }
  return absl::NotFoundError(
      Concat({"the rules of ", service, " have no version ", std::to_string(number),
              "; kept: ", kept.empty() ? "none" : kept}));
}

}  // namespace

absl::Status CheckRules(std::string_view document) {
  return route::RuleSet::Parse(document).status();
}

absl::StatusOr<StoredRules> GetRules(std::string_view service, const RulesOptions& options) {
  auto rules = Open(service, options);
  if (!rules.ok()) return rules.status();
  return rules->Read();
}

absl::StatusOr<StoredRules> PutRules(std::string_view service, std::string_view document,
                                     const RulesChange& change, const RulesOptions& options) {
  if (absl::Status status = CheckRules(document); !status.ok()) return status;
  if (absl::Status status = CheckComment(change.comment); !status.ok()) return status;
  auto rules = Open(service, options);
  if (!rules.ok()) return rules.status();
  return Writing(service, *rules, document, change).Run();
}

absl::StatusOr<StoredRules> RollBackRules(std::string_view service, int number,
                                          const RulesChange& change, const RulesOptions& options) {
  if (absl::Status status = CheckComment(change.comment); !status.ok()) return status;
  auto rules = Open(service, options);
  if (!rules.ok()) return rules.status();
  const auto history = rules->ReadHistory();
  if (!history.ok()) return history.status();
  const auto found = std::ranges::find_if(
      *history, [number](const HistoryEntry& entry) { return entry.version.number == number; });
  if (found == history->end()) return NoVersion(service, number, *history);
  const std::string& document = found->version.document;
  if (absl::Status status = CheckRules(document); !document.empty() && !status.ok()) {
    return absl::InvalidArgumentError(
        Concat({"version ", std::to_string(number), ": ", model::Message(status)}));
  }
  RulesChange with_comment = change;
  if (change.comment.empty()) with_comment.comment = "version " + std::to_string(number) + " again";
  return Writing(service, *rules, document, with_comment).Run();
}

absl::Status DeleteRules(std::string_view service, const RulesChange& change,
                         const RulesOptions& options) {
  if (absl::Status status = CheckComment(change.comment); !status.ok()) return status;
  auto rules = Open(service, options);
  if (!rules.ok()) return rules.status();
  const auto stored = rules->Read();
  if (!stored.ok()) return stored.status();
  if (stored->revision == 0) {
    return absl::NotFoundError(Concat({service, " has no rules"}));
  }
  RulesChange as_found = change;
  if (!change.expected_revision.has_value()) as_found.expected_revision = stored->revision;
  return Writing(service, *rules, "", as_found).Run().status();
}

absl::StatusOr<std::vector<RulesVersion>> GetRulesHistory(std::string_view service,
                                                          const RulesOptions& options) {
  auto rules = Open(service, options);
  if (!rules.ok()) return rules.status();
  auto history = rules->ReadHistory();
  if (!history.ok()) return history.status();
  std::vector<RulesVersion> versions;
  for (HistoryEntry& entry : *history) versions.push_back(std::move(entry.version));
  return versions;
}

}  // namespace turnout
