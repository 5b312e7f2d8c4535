#include "src/etcd/handshake.h"

#include <openssl/err.h>

#include <cstddef>

namespace turnout::etcd {
namespace {

constexpr unsigned char kAlpnHttp2[] = {2, 'h', '2'};

TlsContext NewContext() {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_protos(context.get(), kAlpnHttp2, sizeof kAlpnHttp2);
  return context;
}

void Trust(SSL_CTX* context, const std::string& authorities) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const Certificate& authority : ParseCertificates(authorities).list) {
    X509_STORE_add_cert(store, authority.get());
  }
  // As gRPC does: an intermediate authority that is trusted needs no root above it.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
}

void Show(SSL* session, const TlsFiles& files) {
  const Certificates chain = ParseCertificates(files.cert);
  if (chain.list.empty()) return;
  SSL_use_certificate(session, chain.list.front().get());
  for (std::size_t i = 1; i < chain.list.size(); ++i) {
    SSL_add1_chain_cert(session, chain.list[i].get());
  }
  SSL_use_PrivateKey(session, ParsePrivateKey(files.key).get());
}

void Expect(SSL* session, const std::string& name) {
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name.c_str()) == 1) return;
  SSL_set1_host(session, name.c_str());
  SSL_set_tlsext_host_name(session, name.c_str());
}

}  // namespace

Handshake::Handshake(const std::string& endpoint, TcpConnection::Clock::time_point deadline)
    : connection_(endpoint, deadline), context_(NewContext()), session_(SSL_new(context_.get())) {
  SSL_set_app_data(session_.get(), this);
}

void Handshake::Verify(const TlsFiles& files, const std::string& name) {
  Trust(context_.get(), files.ca);
  Show(session_.get(), files);
  Expect(session_.get(), name);
  SSL_set_verify(session_.get(), SSL_VERIFY_PEER, &Handshake::OnVerified);
}

// Called for each certificate; the first that is refused ends the handshake.
int Handshake::OnVerified(int ok, X509_STORE_CTX* verification) {
  if (ok == 1) return 1;
  const auto* const session = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Rejection& rejection = static_cast<Handshake*>(SSL_get_app_data(session))->rejection_;
  X509* const certificate = X509_STORE_CTX_get_current_cert(verification);
  if (certificate != nullptr) X509_up_ref(certificate);
  rejection.certificate.reset(certificate);
  rejection.error = X509_STORE_CTX_get_error(verification);
  rejection.depth = X509_STORE_CTX_get_error_depth(verification);
  return 0;
}

Handshake::Outcome Handshake::Run() {
  if (!connection_.connected()) return Outcome::kSilent;
  SSL_set_fd(session_.get(), connection_.socket());
  // A client's certificate may be refused only after its own handshake is over.
  char first = 0;
  if (Complete([&] { return SSL_connect(session_.get()); }) &&
      Complete([&] { return SSL_read(session_.get(), &first, 1); })) {
    return Outcome::kWorks;
  }
  return WhatWentWrong();
}

template <typename Step>
bool Handshake::Complete(const Step& step) {
  while (true) {
    ERR_clear_error();
    const int result = step();
    if (result == 1) return true;
    const int wanted = SSL_get_error(session_.get(), result);
    if (wanted == SSL_ERROR_WANT_READ && connection_.AwaitReadable()) continue;
    if (wanted == SSL_ERROR_WANT_WRITE && connection_.AwaitWritable()) continue;
    error_ = wanted == SSL_ERROR_SSL ? ERR_peek_error() : 0;
    ERR_clear_error();
    return false;
  }
}

Handshake::Outcome Handshake::WhatWentWrong() {
  const int reason = ERR_GET_LIB(error_) == ERR_LIB_SSL ? ERR_GET_REASON(error_) : 0;
  if (rejection_.error != X509_V_OK) return Outcome::kCertificate;
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
      reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
    return Outcome::kNotTls;
  }
  if (reason > SSL_AD_REASON_OFFSET) {
    alert_ = reason - SSL_AD_REASON_OFFSET;
    return Outcome::kAlert;
  }
  return Outcome::kSilent;
}

}  // namespace turnout::etcd
