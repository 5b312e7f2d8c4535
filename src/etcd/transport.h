// How the members of a cluster are reached: in plain text, or over TLS with files that may change.
#ifndef TURNOUT_SRC_ETCD_TRANSPORT_H_
#define TURNOUT_SRC_ETCD_TRANSPORT_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/etcd/tls_files.h"
#include "turnout/registry.h"

namespace grpc {
class Channel;
}

namespace turnout::etcd {

// Used on the event loop's thread; files are read, and connections tried, on others. Lives for
// ever, or as long as nothing is asked of it.
class Transport {
 public:
  // Reads the files, so that the first request need not wait for them.
  explicit Transport(std::optional<TlsOptions> tls);

  bool uses_tls() const { return tls_.has_value(); }
  // Why there is no connecting at all: the files cannot be used, and never could.
  const absl::Status& unusable() const { return unusable_; }
  // Rises when connections are to be made anew, with other files.
  int generation() const { return generation_; }
  // `unusable` is OK.
  std::shared_ptr<grpc::Channel> NewChannel(const std::string& endpoint) const;

  // Looks, soon, whether the files have changed, unless that was done lately. What cannot be used,
  // such as a key that does not belong to its certificate yet, is not: what there was stays.
  void LookAtFiles();

  // Finds out why `endpoint` cannot be talked to. `then` is called with what is wrong, or OK if
  // nothing is found.
  struct Finding {
    absl::Status fault;
    bool files_have_changed = false;  // so that another attempt is worth while
  };
  void Examine(const std::string& endpoint, std::function<void(const Finding&)> then);

  // Whom etcd takes us for by our certificate; empty: nobody.
  std::string CertifiedUser() const;

 private:
  using Clock = std::chrono::steady_clock;

  // Of the files, as they were read. True if they are others than before, and can be used.
  bool Take(const absl::StatusOr<TlsFiles>& read);

  const std::optional<TlsOptions> tls_;
  std::shared_ptr<const TlsFiles> files_;  // null: plain text, or unusable
  absl::Status unusable_, rejected_;       // rejected_: what was read last, after files_
  int generation_ = 0;
  bool looking_ = false;
  Clock::time_point looked_at_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_TRANSPORT_H_
