#include "src/etcd/tcp_connection.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace turnout::etcd {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses Resolve(const std::string& endpoint) {
  const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(HostOf(endpoint).c_str(), port.c_str(), &hints, &found) != 0) found = nullptr;
  return {found, &freeaddrinfo};
}

}  // namespace

TcpConnection::TcpConnection(const std::string& endpoint, Clock::time_point deadline)
    : deadline_(deadline) {
  const Addresses addresses = Resolve(endpoint);
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    socket_ = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) continue;
    if (connect(socket_, each->ai_addr, each->ai_addrlen) == 0) return;
    int error = errno;
    socklen_t size = sizeof error;
    if (error == EINPROGRESS && AwaitWritable() &&
        getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
      return;
    }
    close(std::exchange(socket_, -1));
  }
}

TcpConnection::~TcpConnection() {
  if (connected()) close(socket_);
}

bool TcpConnection::AwaitReadable() const { return Await(POLLIN); }
bool TcpConnection::AwaitWritable() const { return Await(POLLOUT); }

bool TcpConnection::Await(short events) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    pollfd waiting{.fd = socket_, .events = events, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0;
  }
}

bool TcpConnection::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    if (!AwaitWritable()) return false;
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string TcpConnection::Receive(std::size_t size) const {
  std::string received(size, '\0');
  std::size_t have = 0;
  while (have < size && AwaitReadable()) {
    const ssize_t got = recv(socket_, received.data() + have, size - have, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  received.resize(have);
  return received;
}

std::string HostOf(const std::string& endpoint) {
  const std::string host = endpoint.substr(0, endpoint.rfind(':'));
  const bool bracketed = host.size() > 1 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

}  // namespace turnout::etcd
