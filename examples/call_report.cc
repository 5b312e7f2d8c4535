#include "examples/call_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/status/status.h"

namespace app {
namespace {

std::string Describe(const grpc::Status& status) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code())) + ": " +
         status.error_message();
}

void PrintCounts(std::ostream& out, const std::string& title,
                 const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return;
  out << title << "\n";
  for (const auto& [what, count] : counts) {
    out.width(10);
    out << count << "  " << what << "\n";
  }
}

}  // namespace

void CallReport::Add(const grpc::Status& status, const std::string& output,
                     std::chrono::nanoseconds latency) {
  ++calls_;
  if (!status.ok()) {
    ++errors_[Describe(status)];
    return;
  }
  ++ok_;
  ++by_output_[output];
  latencies_us_.push_back(latency / std::chrono::microseconds(1));
}

void CallReport::Merge(const CallReport& other) {
  calls_ += other.calls_;
  ok_ += other.ok_;
  for (const auto& [what, count] : other.errors_) errors_[what] += count;
  for (const auto& [what, count] : other.by_output_) by_output_[what] += count;
  latencies_us_.insert(latencies_us_.end(), other.latencies_us_.begin(), other.latencies_us_.end());
  std::sort(latencies_us_.begin(), latencies_us_.end());
}

// Nearest rank: of 100 latencies, the 0.99 quantile is the 99th.
std::int64_t CallReport::LatencyUs(double quantile) const {
  if (latencies_us_.empty()) return 0;
  const auto rank =
      static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(latencies_us_.size())));
  return latencies_us_[std::max<std::size_t>(rank, 1) - 1];
}

std::string CallReport::Json() const {
  const nlohmann::ordered_json report = {
      {"calls", calls_},
      {"ok", ok_},
      {"errors", errors_},
      {"by_output", by_output_},
      {"latency_us", {{"p50", LatencyUs(0.5)}, {"p99", LatencyUs(0.99)}, {"max", LatencyUs(1)}}}};
  return report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string CallReport::Table() const {
  std::ostringstream out;
  out << calls_ << " calls, " << ok_ << " answered, " << calls_ - ok_ << " failed\n";
  PrintCounts(out, "answered by", by_output_);
  PrintCounts(out, "errors", errors_);
  if (ok_ > 0) {
    out << "latency: median " << LatencyUs(0.5) << " µs, 99th percentile " << LatencyUs(0.99)
        << " µs, longest " << LatencyUs(1) << " µs\n";
  }
  return out.str();
}

}  // namespace app
