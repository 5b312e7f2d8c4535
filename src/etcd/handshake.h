// One attempt at a TLS connection, to see how far it goes. Blocks.
#ifndef TURNOUT_SRC_ETCD_HANDSHAKE_H_
#define TURNOUT_SRC_ETCD_HANDSHAKE_H_

#include <string>

#include "src/etcd/openssl.h"
#include "src/etcd/tcp_connection.h"
#include "src/etcd/tls_files.h"

namespace turnout::etcd {

class Handshake {
 public:
  enum class Outcome {
    kWorks,        // and the server has begun to speak
    kAlert,        // the server refuses us: alert()
    kCertificate,  // we refuse the server's certificate: rejection()
    kNotTls,       // something else was answered
    kSilent,       // nothing was, or the connection ended before
  };

  // Which certificate was refused, and why: the server's own (depth 0), or an authority's above it.
  struct Rejection {
    long error = X509_V_OK;
    int depth = 0;
    Certificate certificate;
  };

  Handshake(const std::string& endpoint, TcpConnection::Clock::time_point deadline);

  // Takes what gRPC would take: certificates for `name` under the authorities in `files`, which
  // have been checked; and shows the client certificate in them. Without this, any certificate.
  void Verify(const TlsFiles& files, const std::string& name);

  Outcome Run();

  int alert() const { return alert_; }
  const Rejection& rejection() const { return rejection_; }

 private:
  static int OnVerified(int ok, X509_STORE_CTX* verification);

  template <typename Step>
  bool Complete(const Step& step);
  Outcome WhatWentWrong();

  const TcpConnection connection_;
  const TlsContext context_;
  TlsSession session_;
  unsigned long error_ = 0;  // OpenSSL's
  int alert_ = 0;
  Rejection rejection_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_HANDSHAKE_H_
