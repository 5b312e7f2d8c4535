#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "src/model/names.h"
#include "src/model/text.h"

namespace turnout::model {
namespace {

std::optional<int> ParsePort(std::string_view text, bool allow_port_0) {
  const bool padded = text.size() > 1 && text.front() == '0';
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || text.size() > 5 || padded || error != std::errc() ||
      end != text.data() + text.size() || port < (allow_port_0 ? 0 : 1) || port > 65535) {
    return std::nullopt;
  }
  return port;
}

// In the one spelling that RFC 5952 gives it, so that equal addresses are equal strings.
std::optional<std::string> CanonicalIp(int family, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> spelled{};
  if (text.find('\0') != std::string_view::npos ||
      inet_pton(family, std::string(text).c_str(), bytes.data()) != 1 ||
      inet_ntop(family, bytes.data(), spelled.data(), spelled.size()) == nullptr) {
    return std::nullopt;
  }
  return std::string(spelled.data());
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsLabel(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), allowed);
}

// A name whose last label is a number would be read as a misspelled IPv4 address by some resolvers.
bool IsHostName(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  const auto labels = Split(text, '.');
  return std::all_of(labels.begin(), labels.end(), IsLabel) &&
         !std::all_of(labels.back().begin(), labels.back().end(), IsDigit);
}

absl::Status Wrong(std::string_view text, bool allow_port_0) {
  return absl::InvalidArgumentError(
      Concat({"must be host:port or [v6]:port, port ", allow_port_0 ? "0" : "1", " to 65535, got ",
              Quoted(text)}));
}

}  // namespace

std::string HostPort::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return Concat({v6 ? "[" : "", host, v6 ? "]:" : ":", std::to_string(port)});
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text, bool allow_port_0) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return Wrong(text, allow_port_0);
  const std::string_view host = text.substr(0, colon);
  const auto port = ParsePort(text.substr(colon + 1), allow_port_0);
  if (!port.has_value()) return Wrong(text, allow_port_0);

  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto ip = CanonicalIp(AF_INET6, host.substr(1, host.size() - 2));
    if (!ip.has_value()) return Wrong(text, allow_port_0);
    return HostPort{*std::move(ip), *port, /*is_ip=*/true};
  }
  if (auto ip = CanonicalIp(AF_INET, host)) return HostPort{*std::move(ip), *port, /*is_ip=*/true};
  if (!IsHostName(host)) return Wrong(text, allow_port_0);
  return HostPort{std::string(host), *port, /*is_ip=*/false};
}

absl::StatusOr<std::vector<std::string>> ParseEndpoints(std::string_view list) {
  std::vector<std::string> endpoints;
  for (const std::string_view part : Split(list, ',')) {
    const auto endpoint = ParseHostPort(Trimmed(part));
    if (!endpoint.ok()) return endpoint.status();
    std::string spelled = endpoint->ToString();
    if (std::find(endpoints.begin(), endpoints.end(), spelled) == endpoints.end()) {
      endpoints.push_back(std::move(spelled));
    }
  }
  return endpoints;
}

}  // namespace turnout::model
