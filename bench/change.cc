// How soon calls follow a change in etcd: from the moment before the request is sent that puts a
// record to the first answer from its instance, and from the one that deletes it to the last call
// that reached its instance. A bare watch in the same process says how soon anyone could have
// known.
//
// A join also takes a connection and a call: those are measured beside each join, by a stock
// channel whose first call goes to an address that has no connection yet.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/support/bare_watch.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/registry.h"
#include "bench/support/server.h"
#include "bench/support/spinner.h"
#include "turnout/observer.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kService[] = "bench.app";
constexpr int kRounds = 200;
// Between what is measured, so that one round does not disturb the next.
constexpr std::chrono::milliseconds kRest{10};
// A call that was on its way when the record was deleted has arrived after that.
constexpr std::chrono::milliseconds kLastCallsArrive{20};
constexpr std::chrono::seconds kPatience{5};

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

absl::Status WaitFor(const std::string& what, const std::function<bool()>& done) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (!done()) {
    if (Clock::now() > deadline) return absl::DeadlineExceededError("waited 5 s for " + what);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return absl::OkStatus();
}

struct Bench {
  Registry registry;
  std::unique_ptr<Server> server;
  BareWatch watch{registry.endpoint(), Registry::KeyPrefix(kService)};
  std::shared_ptr<grpc::Channel> channel =
      EtcdChannel(registry.Target(kService), kVersionThenRandom);
  std::unique_ptr<proto::Api::Stub> stub = proto::Api::NewStub(channel);
};

// In milliseconds, one value for each round.
struct Delays {
  std::vector<double> bare;     // until the bare watch saw the change
  std::vector<double> calls;    // until calls followed it
  std::vector<double> between;  // from the former to the latter
};

// --- joins

// The first call of a stock channel, which connects for it.
absl::StatusOr<double> ConnectAndCall(const std::string& address) {
  const auto stub = proto::Api::NewStub(StockChannel({address}));
  const Clock::time_point begin = Clock::now();
  if (Answer answer = Call(*stub, ""); !answer.status.ok()) return answer.status;
  return Milliseconds(Clock::now() - begin);
}

absl::Status Join(Bench& bench, const Registry::Entry& entry, Delays& delays) {
  // The call waits from before the put, so that no interval of asking again is measured. Once the
  // picker has refused it, gRPC holds it until there is another picker.
  const std::uint64_t refused_before = GetCounters().picks_failed;
  Answer answer;
  Clock::time_point answered;
  std::thread caller([&] {
    answer = Call(*bench.stub, entry.version);
    answered = Clock::now();
  });
  absl::Status waiting = WaitFor("the call to wait for its version",
                                 [&] { return GetCounters().picks_failed > refused_before; });
  std::this_thread::sleep_for(kRest);
  const Clock::time_point begin = Clock::now();
  bench.registry.Register(kService, entry);
  caller.join();
  if (!waiting.ok()) return waiting;
  if (!answer.status.ok()) return answer.status;
  if (answer.address != entry.address) return absl::InternalError("another instance answered");
  const auto seen =
      bench.watch.ArrivalOf(Registry::Key(kService, entry.id), BareWatch::Event::kPut);
  if (!seen.has_value()) return absl::DeadlineExceededError("the bare watch saw no put");
  delays.bare.push_back(Milliseconds(*seen - begin));
  delays.calls.push_back(Milliseconds(answered - begin));
  delays.between.push_back(Milliseconds(answered - *seen));
  bench.registry.Deregister(kService, entry.id);
  return absl::OkStatus();
}

