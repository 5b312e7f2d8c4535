// What a server says of its load, with each answer or now and then: the fields of ORCA
// (gRFC A51) that gRPC 1.51.1 carries.
#ifndef TURNOUT_LOAD_REPORT_H_
#define TURNOUT_LOAD_REPORT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace turnout {

// Plain data.
struct LoadReport {
  // Shares of what is available; above 1 where more was asked for than there is.
  std::optional<double> cpu_utilization;
  std::optional<double> memory_utilization;

  // What the application reports: shares of further resources, and costs of any unit.
  std::map<std::string, double, std::less<>> utilization;
  std::map<std::string, double, std::less<>> request_cost;

  // 1.51.1's report has no fields for these; they travel as request costs of these names.
  static constexpr std::string_view kQps = "turnout.qps";
  static constexpr std::string_view kEps = "turnout.eps";
  static constexpr std::string_view kApplicationUtilization = "turnout.utilization";

  std::optional<double> qps() const { return Cost(kQps); }  // calls a second
  std::optional<double> eps() const { return Cost(kEps); }  // failed calls a second
  // The application's own word for its load; in its place, that of the CPU.
  std::optional<double> main_utilization() const {
    const auto own = Cost(kApplicationUtilization);
    return own.has_value() ? own : cpu_utilization;
  }

 private:
  std::optional<double> Cost(std::string_view name) const {
    const auto found = request_cost.find(name);
    return found == request_cost.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace turnout

#endif  // TURNOUT_LOAD_REPORT_H_
