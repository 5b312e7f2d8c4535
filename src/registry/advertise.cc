#include "src/registry/advertise.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/model/names.h"

namespace turnout::registry {
namespace {

bool IsWildcard(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

bool IsLoopback(std::string_view host) {
  return host == "::1" || absl::StartsWith({host.data(), host.size()}, "127.");
}

bool IsLinkLocal(std::string_view host) { return host.find('%') != host.npos; }

// `text` is `host`, where `[v6]` and bare `v6` are hosts too, or `host:port`.
absl::StatusOr<model::HostPort> ParseHostMaybePort(const std::string& text, int port) {
  if (auto whole = model::ParseHostPort(text); whole.ok()) return whole;
  const bool bare_v6 = std::count(text.begin(), text.end(), ':') > 1 && text.front() != '[';
  return model::ParseHostPort(bare_v6 ? absl::StrCat("[", text, "]:", port)
                                      : absl::StrCat(text, ":", port));
}

absl::StatusOr<Advertised> Explicit(const AdvertiseInput& input) {
  if (absl::StartsWith(input.advertise, "unix:") && input.allow_unix_addresses) {
    return Advertised{input.advertise, "as configured"};
  }
  const auto parsed = ParseHostMaybePort(input.advertise, input.port);
  if (!parsed.ok() || IsWildcard(parsed->host)) {
    return absl::InvalidArgumentError(
        absl::StrCat("advertise: must be host or host:port that clients can connect to, got \"",
                     input.advertise, "\""));
  }
  return Advertised{parsed->ToString(), "as configured"};
}

absl::StatusOr<model::HostPort> ParseListen(const AdvertiseInput& input) {
  if (input.listen.empty()) return model::HostPort{"::", input.port, true};
  auto parsed = model::ParseHostPort(input.listen, /*allow_port_0=*/true);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "listen: must be host:port when advertise is empty, got \"", input.listen, "\""));
  }
  parsed->port = input.port;
  return parsed;
}

}  // namespace

absl::StatusOr<Advertised> ChooseAddress(const AdvertiseInput& input, Network& network) {
  if (!input.advertise.empty()) return Explicit(input);
  auto listen = ParseListen(input);
  if (!listen.ok()) return listen.status();
  if (!IsWildcard(listen->host)) return Advertised{listen->ToString(), "the host of `listen`"};

  const auto with_host = [&](std::string host) {
    return model::HostPort{std::move(host), input.port, true}.ToString();
  };
  const IpFamily family = listen->host == "0.0.0.0" ? IpFamily::kV4 : IpFamily::kAny;
  for (const std::string& endpoint : input.endpoints) {
    const auto local = network.LocalAddressToward(endpoint, family);
    if (!local.has_value() || IsLoopback(*local) || IsLinkLocal(*local)) continue;
    return Advertised{with_host(*local), absl::StrCat("the route toward etcd at ", endpoint)};
  }
  if (const auto global = network.GlobalAddress(family); global.has_value()) {
    return Advertised{with_host(*global),
                      "a global address of this machine, because the route toward etcd tells none; "
                      "set `advertise` if clients cannot reach it",
                      true};
  }
  return Advertised{with_host("127.0.0.1"),
                    "loopback, because this machine has no other address; clients on other "
                    "machines cannot reach it",
                    true};
}

}  // namespace turnout::registry
