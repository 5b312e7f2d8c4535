#include "tests/support/own_network.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

namespace turnout::testing {
namespace {

// Rules before 10 send packets into a device that nobody reads.
constexpr char kSetUp[] =
    "PATH=$PATH:/usr/sbin:/sbin; set -e; exec 2>&1; "
    "ip link set lo up; "
    "ip rule add pref 10 lookup local; ip rule del pref 0; "
    "ip tuntap add nowhere mode tun; ip link set nowhere up; "
    "ip route add default dev nowhere src 127.0.0.1 table 100; "
    "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet";

bool Write(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

// Root in there, whoever we are out here. Where user namespaces are forbidden, root may do without.
std::string LeaveOldNetwork() {
  const std::string user = std::to_string(geteuid());
  const std::string group = std::to_string(getegid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) {
    const bool mapped = Write("/proc/self/setgroups", "deny") &&
                        Write("/proc/self/uid_map", "0 " + user + " 1") &&
                        Write("/proc/self/gid_map", "0 " + group + " 1");
    return mapped ? "" : "cannot map the user into the new namespace";
  }
  if (unshare(CLONE_NEWNET) == 0) return "";
  return std::string("cannot make a network namespace: ") + std::strerror(errno) +
         "; run as root, or allow unprivileged user namespaces "
         "(sysctl kernel.unprivileged_userns_clone=1), in a container with --cap-add SYS_ADMIN";
}

bool Run(const std::string& command) { return std::system(command.c_str()) == 0; }

}  // namespace

std::string EnterOwnNetwork() {
  std::string problem = LeaveOldNetwork();
  if (!problem.empty()) return problem;
  if (Run(kSetUp)) return "";
  return "cannot set up the network namespace: install iproute2, and let /dev/net/tun be used; "
         "what `ip` says stands above";
}

Vanished::Vanished(std::string host) : host_(std::move(host)) {
  EXPECT_TRUE(Run("PATH=$PATH:/usr/sbin:/sbin; ip rule add pref 1 from " + host_ +
                  " lookup 100 && ip rule add pref 2 to " + host_ + " lookup 100"));
}

Vanished::~Vanished() {
  EXPECT_TRUE(Run("PATH=$PATH:/usr/sbin:/sbin; ip rule del pref 1; ip rule del pref 2"));
}

}  // namespace turnout::testing
