#include "src/discovery/report.h"

#include "src/base/log.h"
#include "src/base/observe.h"
#include "src/model/text.h"

namespace turnout::discovery {
namespace {

using model::Concat;

constexpr std::string_view kComponent = "discovery";

// Longer than any key that can be a record's: the id at its end is what one looks for.
constexpr std::size_t kMostKeyBytes = 1024;

void ReportRejected(const Snapshot::Rejected& rejected) {
  base::Count(base::GlobalCounters().records_rejected);
  // The key may hold anything.
  base::Log(
      LogSeverity::kWarning, kComponent,
      Concat({model::Quoted(rejected.key, kMostKeyBytes), " is not used: ", rejected.reason}));
  base::Observe(
      [rejected](Observer& observer) { observer.OnRecordRejected(rejected.key, rejected.reason); });
}

}  // namespace

void ReportChanges(const Changes& changes) {
  for (const Snapshot::Rejected& rejected : changes.rejected) ReportRejected(rejected);
  for (const Snapshot::Rejected& shadowed : changes.shadowed) ReportRejected(shadowed);
}

void ReportSnapshot(const std::shared_ptr<const Snapshot>& snapshot) {
  base::Count(base::GlobalCounters().snapshots);
  if (base::LogWanted(LogSeverity::kDebug)) {
    base::Log(LogSeverity::kDebug, kComponent,
              Concat({snapshot->service, ": ", std::to_string(snapshot->members.size()),
                      " instances at revision ", std::to_string(snapshot->revision)}));
  }
  base::Observe([snapshot](Observer& observer) { observer.OnSnapshot(snapshot); });
}

void ReportOutage(const absl::Status& error) {
  base::Log(LogSeverity::kWarning, kComponent,
            Concat({model::Message(error), "; trying again, what was known stays in use"}));
}

void ReportRecovery(const std::string& service) {
  base::Log(LogSeverity::kInfo, kComponent,
            Concat({"the registrations of ", service, " can be read again"}));
}

void ReportRelist(const std::string& service) {
  base::Log(LogSeverity::kInfo, kComponent,
            Concat({"etcd has compacted away changes of ", service, "; reading all again"}));
}

}  // namespace turnout::discovery
