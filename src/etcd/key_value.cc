#include "src/etcd/key_value.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/etcd.pb.h"
#include "src/etcd/convert.h"

namespace turnout::etcd {
namespace {

constexpr char kRange[] = "/etcdserverpb.KV/Range";
constexpr char kPut[] = "/etcdserverpb.KV/Put";
constexpr char kDeleteRange[] = "/etcdserverpb.KV/DeleteRange";
constexpr char kTxn[] = "/etcdserverpb.KV/Txn";
constexpr char kLeaseGrant[] = "/etcdserverpb.Lease/LeaseGrant";
constexpr char kLeaseRevoke[] = "/etcdserverpb.Lease/LeaseRevoke";
constexpr char kLeaseTimeToLive[] = "/etcdserverpb.Lease/LeaseTimeToLive";

constexpr std::int64_t kPageSize = 1000;

void TakeKeyValues(etcdpb::RangeResponse& from, RangeResult& to) {
  for (etcdpb::KeyValue& kv : *from.mutable_kvs()) to.kvs.push_back(FromProto(std::move(kv)));
}

// What is wrong with an answer that etcd itself would not give; empty: nothing. Else revisions and
// pages without end could be made of it.
std::string FaultOf(const etcdpb::RangeRequest& request, const etcdpb::RangeResponse& response) {
  const Revision newest = response.header().revision();
  if (newest <= 0 || newest == std::numeric_limits<Revision>::max()) return "no such revision";
  if (request.limit() > 0 && response.kvs_size() > request.limit()) return "more than asked for";
  const std::string* least = &request.key();
  for (const etcdpb::KeyValue& kv : response.kvs()) {
    if (kv.key() < *least) return "keys out of order";
    if (kv.create_revision() <= 0 || kv.mod_revision() < kv.create_revision() ||
        kv.mod_revision() > newest) {
      return "revisions that cannot be";
    }
    least = &kv.key();
  }
  return "";
}

absl::Status Implausible(const std::string& fault) {
  return absl::InternalError(absl::StrCat("etcd Range: an answer with ", fault));
}

// One reading of a prefix: the first page sets the revision at which the others are read. etcd
// answers in the order of the keys; asking for that order would make it read all for each page.
class PagedRange : public std::enable_shared_from_this<PagedRange> {
 public:
  PagedRange(Caller& caller, std::string prefix, Callback<RangeResult> done, std::size_t most)
      : caller_(caller), done_(std::move(done)), most_(most) {
    request_.set_range_end(PrefixEnd(prefix));
    request_.set_key(PrefixBegin(std::move(prefix)));
  }

  void ReadPage() {
    request_.set_limit(most_ == 0 ? kPageSize : std::min(kPageSize, Left()));
    caller_.Call<etcdpb::RangeResponse>(
        kRange, request_, [self = shared_from_this()](absl::StatusOr<etcdpb::RangeResponse> page) {
          if (!page.ok()) return self->done_(page.status());
          const std::string fault = FaultOf(self->request_, *page);
          if (!fault.empty()) return self->done_(Implausible(fault));
          self->TakePage(*page);
        });
  }

 private:
  std::int64_t Left() const { return static_cast<std::int64_t>(most_ - result_.kvs.size()); }

  void TakePage(etcdpb::RangeResponse& page) {
    TakeKeyValues(page, result_);
    if (result_.revision == 0) result_.revision = page.header().revision();
    if (!page.more() || page.kvs().empty()) return done_(std::move(result_));
    if (most_ != 0 && result_.kvs.size() >= most_) {
      result_.more = true;
      return done_(std::move(result_));
    }
    request_.set_revision(result_.revision);
    request_.set_key(result_.kvs.back().key + '\0');  // the next possible key
    ReadPage();
  }

