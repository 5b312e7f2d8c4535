#include "turnout/load_reporter.h"

#include <grpcpp/server_context.h>

#include <atomic>

#include "proto/load_report.pb.h"
#include "src/load/cpu.h"
#include "src/load/rate.h"
#include "turnout/load_report.h"

namespace turnout {
namespace {

// gRPC has a recorder for this, but Debian's libgrpc++ lacks the part that sends what it records.
constexpr char kTrailer[] = "endpoint-load-metrics-bin";

}  // namespace

class LoadReporter::Impl {
 public:
  void Count(bool ok) {
    const base::TimePoint now = base::Now();
    calls_.Count(now);
    if (!ok) errors_.Count(now);
  }

  double qps() const { return calls_.PerSecond(base::Now()); }
  double eps() const { return errors_.PerSecond(base::Now()); }
  double cpu_utilization() { return cpu_.Utilization(base::Now()); }

  void SetUtilization(double utilization) { utilization_ = utilization; }

  orca::LoadReport Report() {
    orca::LoadReport report;
    const auto set = [&report](std::string_view name, double value) {
      (*report.mutable_request_cost())[std::string(name)] = value;
    };
    report.set_cpu_utilization(cpu_utilization());
    report.set_rps_fractional(qps());
    report.set_eps(eps());
    set(LoadReport::kQps, report.rps_fractional());
    set(LoadReport::kEps, report.eps());
    if (const double own = utilization_; own >= 0) {
      report.set_application_utilization(own);
      set(LoadReport::kApplicationUtilization, own);
    }
    return report;
  }

 private:
  load::Rate calls_;
  load::Rate errors_;
  load::CpuMeter cpu_;
  std::atomic<double> utilization_{-1};
};

LoadReporter::LoadReporter() : impl_(std::make_unique<Impl>()) {}
LoadReporter::~LoadReporter() = default;

void LoadReporter::SetUtilization(double utilization) { impl_->SetUtilization(utilization); }
double LoadReporter::qps() const { return impl_->qps(); }
double LoadReporter::eps() const { return impl_->eps(); }
double LoadReporter::cpu_utilization() const { return impl_->cpu_utilization(); }

LoadReporter::Call::Call(LoadReporter& reporter, grpc::ServerContextBase& context)
    : reporter_(reporter), context_(context) {}

LoadReporter::Call::~Call() {
  if (!reported_) Report(true);
}

grpc::Status LoadReporter::Call::End(const grpc::Status& status) {
  if (!reported_) Report(status.ok());
  return status;
}

void LoadReporter::Call::Report(bool ok) {
  reported_ = true;
  Impl& load = *reporter_.impl_;
  load.Count(ok);
  context_.AddTrailingMetadata(kTrailer, load.Report().SerializeAsString());
}

}  // namespace turnout
