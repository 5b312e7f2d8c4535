// A certificate authority of a test's own: certificates that are good, expired, or for somebody
// else. Keys are new each time, and protect nothing.
#ifndef TURNOUT_TESTS_SUPPORT_AUTHORITY_H_
#define TURNOUT_TESTS_SUPPORT_AUTHORITY_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace turnout::testing {

struct CertificateRequest {
  std::string common_name = "test";
  std::vector<std::string> names = {"IP:127.0.0.1"};  // also "DNS:etcd.test"
  std::chrono::hours valid_from{-24};                 // from now
  std::chrono::hours valid_for{48};
};

struct KeyAndCertificate {
  std::string key;  // PEM
  std::string certificate;
};

class Authority {
 public:
  explicit Authority(const std::string& name);

  const std::string& certificate() const { return certificate_; }  // PEM, its own

  // For servers and for clients.
  KeyAndCertificate Issue(const CertificateRequest& request = {}) const;

 private:
  const std::string name_;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::string certificate_;
};

// Replaced in one step, so that no reader finds half of it.
void WriteFile(const std::string& path, const std::string& content);

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_AUTHORITY_H_
