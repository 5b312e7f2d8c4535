#include "bench/support/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "bench/support/machine.h"

namespace turnout::bench {
namespace {

// Four significant digits: what is beyond them is noise.
double Rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10, 3 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

}  // namespace

Report::Report(const std::string& benchmark, const std::string& command)
    : json_{{"benchmark", benchmark},
            {"command", command},
            {"machine", DescribeMachine()},
            {"figures", nlohmann::json::object()},
            {"targets", nlohmann::json::array()}} {}

void Report::AtMost(const std::string& what, double measured, double target,
                    const std::string& unit, std::optional<Interval> interval) {
  Add(what, measured, "at most", target, unit, interval);
}

void Report::AtLeast(const std::string& what, double measured, double target,
                     const std::string& unit, std::optional<Interval> interval) {
  Add(what, measured, "at least", target, unit, interval);
}

void Report::Add(const std::string& what, double measured, const char* bound, double target,
                 const std::string& unit, std::optional<Interval> interval) {
  const bool at_most = std::string_view(bound) == "at most";
  const double low = interval.has_value() ? interval->low : measured;
  const double high = interval.has_value() ? interval->high : measured;
  nlohmann::json entry = {{"what", what},   {"measured", Rounded(measured)},
                          {"bound", bound}, {"target", target},
                          {"unit", unit},   {"met", at_most ? high <= target : low >= target}};
  if (interval.has_value()) entry["interval95"] = {Rounded(low), Rounded(high)};
  json_["targets"].push_back(std::move(entry));
}

bool Report::Write(const std::string& file) const {
  const std::filesystem::path path(file);
  std::error_code ignored;  // a folder that cannot be made shows when the file is opened
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream out(path);
  out << json_.dump(1) << '\n';
  return out.flush().good();
}

nlohmann::json Summary(const std::vector<double>& values) {
  nlohmann::json rounded = nlohmann::json::array();
  for (const double value : values) rounded.push_back(Rounded(value));
  return {{"count", values.size()},
          {"median", Rounded(Median(values))},
          {"p99", Rounded(Percentile(values, 99))},
          {"least", Rounded(Percentile(values, 0))},
          {"most", Rounded(Percentile(values, 100))},
          {"values", std::move(rounded)}};
}

}  // namespace turnout::bench
