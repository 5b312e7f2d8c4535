// What OpenSSL hands out, owned; and its times and names as text.
#ifndef TURNOUT_SRC_ETCD_OPENSSL_H_
#define TURNOUT_SRC_ETCD_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace turnout::etcd {

// Lets OpenSSL not clean up when the process exits, as our threads and gRPC's may still be using it
// then. To be called before anything else of it is.
void KeepOpenSslUntilTheEnd();

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Bio = std::unique_ptr<BIO, Freeing<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using TlsContext = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using TlsSession = std::unique_ptr<SSL, Freeing<SSL_free>>;

// The certificates in a PEM text up to the first that is damaged; `complete`: none is.
struct Certificates {
  std::vector<Certificate> list;
  bool complete = true;
};
Certificates ParseCertificates(const std::string& pem);

// Null if it is damaged, or encrypted: nobody is asked for a pass phrase.
PrivateKey ParsePrivateKey(const std::string& pem);

std::string ToText(const ASN1_TIME* time);  // "Jan  2 15:04:05 2026 GMT"
std::string ToText(const X509_NAME* name);  // "CN=etcd-ca,O=…"

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_OPENSSL_H_
