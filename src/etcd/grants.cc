#include "src/etcd/grants.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace turnout::etcd {
namespace {

std::string Folder(const std::string& key) { return key.substr(0, key.rfind('/') + 1); }

// Permission to write includes that to read.
void Add(std::vector<Grant>& grants, bool write, std::string prefix) {
  const auto same = std::find_if(grants.begin(), grants.end(),
                                 [&](const Grant& g) { return g.prefix == prefix; });
  if (same == grants.end()) {
    grants.push_back({write, std::move(prefix)});
  } else {
    same->write = same->write || write;
  }
}

void Add(std::vector<Grant>& grants, const etcdpb::RequestOp& operation) {
  if (operation.has_request_range()) {
    Add(grants, false, Folder(operation.request_range().key()));
  } else if (operation.has_request_put()) {
    Add(grants, true, Folder(operation.request_put().key()));
  } else if (operation.has_request_delete_range()) {
    Add(grants, true, Folder(operation.request_delete_range().key()));
  }
}

}  // namespace

std::vector<Grant> GrantsFor(const etcdpb::RangeRequest& request) {
  return {{false, request.range_end().empty() ? Folder(request.key()) : request.key()}};
}

std::vector<Grant> GrantsFor(const etcdpb::PutRequest& request) {
  return {{true, Folder(request.key())}};
}

std::vector<Grant> GrantsFor(const etcdpb::DeleteRangeRequest& request) {
  return {{true, Folder(request.key())}};
}

std::vector<Grant> GrantsFor(const etcdpb::TxnRequest& request) {
  std::vector<Grant> grants;
  for (const auto& compare : request.compare()) Add(grants, false, Folder(compare.key()));
  for (const auto& operation : request.success()) Add(grants, operation);
  for (const auto& operation : request.failure()) Add(grants, operation);
  return grants;
}

std::string ToText(const std::vector<Grant>& grants) {
  std::string text;
  for (const Grant& grant : grants) {
    absl::StrAppend(&text, text.empty() ? "" : " and ", "`etcdctl role grant-permission ROLE ",
                    grant.write ? "readwrite" : "read", " --prefix ",
                    absl::CHexEscape(grant.prefix), "`");
  }
  return text;
}

}  // namespace turnout::etcd
