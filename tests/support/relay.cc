#include "tests/support/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace turnout::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostHeldBytes = 1 << 20;  // in one direction; then it is not read further

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

sockaddr_in LoopbackAddress(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int NewSocket() {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) Die("socket");
  return made;
}

// A socket, and what waits to be sent to it.
class End {
 public:
  explicit End(int socket) : socket_(socket) {
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~End() { close(socket_); }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  int socket() const { return socket_; }

  // False: it has failed.
  bool ReceiveInto(End& other, std::chrono::milliseconds delay) {
    std::array<char, 16384> bytes{};
    const ssize_t count = recv(socket_, bytes.data(), bytes.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) at_end_ = true;
    const auto size = static_cast<std::size_t>(count);
    other.held_bytes_ += size;
    other.held_.push_back({Clock::now() + delay, std::string(bytes.data(), size)});
    return true;
  }

  // Sends what is due; an empty chunk stands for the end. False: it has failed.
  bool Send() {
    while (HasDue()) {
      Chunk& chunk = held_.front();
      if (chunk.bytes.empty()) {
        shutdown(socket_, SHUT_WR);
        is_shut_ = true;
        held_.clear();
        return true;
      }
      const ssize_t count = send(socket_, chunk.bytes.data(), chunk.bytes.size(), MSG_NOSIGNAL);
      if (count < 0) return errno == EAGAIN || errno == EINTR;
      held_bytes_ -= static_cast<std::size_t>(count);
      chunk.bytes.erase(0, static_cast<std::size_t>(count));
      if (chunk.bytes.empty()) held_.pop_front();
    }
    return true;
  }

  bool HasDue() const { return !held_.empty() && held_.front().due <= Clock::now(); }
  bool HasRoom() const { return held_bytes_ < kMostHeldBytes; }
  std::optional<Clock::time_point> due() const {
    if (held_.empty()) return std::nullopt;
    return held_.front().due;
  }
  bool at_end() const { return at_end_; }
  bool is_shut() const { return is_shut_; }

 private:
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };

  const int socket_;
  std::deque<Chunk> held_;
  std::size_t held_bytes_ = 0;
  bool at_end_ = false;   // nothing more comes from it
  bool is_shut_ = false;  // it has been told that nothing more comes
};

struct Connection {
  Connection(int socket, int from) : source(socket), who(from) {}

  End source;
  std::optional<End> target;  // connected when the first byte may pass
  const int who;

  bool is_over() const { return target.has_value() && source.is_shut() && target->is_shut(); }
};

}  // namespace

class Relay::Impl {
 public:
  Impl(const std::string& target, Identify identify)
      : target_(LoopbackAddress(std::atoi(target.c_str() + target.rfind(':') + 1))),
        identify_(std::move(identify)),
        listener_(NewSocket()),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    sockaddr_in address = LoopbackAddress(0);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, any, size) != 0 || listen(listener_, 256) != 0 ||
        getsockname(listener_, any, &size) != 0) {
      Die("cannot listen on loopback");
    }
    endpoint_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
    }
    Wake();
    thread_.join();
    close(listener_);
    close(wake_);
  }

  const std::string& endpoint() const { return endpoint_; }

  void Set(std::optional<int> who, Manner manner) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (who.has_value()) {
        manners_[*who] = manner;
      } else {
        manners_.clear();
        everybody_ = manner;
      }
    }
    Wake();
  }

 private:
  void Wake() const {
    if (eventfd_write(wake_, 1) != 0) Die("eventfd_write");
  }

  Manner MannerFor(int who) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = manners_.find(who);
    return found == manners_.end() ? everybody_ : found->second;
  }
  bool Ended() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ended_;
  }

  void Run() {
    while (!Ended()) {
      Wait();
      eventfd_t ignored = 0;
      eventfd_read(wake_, &ignored);
      Accept();
      connections_.remove_if([this](Connection& connection) { return !Serve(connection); });
    }
    connections_.clear();
  }

  // Until there is something to do.
  void Wait() {
    std::vector<pollfd> waited = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
    std::optional<Clock::time_point> first_due;
    const auto watch = [&](const End& end, const End& other) {
      const int reads = !end.at_end() && other.HasRoom() ? POLLIN : 0;
      const int writes = end.HasDue() ? POLLOUT : 0;
      if (reads + writes != 0)
        waited.push_back({end.socket(), static_cast<short>(reads | writes), 0});
      if (const auto due = end.due(); due.has_value() && writes == 0) {
        first_due = std::min(*due, first_due.value_or(*due));
      }
    };
    for (const Connection& connection : connections_) {
      if (MannerFor(connection.who).mode != Mode::kPass || !connection.target) continue;
      watch(connection.source, *connection.target);
      watch(*connection.target, connection.source);
    }
    int timeout_ms = -1;
    if (first_due.has_value()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first_due - Clock::now());
      timeout_ms = std::max(0, static_cast<int>(left.count()));
    }
    poll(waited.data(), waited.size(), timeout_ms);
  }

  void Accept() {
    while (true) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const int accepted = accept4(listener_, reinterpret_cast<sockaddr*>(&from), &size,
                                   SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (accepted < 0) return;
      connections_.emplace_back(accepted, identify_ ? identify_(ntohs(from.sin_port)) : kUnknown);
    }
  }

  // Passes on what can be. False: the connection is over.
  bool Serve(Connection& connection) const {
    const Manner manner = MannerFor(connection.who);
    if (manner.mode == Mode::kCut) return false;
    if (manner.mode == Mode::kSilent) return true;
    if (!connection.target.has_value()) {
      connection.target.emplace(NewSocket());
      const auto* const to = reinterpret_cast<const sockaddr*>(&target_);
      const int connected = connect(connection.target->socket(), to, sizeof target_);
      if (connected != 0 && errno != EINPROGRESS) return false;
    }
    End& source = connection.source;
    End& target = *connection.target;
    return PassOn(source, target, manner) && PassOn(target, source, manner) &&
           !connection.is_over();
  }

  static bool PassOn(End& from, End& to, const Manner& manner) {
    if (!from.at_end() && to.HasRoom() && !from.ReceiveInto(to, manner.delay)) return false;
    return to.Send();
  }

  const sockaddr_in target_;
  const Identify identify_;
  const int listener_;
  const int wake_;
  std::string endpoint_;

  mutable std::mutex mutex_;
  bool ended_ = false;
  Manner everybody_;
  std::map<int, Manner> manners_;  // of those that are treated otherwise

  std::list<Connection> connections_;  // the thread's
  std::thread thread_;
};

Relay::Relay(const std::string& target, Identify identify)
    : impl_(std::make_unique<Impl>(target, std::move(identify))) {}
Relay::~Relay() = default;

const std::string& Relay::endpoint() const { return impl_->endpoint(); }
void Relay::Set(Manner manner) { impl_->Set(std::nullopt, manner); }
void Relay::SetFor(int who, Manner manner) { impl_->Set(who, manner); }

}  // namespace turnout::testing
