// A TCP relay on loopback, by which a test disturbs a connection without touching the network.
//
// Thread-safe. It has a thread of its own; its destructor ends all connections.
#ifndef TURNOUT_TESTS_SUPPORT_RELAY_H_
#define TURNOUT_TESTS_SUPPORT_RELAY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace turnout::testing {

class Relay {
 public:
  enum class Mode {
    kPass,
    kSilent,  // connections stay open, and are still accepted; nothing goes through until kPass
    kCut,     // connections are ended, and new ones at once
  };
  struct Manner {
    Mode mode = Mode::kPass;
    std::chrono::milliseconds delay{0};  // of whatever is sent, in each direction
  };

  // Who has made the connection from this local port? Asked once for each, on the relay's thread.
  using Identify = std::function<int(std::uint16_t port)>;
  static constexpr int kUnknown = -1;

  // Passes on to `target`, `127.0.0.1:port`. Without `identify`, everybody is kUnknown.
  explicit Relay(const std::string& target, Identify identify = nullptr);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const std::string& endpoint() const;  // where it listens, `127.0.0.1:port`

  void Set(Manner manner);              // for everybody
  void SetFor(int who, Manner manner);  // until the next Set

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_RELAY_H_
