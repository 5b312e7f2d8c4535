// What discovery tells the user's log sink, observer and counters.
#ifndef TURNOUT_SRC_DISCOVERY_REPORT_H_
#define TURNOUT_SRC_DISCOVERY_REPORT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "src/base/clock.h"
#include "src/base/line_limit.h"
#include "src/discovery/fold.h"
#include "turnout/snapshot.h"

namespace turnout::discovery {

// `after`: the view that the changes have led to. Counters and the observer are told all; of log
// lines there are no more than `lines` admits.
void ReportChanges(const Scope& scope, const View& after, const Changes& changes,
                   base::LineLimit& lines, base::TimePoint now);
// One line for all that were left out.
void ReportLeftOut(const std::string& service, base::LineLimit& lines, base::TimePoint now);
void ReportSnapshot(const std::shared_ptr<const Snapshot>& snapshot);
void ReportCacheLoad(const Snapshot& snapshot);
void ReportOutage(const absl::Status& error);  // once for each outage
void ReportRecovery(const std::string& service);
void ReportRelist(const std::string& service, std::string_view why);
void ReportNewHistory(const std::string& service);

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_REPORT_H_