  Caller& caller_;
  etcdpb::RangeRequest request_;
  RangeResult result_;
  const Callback<RangeResult> done_;
  const std::size_t most_;
};

}  // namespace

void KeyValueRequests::RangePrefix(std::string prefix, Callback<RangeResult> done,
                                   std::size_t most) {
  std::make_shared<PagedRange>(caller_, std::move(prefix), std::move(done), most)->ReadPage();
}

void KeyValueRequests::Get(std::string key, Callback<RangeResult> done, Revision at) {
  etcdpb::RangeRequest request;
  request.set_revision(at);
  request.set_key(std::move(key));
  caller_.Call<etcdpb::RangeResponse>(
      kRange, request,
      [done = std::move(done), request](absl::StatusOr<etcdpb::RangeResponse> response) {
        if (!response.ok()) return done(response.status());
        const std::string fault = FaultOf(request, *response);
        if (!fault.empty()) return done(Implausible(fault));
        RangeResult result{.revision = response->header().revision(), .kvs = {}};
        TakeKeyValues(*response, result);
        done(std::move(result));
      });
}

void KeyValueRequests::Put(std::string key, std::string value, std::int64_t lease,
                           Callback<Revision> done) {
  etcdpb::PutRequest request;
  request.set_key(std::move(key));
  request.set_value(std::move(value));
  request.set_lease(lease);
  caller_.Call<etcdpb::PutResponse>(
      kPut, request, [done = std::move(done)](const absl::StatusOr<etcdpb::PutResponse>& response) {
        if (!response.ok()) return done(response.status());
        done(response->header().revision());
      });
}

void KeyValueRequests::Delete(std::string key, Callback<DeleteResult> done) {
  etcdpb::DeleteRangeRequest request;
  request.set_key(std::move(key));
  caller_.Call<etcdpb::DeleteRangeResponse>(
      kDeleteRange, request,
      [done = std::move(done)](const absl::StatusOr<etcdpb::DeleteRangeResponse>& response) {
        if (!response.ok()) return done(response.status());
        done(DeleteResult{.revision = response->header().revision(),
                          .deleted = response->deleted()});
      });
}

void KeyValueRequests::Commit(Txn txn, Callback<TxnResult> done) {
  caller_.Call<etcdpb::TxnResponse>(
      kTxn, ToProto(std::move(txn)),
      [done = std::move(done)](absl::StatusOr<etcdpb::TxnResponse> response) {
        if (!response.ok()) return done(response.status());
        done(FromProto(*std::move(response)));
      });
}

void KeyValueRequests::GrantLease(std::chrono::seconds ttl, Callback<std::int64_t> done) {
  etcdpb::LeaseGrantRequest request;
  request.set_ttl(ttl.count());
  caller_.Call<etcdpb::LeaseGrantResponse>(
      kLeaseGrant, request,
      [done = std::move(done)](const absl::StatusOr<etcdpb::LeaseGrantResponse>& response) {
        if (!response.ok()) return done(response.status());
        done(response->id());
      });
}

void KeyValueRequests::RevokeLease(std::int64_t lease, Callback<Revision> done) {
  etcdpb::LeaseRevokeRequest request;
  request.set_id(lease);
  caller_.Call<etcdpb::LeaseRevokeResponse>(
      kLeaseRevoke, request,
      [done = std::move(done)](const absl::StatusOr<etcdpb::LeaseRevokeResponse>& response) {
        if (!response.ok()) return done(response.status());
        done(response->header().revision());
      });
}

void KeyValueRequests::LookUpLease(std::int64_t lease, Callback<LeaseLife> done) {
  etcdpb::LeaseTimeToLiveRequest request;
  request.set_id(lease);
  request.set_keys(true);
  caller_.Call<etcdpb::LeaseTimeToLiveResponse>(
      kLeaseTimeToLive, request,
      [done = std::move(done)](const absl::StatusOr<etcdpb::LeaseTimeToLiveResponse>& response) {
        if (!response.ok()) return done(response.status());
        if (response->ttl() < 0) return done(absl::NotFoundError("etcd does not have the lease"));
        done(LeaseLife{.granted = std::chrono::seconds(response->granted_ttl()),
                       .left = std::chrono::seconds(response->ttl()),
                       .keys = {response->keys().begin(), response->keys().end()}});
      });
}

}  // namespace turnout::etcd