absl::Status MeasureJoins(Bench& bench, Report& report) {
  Delays delays;
  std::vector<double> connect_and_call;
  for (int round = 0; round < kRounds; ++round) {
    const int address = 10 + 2 * round;  // each connects to addresses that nobody has used
    absl::Status status = Join(bench,
                               {.id = absl::StrCat("join-", round),
                                .version = absl::StrCat("join", round),
                                .address = bench.server->Address(address)},
                               delays);
    if (!status.ok()) return status;
    std::this_thread::sleep_for(kRest);
    const auto reference = ConnectAndCall(bench.server->Address(address + 1));
    if (!reference.ok()) return reference.status();
    connect_and_call.push_back(*reference);
    std::this_thread::sleep_for(kRest);
  }
  report.figures()["join"] = {{"put_to_bare_watch_ms", Summary(delays.bare)},
                              {"put_to_first_answer_ms", Summary(delays.calls)},
                              {"bare_watch_to_first_answer_ms", Summary(delays.between)},
                              {"connect_and_call_ms", Summary(connect_and_call)}};
  const double reference = Median(connect_and_call);
  report.AtMost("put to first answer, beyond bare watch + connect + call: median",
                Median(delays.between) - reference, 0.5, "ms");
  report.AtMost("put to first answer, beyond bare watch + connect + call: p99",
                Percentile(delays.between, 99) - reference, 2, "ms");
  return absl::OkStatus();
}

// --- leaves

absl::Status Leave(Bench& bench, Spinner& spinner, const Registry::Entry& entry, Delays& delays) {
  const Clock::time_point before = Clock::now();
  bench.registry.Register(kService, entry);
  if (absl::Status status = WaitFor("calls to reach the instance that is to leave",
                                    [&] { return spinner.LastArrivalAt(entry.address) > before; });
      !status.ok()) {
    return status;
  }
  std::this_thread::sleep_for(kRest);
  const Clock::time_point begin = Clock::now();
  bench.registry.Deregister(kService, entry.id);
  const auto seen =
      bench.watch.ArrivalOf(Registry::Key(kService, entry.id), BareWatch::Event::kDelete);
  if (!seen.has_value()) return absl::DeadlineExceededError("the bare watch saw no delete");
  std::this_thread::sleep_for(kLastCallsArrive);
  const Clock::time_point last = spinner.LastArrivalAt(entry.address);
  if (Clock::now() - last < kLastCallsArrive / 2) {
    return absl::InternalError("calls still reach an instance that left");
  }
  delays.bare.push_back(Milliseconds(*seen - begin));
  delays.calls.push_back(Milliseconds(last - begin));
  delays.between.push_back(Milliseconds(last - *seen));
  return spinner.status();
}

absl::Status MeasureLeaves(Bench& bench, Report& report) {
  bench.registry.Register(kService, {"stays", "v1", bench.server->Address(0)});
  Spinner spinner(bench.channel, "v1");
  Delays delays;
  for (int round = 0; round < kRounds; ++round) {
    absl::Status status = Leave(
        bench, spinner, {absl::StrCat("leave-", round), "v1", bench.server->Address(1)}, delays);
    if (!status.ok()) return status;
  }
  report.figures()["leave"] = {{"delete_to_bare_watch_ms", Summary(delays.bare)},
                               {"delete_to_last_call_ms", Summary(delays.calls)},
                               {"bare_watch_to_last_call_ms", Summary(delays.between)}};
  report.AtMost("delete to last call there, beyond bare watch: median", Median(delays.between), 0.5,
                "ms");
  report.AtMost("delete to last call there, beyond bare watch: p99", Percentile(delays.between, 99),
                2, "ms");
  return absl::OkStatus();
}

absl::Status Run(Report& report) {
  Bench bench;
  report.machine()["etcd"] = bench.registry.etcd_version();
  auto server = Server::Start();
  if (!server.ok()) return server.status();
  bench.server = *std::move(server);
  Progress(absl::StrFormat("%d joins", kRounds));
  if (absl::Status status = MeasureJoins(bench, report); !status.ok()) return status;
  Progress(absl::StrFormat("%d leaves", kRounds));
  return MeasureLeaves(bench, report);
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main({.name = "change", .run = turnout::bench::Run}, argc, argv);
}
