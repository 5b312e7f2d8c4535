// What the client's process tells: each call that has ended, and each view of a service. One line
// for each, fields separated by tabs. Pure.
#ifndef TURNOUT_TESTS_FAULTS_EVENT_H_
#define TURNOUT_TESTS_FAULTS_EVENT_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace turnout::faults {

// The machine's: the same in all processes.
using Clock = std::chrono::steady_clock;

// What a server answers, with blanks between: who it is, and whom it was picked for.
struct Answer {
  std::string version;
  std::string address;
  std::string service;
  std::string id;
  std::string picked;  // "-": no pick was told, which is a mistake

  std::string ToString() const;
  static std::optional<Answer> Parse(const std::string& text);

  friend bool operator==(const Answer&, const Answer&) = default;
};

// The metadata key by which the client's policy tells the server whom it has picked.
inline constexpr char kPickedKey[] = "x-picked";

struct Call {
  Clock::time_point begin, end;
  bool stream = false;
  bool retries = false;  // its channel has a retry policy
  std::string service;
  std::string version;  // asked for; empty: any
  std::string peer;     // `host:port` of the instance picked last; empty: none
  int code = 0;         // gRPC's
  int answers = 0;      // a stream's may be several, all alike
  std::string text;     // the answer, or the error

  bool ok() const { return code == 0; }
  friend bool operator==(const Call&, const Call&) = default;
};

// An instance, as etcd has it or as a client sees it.
struct Seen {
  std::string status;  // registered, draining or lapsed
  std::string version;
  std::string address;

  friend bool operator==(const Seen&, const Seen&) = default;
};

struct View {
  Clock::time_point time;
  std::string service;
  std::map<std::string, Seen> members;  // by id

  friend bool operator==(const View&, const View&) = default;
};

using Event = std::variant<Call, View>;

std::string Format(const Call& call);  // without an end of line
std::string Format(const View& view);
std::optional<Event> ParseEvent(std::string_view line);

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_EVENT_H_
