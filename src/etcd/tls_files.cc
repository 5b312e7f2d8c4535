#include "src/etcd/tls_files.h"

#include <openssl/err.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/read_file.h"
#include "src/etcd/openssl.h"

namespace turnout::etcd {
namespace {

// Where systems keep the authorities that they trust, in one file.
constexpr const char* kSystemAuthorities[] = {"/etc/ssl/certs/ca-certificates.crt",
                                              "/etc/pki/tls/certs/ca-bundle.crt",
                                              "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

absl::StatusOr<std::string> ReadSystemAuthorities() {
  if (const char* named = std::getenv("SSL_CERT_FILE"); named != nullptr && *named != '\0') {
    return base::ReadFile(named);
  }
  for (const char* path : kSystemAuthorities) {
    if (auto content = base::ReadFile(path); content.ok()) return content;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("is not set, and the system has no authorities of its own (",
                   kSystemAuthorities[0], "): set it, or install the package ca-certificates"));
}

absl::Status Wrong(const char* field, std::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("tls.", field, ": ", std::string(what)));
}

absl::Status CheckCertificates(const char* field, const std::string& path, const std::string& pem) {
  const Certificates found = ParseCertificates(pem);
  if (!found.complete) return Wrong(field, path + " holds a damaged certificate");
  if (found.list.empty()) return Wrong(field, path + " holds no certificate in PEM");
  return absl::OkStatus();
}

absl::Status CheckPair(const TlsOptions& options, const TlsFiles& files) {
  absl::Status status = CheckCertificates("cert_file", options.cert_file, files.cert);
  if (!status.ok()) return status;
  const PrivateKey key = ParsePrivateKey(files.key);
  if (key == nullptr) {
    return Wrong("key_file", options.key_file +
                                 " holds no private key in PEM that can be read without a pass "
                                 "phrase");
  }
  const Certificates certificates = ParseCertificates(files.cert);
  const bool match = X509_check_private_key(certificates.list.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (match) return absl::OkStatus();
  return Wrong("key_file", absl::StrCat(options.key_file, " is not the key of the certificate in ",
                                        options.cert_file));
}

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const TlsOptions& options) {
  TlsFiles files;
  auto ca = options.ca_file.empty() ? ReadSystemAuthorities() : base::ReadFile(options.ca_file);
  if (!ca.ok()) return Wrong("ca_file", std::string{ca.status().message()});
  files.ca = *std::move(ca);
  if (options.cert_file.empty()) return files;

  auto cert = base::ReadFile(options.cert_file);
  if (!cert.ok()) return Wrong("cert_file", std::string{cert.status().message()});
  auto key = base::ReadFile(options.key_file);
  if (!key.ok()) return Wrong("key_file", std::string{key.status().message()});
  files.cert = *std::move(cert);
  files.key = *std::move(key);
  return files;
}

absl::Status CheckTlsFiles(const TlsOptions& options, const TlsFiles& files) {
  const std::string ca_file = options.ca_file.empty() ? "the system's bundle" : options.ca_file;
  absl::Status status = CheckCertificates("ca_file", ca_file, files.ca);
  if (!status.ok() || options.cert_file.empty()) return status;
  return CheckPair(options, files);
}

std::string CommonName(const std::string& cert) {
  const Certificates found = ParseCertificates(cert);
  if (found.list.empty()) return {};
  X509_NAME* const subject = X509_get_subject_name(found.list.front().get());
  char name[256];
  const int size = X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof name);
  return size > 0 ? std::string(name) : std::string();
}

}  // namespace turnout::etcd
