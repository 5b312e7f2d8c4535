// Tells clients, with each answer, how loaded this server is: what `weighted_round_robin` with
// `"weights": "reported"` goes by, and finish callbacks see.
//
//   turnout::LoadReporter reporter;                      // one for the server
//
//   grpc::Status Get(grpc::ServerContext* context, …) override {
//     turnout::LoadReporter::Call call(reporter_, *context);
//     …
//     return call.End(status);
//   }
//
// The report is gRPC's own (ORCA, gRFC A51), sent in the trailers, so that clients in other
// languages can go by it. What gRPC 1.51.1 reads of it has no fields for queries and errors a
// second; so they travel twice, in their own fields and as request costs of the names in
// turnout/load_report.h.
#ifndef TURNOUT_LOAD_REPORTER_H_
#define TURNOUT_LOAD_REPORTER_H_

#include <memory>

namespace grpc {
class ServerContextBase;
class Status;
}  // namespace grpc

namespace turnout {

// Thread-safe; outlives its Calls.
class LoadReporter {
 public:
  LoadReporter();
  ~LoadReporter();
  LoadReporter(const LoadReporter&) = delete;
  LoadReporter& operator=(const LoadReporter&) = delete;

  // The application's own word for its load, where the CPU's is not what limits it: 0 for idle, 1
  // for all that it can take; above that it is overloaded. Negative: the CPU's counts again.
  void SetUtilization(double utilization);

  // Calls and failed calls a second, moving averages over about 1 s; and the share of its CPUs that
  // this process has used of late (the CPUs that it may run on, whatever a cgroup's quota says).
  double qps() const;
  double eps() const;
  double cpu_utilization() const;

  // One for each call, made when the handler begins. Not thread-safe.
  class Call {
   public:
    Call(LoadReporter& reporter, grpc::ServerContextBase& context);
    ~Call();  // as End with OK, if that has not been called
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // Counts the call, as an error unless `status` is OK, and attaches the report: before the
    // handler returns, or a reactor's Finish. Gives `status` back.
    grpc::Status End(const grpc::Status& status);

   private:
    void Report(bool ok);

    LoadReporter& reporter_;
    grpc::ServerContextBase& context_;
    bool reported_ = false;
  };

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace turnout

#endif  // TURNOUT_LOAD_REPORTER_H_
