// `turnout watch`: the members of a service, then every change, until the user has seen enough.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "fmt/chrono.h"
#include "fmt/format.h"
#include "src/cli/changes.h"
#include "src/cli/commands.h"
#include "src/cli/describe.h"
#include "src/cli/failure.h"
#include "src/cli/waiting.h"
#include "turnout/discovery.h"

namespace turnout::cli {
namespace {

using Time = std::chrono::system_clock::time_point;

long Milliseconds(Time time) {
  const auto since_epoch = time.time_since_epoch();
  return (std::chrono::floor<std::chrono::milliseconds>(since_epoch) -
          std::chrono::floor<std::chrono::seconds>(since_epoch))
      .count();
}

std::string PaintKind(Change::Kind kind, const Paint& paint) {
  std::string text = fmt::format("{:<9}", ToString(kind));
  switch (kind) {
    case Change::Kind::kJoined:
    case Change::Kind::kReturned:
      return paint.Green(text);
    case Change::Kind::kLeft:
    case Change::Kind::kRemoved:
    case Change::Kind::kLapsed:
    case Change::Kind::kRejected:
      return paint.Red(text);
    case Change::Kind::kDraining:
    case Change::Kind::kChanged:
      return paint.Yellow(text);
    case Change::Kind::kPresent:
      break;
  }
  return text;
}

// "14:03:07.123  joined     v1  10.0.0.1:8089  app-…"
std::string TextLine(const Change& change, Time time, const Paint& paint) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::string line =
      paint.Dim(fmt::format("{:%H:%M:%S}.{:03}", fmt::localtime(seconds), Milliseconds(time)));
  line += "  " + PaintKind(change.kind, paint);
  if (change.member.has_value()) {
    const Instance& instance = *change.member->instance;
    line += fmt::format("  {}  {}", paint.Bold(VersionText(instance)), AddressText(instance));
    if (change.kind == Change::Kind::kPresent) line += "  " + StatusText(*change.member, paint);
  }
  line += "  " + paint.Dim(Printable(change.subject));
  if (!change.detail.empty()) line += "  (" + Printable(change.detail) + ")";
  return line;
}

std::string JsonLine(const Change& change, Time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  Json json = {{"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds),
                                    Milliseconds(time))},
               {"change", std::string(ToString(change.kind))}};
  if (change.member.has_value()) {
    json["instance"] = ToJson(*change.member);
  } else {
    json["key"] = change.subject;
  }
  if (!change.detail.empty()) json["detail"] = change.detail;
  return Dump(json);
}

// Prints the changes as they come, on the library's delivery thread.
class Printer {
 public:
  explicit Printer(const WatchOptions& options)
      : json_(options.json),
        service_(options.service),
        most_changes_(options.changes.value_or(std::numeric_limits<int>::max())),
        paint_(WantsColour(STDOUT_FILENO)) {}

  void OnSnapshot(std::shared_ptr<const Snapshot> snapshot) {
    const Time now = std::chrono::system_clock::now();
    for (const Change& change : Compare(last_.get(), *snapshot)) {
      // The printer lives on for as long as the watch does: it may be asked for more than it is to
      // show.
      if (done()) break;
      fmt::print("{}\n", json_ ? JsonLine(change, now) : TextLine(change, now, paint_));
      if (last_ != nullptr) ++changes_;
    }
    if (last_ == nullptr && snapshot->members.empty() && !json_) {
      fmt::print("{} has no instance yet.\n", service_);
    }
    std::fflush(stdout);
    last_ = std::move(snapshot);
    seen_any_ = true;
    failing_ = false;
    WakeUp();
  }

  void OnError(const absl::Status& status) {
    if (std::exchange(failing_, true)) return;
    std::string message(status.message());
    PrintError(message + "; still trying");
  }

  bool done() const { return changes_ >= most_changes_; }
  bool seen_any() const { return seen_any_; }

 private:
  const bool json_;
  const std::string service_;
  const int most_changes_;
  const Paint paint_;
  std::shared_ptr<const Snapshot> last_;
  bool failing_ = false;
  std::atomic<int> changes_{0};
  std::atomic<bool> seen_any_{false};
};

}  // namespace

int RunWatch(const WatchOptions& options) {
  CatchStopSignals();
  Printer printer(options);
  absl::StatusOr<std::unique_ptr<Subscription>> watch = Watch(
      options.service, options.registry,
      {.on_snapshot = [&](std::shared_ptr<const Snapshot> s) { printer.OnSnapshot(std::move(s)); },
       .on_error = [&](const absl::Status& status) { printer.OnError(status); }});
  if (!watch.ok()) return ReportFailure(watch.status());

  constexpr std::chrono::hours kForEver(24 * 365 * 100);
  WaitFor(options.duration.value_or(kForEver), [&] { return printer.done(); });
  watch->reset();
  return printer.seen_any() || StopSignal() != 0 ? kOk : kFailed;
}

}  // namespace turnout::cli
