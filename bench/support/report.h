// What a benchmark has found, as one JSON object:
//
//   {"benchmark": "rpc", "command": "…", "machine": {…}, "figures": {…},
//    "targets": [{"what": …, "measured": …, "target": …, "unit": …, "met": true}]}
#ifndef TURNOUT_BENCH_SUPPORT_REPORT_H_
#define TURNOUT_BENCH_SUPPORT_REPORT_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/support/statistics.h"

namespace turnout::bench {

class Report {
 public:
  Report(const std::string& benchmark, const std::string& command);

  // Free in form: everything that the targets were computed from, and what explains it.
  nlohmann::json& figures() { return json_["figures"]; }
  nlohmann::json& machine() { return json_["machine"]; }

  // One line of design targets. With an interval, it is met only if the whole interval meets it.
  void AtMost(const std::string& what, double measured, double target, const std::string& unit,
              std::optional<Interval> interval = std::nullopt);
  void AtLeast(const std::string& what, double measured, double target, const std::string& unit,
               std::optional<Interval> interval = std::nullopt);

  // False if `file` cannot be written. Makes its folder.
  bool Write(const std::string& file) const;

 private:
  void Add(const std::string& what, double measured, const char* bound, double target,
           const std::string& unit, std::optional<Interval> interval);

  nlohmann::json json_;
};

// {"count", "median", "p99", "least", "most", "values"}.
nlohmann::json Summary(const std::vector<double>& values);

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_REPORT_H_
