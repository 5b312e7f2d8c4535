// A network of the process's own, in which the packets of a host can vanish: with nothing that
// tells either end, as when a cable is pulled.
//
// All of 127.0.0.0/8 is there, each address a host. Needs Linux's user and network namespaces, a
// tun device and the program `ip` (Debian's iproute2).
#ifndef TURNOUT_TESTS_SUPPORT_OWN_NETWORK_H_
#define TURNOUT_TESTS_SUPPORT_OWN_NETWORK_H_

#include <string>

namespace turnout::testing {

// Moves the process, and those that it starts from now on, into a new network. Before it has any
// threads. What stood in the way, and what to do about it; empty: nothing.
std::string EnterOwnNetwork();

// Between `host` and everybody else no packet arrives, until this object goes. One at a time.
class Vanished {
 public:
  explicit Vanished(std::string host);
  ~Vanished();
  Vanished(const Vanished&) = delete;
  Vanished& operator=(const Vanished&) = delete;

 private:
  const std::string host_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_OWN_NETWORK_H_
