#include "src/etcd/probe.h"

#include <openssl/x509v3.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/etcd/handshake.h"
#include "src/etcd/openssl.h"
#include "src/etcd/tcp_connection.h"

namespace turnout::etcd {
namespace {

using Clock = TcpConnection::Clock;

// What an HTTP/2 client begins with: the preface and an empty SETTINGS frame.
constexpr std::string_view kHttp2Preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
constexpr std::size_t kFrameHeaderSize = 9;

bool SpeaksPlainHttp2(const std::string& endpoint, Clock::time_point deadline) {
  const TcpConnection connection(endpoint, deadline);
  if (!connection.connected() || !connection.Send(kHttp2Preface)) return false;
  const std::string header = connection.Receive(kFrameHeaderSize);
  return header.size() == kFrameHeaderSize && header[3] == 4;  // a SETTINGS frame, too
}

// What somebody else's certificate says, made harmless for logs.
std::string Shown(const std::string& text) {
  constexpr std::size_t kMost = 200;
  return absl::CHexEscape(text.size() <= kMost ? text : text.substr(0, kMost) + "...");
}

// What a certificate is for: "DNS:etcd-1, IP Address:10.0.0.1", or its subject.
std::string NamesOf(X509* certificate) {
  using Names = std::unique_ptr<GENERAL_NAMES, Freeing<GENERAL_NAMES_free>>;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const Bio writer(BIO_new(BIO_s_mem()));
    GENERAL_NAME_print(writer.get(), sk_GENERAL_NAME_value(names.get(), i));
    char* data = nullptr;
    const auto size = BIO_get_mem_data(writer.get(), &data);
    texts.emplace_back(data, static_cast<std::size_t>(size));
  }
  if (texts.empty()) return Shown(ToText(X509_get_subject_name(certificate)));
  return Shown(absl::StrJoin(texts, ", "));
}

bool HasExpired(const X509* certificate) {
  return X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

std::string Which(const Handshake::Rejection& rejection) {
  if (rejection.depth == 0) return "its certificate";
  return absl::StrCat("the certificate of an authority above its own, ",
                      Shown(ToText(X509_get_subject_name(rejection.certificate.get()))), ",");
}

std::string ExplainUnknownAuthority(const TlsOptions& options,
                                    const Handshake::Rejection& rejection) {
  const std::string place = options.ca_file.empty() ? "that this system trusts (ca_file is not set)"
                                                    : absl::StrCat("in ca_file ", options.ca_file);
  return absl::StrCat(
      "its certificate is not signed by the authorities ", place, " (",
      X509_verify_cert_error_string(rejection.error), "; it was issued by ",
      Shown(ToText(X509_get_issuer_name(rejection.certificate.get()))),
      "): let ca_file (TURNOUT_ETCD_CA_FILE) name the certificate of the authority that signed it");
}

std::string ExplainRejection(const TlsOptions& options, const std::string& name,
                             const Handshake::Rejection& rejection) {
  X509* const certificate = rejection.certificate.get();
  switch (rejection.error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return ExplainUnknownAuthority(options, rejection);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat(Which(rejection), " has expired (",
                          ToText(X509_get0_notAfter(certificate)), "): give etcd a new one");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat(Which(rejection), " is not valid before ",
                          ToText(X509_get0_notBefore(certificate)),
                          ": look at the clocks of both machines");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return absl::StrCat("its certificate is for ", NamesOf(certificate), ", not for ", name,
                          ": let server_name (TURNOUT_ETCD_SERVER_NAME) be a name that it bears, "
                          "or give etcd one that bears this name");
    default:
      return absl::StrCat(Which(rejection),
                          " is refused: ", X509_verify_cert_error_string(rejection.error));
  }
}

// Those that speak of a client's certificate; Go's etcd says bad_certificate also for none at all.
bool ConcernsOurCertificate(int alert) {
  return alert == SSL_AD_CERTIFICATE_REQUIRED || alert == SSL_AD_UNKNOWN_CA ||
         alert == SSL_AD_ACCESS_DENIED ||
         (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN);
}

std::string ExplainAlert(const TlsOptions& options, const TlsFiles& files, int alert) {
  const std::string says = absl::StrCat("\"", SSL_alert_desc_string_long(alert), "\"");
  if (!ConcernsOurCertificate(alert)) {
    return absl::StrCat("it ends the TLS handshake: ", says);
  }
  if (files.cert.empty()) {
    return absl::StrCat("it wants a client certificate (", says,
                        "): set cert_file and key_file (TURNOUT_ETCD_CERT_FILE, "
                        "TURNOUT_ETCD_KEY_FILE)");
  }
  const Certificates ours = ParseCertificates(files.cert);
  const X509* const first = ours.list.front().get();
  if (HasExpired(first)) {
    return absl::StrCat("it refuses our client certificate ", options.cert_file,
                        ", which has expired (", ToText(X509_get0_notAfter(first)),
                        "): put a new one there");
  }
  return absl::StrCat("it refuses our client certificate ", options.cert_file, " (", says,
                      "): the certificate must be signed by an authority in etcd's "
                      "--trusted-ca-file, which must be permitted to sign for clients; this one "
                      "was issued by ",
                      Shown(ToText(X509_get_issuer_name(first))));
}

absl::Status Unavailable(const std::string& what) { return absl::UnavailableError(what); }

}  // namespace

absl::Status ProbePlain(const std::string& endpoint, std::chrono::milliseconds timeout) {
  Handshake handshake(endpoint, Clock::now() + timeout);
  const Handshake::Outcome outcome = handshake.Run();
  if (outcome != Handshake::Outcome::kWorks && outcome != Handshake::Outcome::kAlert) {
    return absl::OkStatus();
  }
  return Unavailable(
      "it speaks TLS, and we plain text: set tls (TURNOUT_ETCD_TLS=1, or TURNOUT_ETCD_CA_FILE)");
}

absl::Status ProbeTls(const std::string& endpoint, const TlsOptions& options, const TlsFiles& files,
                      std::chrono::milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  const std::string name = options.server_name.empty() ? HostOf(endpoint) : options.server_name;
  Handshake handshake(endpoint, end - timeout / 2);
  handshake.Verify(files, name);
  switch (handshake.Run()) {
    case Handshake::Outcome::kWorks:
      return absl::OkStatus();
    case Handshake::Outcome::kAlert:
      return Unavailable(ExplainAlert(options, files, handshake.alert()));
    case Handshake::Outcome::kCertificate:
      return Unavailable(ExplainRejection(options, name, handshake.rejection()));
    case Handshake::Outcome::kNotTls:
    case Handshake::Outcome::kSilent:
      break;
  }
  if (!SpeaksPlainHttp2(endpoint, end)) return absl::OkStatus();
  return Unavailable(
      "it speaks plain text, and we TLS: unset tls (and the TURNOUT_ETCD_ variables about TLS), or "
      "let etcd listen on https:// client URLs");
}

}  // namespace turnout::etcd
