#include "src/etcd/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>

namespace turnout::etcd {
namespace {

// Takes the place of OpenSSL's own, which asks at the terminal.
int NoPassPhrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*unused*/) { return -1; }

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string Taken(BIO& written) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(&written, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

void KeepOpenSslUntilTheEnd() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

Certificates ParseCertificates(const std::string& pem) {
  Certificates found;
  const Bio reader = Reader(pem);
  while (true) {
    ERR_clear_error();
    Certificate next(PEM_read_bio_X509(reader.get(), nullptr, NoPassPhrase, nullptr));
    if (next == nullptr) break;
    found.list.push_back(std::move(next));
  }
  // At the end of a text there is one thing wrong: that nothing begins.
  found.complete = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return found;
}

PrivateKey ParsePrivateKey(const std::string& pem) {
  const Bio reader = Reader(pem);
  PrivateKey key(PEM_read_bio_PrivateKey(reader.get(), nullptr, NoPassPhrase, nullptr));
  ERR_clear_error();
  return key;
}

std::string ToText(const ASN1_TIME* time) {
  const Bio writer(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(writer.get(), time);
  return Taken(*writer);
}

std::string ToText(const X509_NAME* name) {
  const Bio writer(BIO_new(BIO_s_mem()));
  // RFC 2253, which escapes whatever is not printable ASCII.
  X509_NAME_print_ex(writer.get(), name, 0, XN_FLAG_RFC2253);
  return Taken(*writer);
}

}  // namespace turnout::etcd
