#include "src/cli/connection.h"

#include <cstdlib>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace turnout::cli {
namespace {

// Credentials in the environment are meant for the cluster that the operator names.
void AddTlsOptions(CLI::App& command, RegistryOptions& registry) {
  const auto tls = [&registry]() -> TlsOptions& {
    if (!registry.tls.has_value()) registry.tls.emplace();
    return *registry.tls;
  };
  const auto add = [&](const char* name, const char* variable, std::string TlsOptions::*field,
                       const char* description) {
    return command
        .add_option_function<std::string>(
            name, [tls, field](const std::string& value) { tls().*field = value; }, description)
        ->envname(variable);
  };
  command
      .add_flag_callback(
          "--tls", [tls] { tls(); }, "Speak TLS with etcd (each of the next four implies it)")
      ->envname("TURNOUT_ETCD_TLS");
  add("--ca-file", "TURNOUT_ETCD_CA_FILE", &TlsOptions::ca_file,
      "Authorities that may have signed etcd's certificates (default: the system's)")
      ->type_name("PEM");
  add("--cert-file", "TURNOUT_ETCD_CERT_FILE", &TlsOptions::cert_file,
      "Certificate to show to etcd, with --key-file")
      ->type_name("PEM");
  add("--key-file", "TURNOUT_ETCD_KEY_FILE", &TlsOptions::key_file, "Its private key")
      ->type_name("PEM");
  add("--server-name", "TURNOUT_ETCD_SERVER_NAME", &TlsOptions::server_name,
      "Name in etcd's certificates (default: the endpoint's host)")
      ->type_name("NAME");
}

}  // namespace

void AddConnectionOptions(CLI::App& command, RegistryOptions& registry) {
  command
      .add_option("--etcd", registry.endpoints,
                  "Members of the etcd cluster (default: TURNOUT_ETCD, else 127.0.0.1:2379)")
      ->delimiter(',')
      ->type_name("HOST:PORT[,HOST:PORT]");
  command.add_option("--prefix", registry.prefix, "Namespace that all keys stand under")
      ->type_name("/PREFIX");
  AddTlsOptions(command, registry);
  command.add_option("--user", registry.username, "etcd's user")
      ->envname("TURNOUT_ETCD_USER")
      ->type_name("NAME");
  command
      .add_option("--password-file", registry.password_file,
                  "File with the user's password (default: the password is in "
                  "TURNOUT_ETCD_PASSWORD)")
      ->envname("TURNOUT_ETCD_PASSWORD_FILE")
      ->type_name("FILE");
}

void TakePasswordFromEnvironment(RegistryOptions& registry) {
  if (registry.username.empty() || !registry.password_file.empty()) return;
  if (const char* password = std::getenv("TURNOUT_ETCD_PASSWORD")) registry.password = password;
}

std::string ConnectionFlags(const RegistryOptions& registry) {
  std::string flags;
  const auto add = [&flags](std::string_view name, std::string_view value) {
    if (!value.empty()) flags += fmt::format(" {} {}", name, value);
  };
  add("--etcd", fmt::format("{}", fmt::join(registry.endpoints, ",")));
  add("--prefix", registry.prefix);
  if (registry.tls.has_value()) {
    const TlsOptions& tls = *registry.tls;
    if (tls == TlsOptions()) flags += " --tls";
    add("--ca-file", tls.ca_file);
    add("--cert-file", tls.cert_file);
    add("--key-file", tls.key_file);
    add("--server-name", tls.server_name);
  }
  add("--user", registry.username);
  add("--password-file", registry.password_file);
  return flags;
}

}  // namespace turnout::cli
