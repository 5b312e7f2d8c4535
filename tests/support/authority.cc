#include "tests/support/authority.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace turnout::testing {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

Key NewKey() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

template <typename Write>
std::string ToPem(const Write& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  if (write(bio.get()) != 1) std::abort();
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string ToPem(EVP_PKEY* key) {
  return ToPem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}
std::string ToPem(X509* certificate) {
  return ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

void SetName(X509_NAME* name, const std::string& common_name) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(common_name.data());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, static_cast<int>(common_name.size()),
                             -1, 0);
}

void Extend(X509* certificate, int nid, const std::string& value) {
  using Extension = std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)>;
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()),
                            &X509_EXTENSION_free);
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) std::abort();
}

X509Ptr NewCertificate(const CertificateRequest& request, const std::string& issuer,
                       EVP_PKEY* key) {
  static long serial = 0;
  X509Ptr certificate(X509_new(), &X509_free);
  X509* const x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  const auto seconds = [](std::chrono::hours hours) {
    return static_cast<long>(std::chrono::seconds(hours).count());
  };
  X509_gmtime_adj(X509_getm_notBefore(x509), seconds(request.valid_from));
  X509_gmtime_adj(X509_getm_notAfter(x509), seconds(request.valid_from + request.valid_for));
  SetName(X509_get_subject_name(x509), request.common_name);
  SetName(X509_get_issuer_name(x509), issuer);
  X509_set_pubkey(x509, key);
  return certificate;
}

}  // namespace

Authority::Authority(const std::string& name) : name_(name), key_(NewKey()) {
  const X509Ptr certificate = NewCertificate({.common_name = name, .names = {}}, name, key_.get());
  Extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  Extend(certificate.get(), NID_key_usage, "critical,keyCertSign");
  X509_sign(certificate.get(), key_.get(), EVP_sha256());
  certificate_ = ToPem(certificate.get());
}

KeyAndCertificate Authority::Issue(const CertificateRequest& request) const {
  const Key key = NewKey();
  const X509Ptr certificate = NewCertificate(request, name_, key.get());
  Extend(certificate.get(), NID_basic_constraints, "CA:FALSE");
  Extend(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  std::string names;
  for (const std::string& name : request.names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) Extend(certificate.get(), NID_subject_alt_name, names);
  X509_sign(certificate.get(), key_.get(), EVP_sha256());
  return {ToPem(key.get()), ToPem(certificate.get())};
}

void WriteFile(const std::string& path, const std::string& content) {
  const std::string next = path + ".next";
  std::ofstream(next, std::ios::binary | std::ios::trunc) << content;
  std::filesystem::rename(next, path);
}

}  // namespace turnout::testing
