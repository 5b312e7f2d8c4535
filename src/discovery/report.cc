#include "src/discovery/report.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "src/base/log.h"
#include "src/base/observe.h"
#include "src/model/text.h"

namespace turnout::discovery {
namespace {

using model::Concat;

constexpr std::string_view kComponent = "discovery";

// Longer than any key that can be a record's: the id at its end is what one looks for.
constexpr std::size_t kMostKeyBytes = 1024;

std::string Ids(const std::vector<std::shared_ptr<const Instance>>& instances) {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, instances.size()); ++i) {
    text += Concat({i == 0 ? "" : ", ", instances[i]->id});
  }
  return instances.size() > kMost ? text + ", ..." : text;
}

// Warnings about the records of one service, as often as is admitted at one moment.
class Warnings {
 public:
  Warnings(base::LineLimit& lines, base::TimePoint now) : lines_(lines), now_(now) {}

  void Add(std::initializer_list<std::string_view> parts) {
    if (lines_.Admit(now_)) base::Log(LogSeverity::kWarning, kComponent, Concat(parts));
  }

 private:
  base::LineLimit& lines_;
  const base::TimePoint now_;
};

void ReportRejected(const Snapshot::Rejected& rejected, Warnings& warnings) {
  base::Count(base::GlobalCounters().records_rejected);
  // The key may hold anything.
  warnings.Add({model::Quoted(rejected.key, kMostKeyBytes), " is not used: ", rejected.reason});
  base::Observe(
      [rejected](Observer& observer) { observer.OnRecordRejected(rejected.key, rejected.reason); });
}

// When the first ones lapse, and when it is decided that some stay: a whole fleet is two lines.
void ReportLapses(const Scope& scope, const View& after, const Changes& changes,
                  Warnings& warnings) {
  for (const auto& instance : changes.lapsed) {
    base::Count(base::GlobalCounters().instances_lapsed);
    base::Observe([instance](Observer& observer) { observer.OnInstanceLapsed(instance); });
  }
  const auto lapsed =
      static_cast<std::size_t>(std::count_if(after.entries.begin(), after.entries.end(),
                                             [](const auto& entry) { return entry->lapsed(); }));
  if (!changes.lapsed.empty() && changes.lapsed.size() == lapsed) {
    warnings.Add({"records of ", scope.service, " have vanished unannounced (", Ids(changes.lapsed),
                  // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one sentence
                  "): these instances are called only over connections that live, and where "
                  "nobody else can be"});
  }
  if (!changes.kept.empty()) {
    warnings.Add({std::to_string(lapsed), " lapsed instances of ", scope.service, " (",
                  Ids(changes.kept), ") stay for up to ",
                  std::to_string(scope.lapsed_limit.count()),
                  " s: too many vanished to believe it, or nobody else takes their calls"});
  }
}

}  // namespace

void ReportChanges(const Scope& scope, const View& after, const Changes& changes,
                   base::LineLimit& lines, base::TimePoint now) {
  Warnings warnings(lines, now);
  if (!changes.lapsed.empty() || !changes.kept.empty()) {
    ReportLapses(scope, after, changes, warnings);
  }
  if (changes.overflow) {
    warnings.Add({scope.service, " has more than ", std::to_string(scope.max_instances),
                  " instances: those beyond are left out (RegistryOptions::max_instances)"});
  }
  for (const Snapshot::Rejected& rejected : changes.rejected) ReportRejected(rejected, warnings);
  for (const Snapshot::Rejected& shadowed : changes.shadowed) ReportRejected(shadowed, warnings);
}

void ReportLeftOut(const std::string& service, base::LineLimit& lines, base::TimePoint now) {
  base::Log(LogSeverity::kWarning, kComponent,
            Concat({"and ", std::to_string(lines.TakeLeftOut(now)),
                    " more warnings about the records of ", service}));
}

void ReportSnapshot(const std::shared_ptr<const Snapshot>& snapshot) {
  base::Count(base::GlobalCounters().snapshots);
  if (base::LogWanted(LogSeverity::kDebug)) {
    base::Log(LogSeverity::kDebug, kComponent,
              Concat({snapshot->service, ": ", std::to_string(snapshot->members.size()),
                      " instances at revision ", std::to_string(snapshot->revision)}));
  }
  // Weakly: one that has been replaced before the observer has time for it is not worth its memory.
  base::Observe([weak = std::weak_ptr(snapshot)](Observer& observer) {
    if (auto newest = weak.lock()) observer.OnSnapshot(std::move(newest));
  });
}

void ReportCacheLoad(const Snapshot& snapshot) {
  base::Count(base::GlobalCounters().cache_loads);
  base::Log(LogSeverity::kWarning, kComponent,
            Concat({"etcd has not answered: ", snapshot.service, " begins with ",
                    std::to_string(snapshot.members.size()),
                    " instances of the cache, as known at revision ",
                    std::to_string(snapshot.revision)}));
}

void ReportOutage(const absl::Status& error) {
  base::Log(LogSeverity::kWarning, kComponent,
            Concat({model::Message(error), "; trying again, what was known stays in use"}));
}

void ReportRecovery(const std::string& service) {
  base::Log(LogSeverity::kInfo, kComponent,
            Concat({"the registrations of ", service, " can be read again"}));
}

void ReportRelist(const std::string& service, std::string_view why) {
  base::Count(base::GlobalCounters().relists);
  base::Log(LogSeverity::kInfo, kComponent,
            Concat({"reading all registrations of ", service, " again: ", why}));
}

void ReportNewHistory(const std::string& service) {
  base::Log(LogSeverity::kWarning, kComponent,
            Concat({"etcd was wiped or restored from a backup: what is missing of ", service,
                    " stays lapsed until its servers have put their records back"}));
}

}  // namespace turnout::discovery
