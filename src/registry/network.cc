// Network as the system tells it.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "src/model/names.h"
#include "src/registry/advertise.h"

namespace turnout::registry {
namespace {

std::optional<std::string> NumericHost(const sockaddr* address, socklen_t length) {
  std::array<char, NI_MAXHOST> host;
  if (getnameinfo(address, length, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return std::nullopt;
  }
  return std::string(host.data());
}

// Connecting a UDP socket sends nothing, but makes the kernel choose the source address.
std::optional<std::string> LocalAddressOf(const addrinfo& remote) {
  const int fd = socket(remote.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  sockaddr_storage local{};
  socklen_t length = sizeof(local);
  auto* const local_address = reinterpret_cast<sockaddr*>(&local);
  const bool known = connect(fd, remote.ai_addr, remote.ai_addrlen) == 0 &&
                     getsockname(fd, local_address, &length) == 0;
  close(fd);
  return known ? NumericHost(local_address, length) : std::nullopt;
}

bool IsGlobal(const ifaddrs& interface, IpFamily family) {
  const auto flags = interface.ifa_flags;
  if (interface.ifa_addr == nullptr || (flags & IFF_UP) == 0 || (flags & IFF_LOOPBACK) != 0) {
    return false;
  }
  if (interface.ifa_addr->sa_family == AF_INET) return true;
  if (interface.ifa_addr->sa_family != AF_INET6 || family == IpFamily::kV4) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(interface.ifa_addr);
  return !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

class System final : public Network {
 public:
  std::optional<std::string> LocalAddressToward(const std::string& endpoint,
                                                IpFamily family) override {
    const auto parsed = model::ParseHostPort(endpoint);
    if (!parsed.ok()) return std::nullopt;
    addrinfo hints{};
    hints.ai_family = family == IpFamily::kV4 ? AF_INET : AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(parsed->host.c_str(), std::to_string(parsed->port).c_str(), &hints, &found) !=
        0) {
      return std::nullopt;
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    for (const addrinfo* remote = found; remote != nullptr; remote = remote->ai_next) {
      if (auto local = LocalAddressOf(*remote); local.has_value()) return local;
    }
    return std::nullopt;
  }

  std::optional<std::string> GlobalAddress(IpFamily family) override {
    ifaddrs* interfaces = nullptr;
    if (getifaddrs(&interfaces) != 0) return std::nullopt;
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(interfaces, &freeifaddrs);
    // IPv4 first: whoever can call an IPv6 address can mostly call an IPv4 one too, not always
    // the other way round.
    for (const int wanted : {AF_INET, AF_INET6}) {
      for (const ifaddrs* i = interfaces; i != nullptr; i = i->ifa_next) {
        if (!IsGlobal(*i, family) || i->ifa_addr->sa_family != wanted) continue;
        return NumericHost(i->ifa_addr,
                           wanted == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
      }
    }
    return std::nullopt;
  }
};

}  // namespace

Network& SystemNetwork() {
  static System& system = *new System;
  return system;
}

}  // namespace turnout::registry
