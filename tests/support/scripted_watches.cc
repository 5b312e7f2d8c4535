#include "tests/support/scripted_watches.h"

#include <algorithm>
#include <utility>

namespace turnout::testing {
namespace {

// A watch that lags further behind is told everything in one response, as etcd does.
constexpr std::size_t kMostLag = 128;

}  // namespace

etcdpb::WatchResponse ScriptedWatches::Response(std::int64_t id) const {
  etcdpb::WatchResponse response;
  *response.mutable_header() = store_.Header();
  response.set_watch_id(id);
  return response;
}

void ScriptedWatches::Send(Call& stream, const etcdpb::WatchResponse& response) {
  stream.Send(encode_(response));
  if (responses_left != kMany && --responses_left == 0) BreakAll();
}

void ScriptedWatches::OnRequest(Call& stream, const etcdpb::WatchRequest& request) {
  if (request.has_create_request()) {
    Create(stream, request.create_request());
  } else if (request.has_cancel_request()) {
    const std::int64_t id = request.cancel_request().watch_id();
    if (streams_[&stream].erase(id) == 0) return;
    etcdpb::WatchResponse response = Response(id);
    response.set_canceled(true);
    Send(stream, response);
  } else {
    Send(stream, Response(-1));
  }
}

void ScriptedWatches::Create(Call& stream, const etcdpb::WatchCreateRequest& request) {
  etcdpb::WatchResponse response = Response(request.watch_id());
  response.set_created(true);
  for (const auto& [prefix, reason] : refused) {
    if (!request.key().starts_with(prefix)) continue;
    response.set_watch_id(-1);
    response.set_canceled(true);
    response.set_cancel_reason(reason);
    return Send(stream, response);
  }
  Send(stream, response);
  const std::int64_t start =
      request.start_revision() > 0 ? request.start_revision() : store_.revision() + 1;
  if (start < store_.compacted()) {
    response.set_created(false);
    response.set_canceled(true);
    response.set_compact_revision(store_.compacted());
    return Send(stream, response);
  }
  streams_[&stream][request.watch_id()] = {
      .begin = request.key(), .end = request.range_end(), .next = store_.FirstOf(start)};
  Continue(stream);
}

void ScriptedWatches::Continue() {
  for (auto& [stream, watches] : streams_) Continue(*stream);
}

void ScriptedWatches::Continue(Call& stream) {
  const auto found = streams_.find(&stream);
  if (found == streams_.end() || stream.has_unsent()) return;
  const auto watch = MostBehind(found->second);
  if (watch != found->second.end()) Tell(stream, watch->first, watch->second);
}

// The one whose next change is the oldest; none if all have been told everything.
ScriptedWatches::Watches::iterator ScriptedWatches::MostBehind(Watches& watches) const {
  const auto& changes = store_.changes();
  auto most = watches.end();
  for (auto entry = watches.begin(); entry != watches.end(); ++entry) {
    Watch& watch = entry->second;
    while (watch.next < changes.size() &&
           !InRange(changes[watch.next].kv().key(), watch.begin, watch.end)) {
      ++watch.next;
    }
    if (watch.next >= changes.size() || Holds(watch)) continue;
    if (most == watches.end() || watch.next < most->second.next) most = entry;
  }
  return most;
}

// The next revision that concerns the watch.
void ScriptedWatches::Tell(Call& stream, std::int64_t id, Watch& watch) {
  const auto& changes = store_.changes();
  const bool all = changes.size() - watch.next > kMostLag;
  const std::int64_t revision = changes[watch.next].kv().mod_revision();
  etcdpb::WatchResponse response = Response(id);
  for (; watch.next < changes.size(); ++watch.next) {
    const etcdpb::Event& change = changes[watch.next];
    if (!all && change.kv().mod_revision() != revision) break;
    if (InRange(change.kv().key(), watch.begin, watch.end)) *response.add_events() = change;
  }
  SendInParts(stream, std::move(response));
}

void ScriptedWatches::SendInParts(Call& stream, etcdpb::WatchResponse response) {
  const auto most = static_cast<int>(events_per_part);
  while (most > 0 && response.events_size() > most) {
    etcdpb::WatchResponse part = response;
    part.set_fragment(true);
    part.mutable_events()->DeleteSubrange(most, part.events_size() - most);
    Send(stream, part);
    response.mutable_events()->DeleteSubrange(0, most);
  }
  Send(stream, response);
}

void ScriptedWatches::Cancel(const std::string& prefix, const std::string& reason) {
  for (auto& [stream, watches] : streams_) {
    std::erase_if(watches, [&, to = stream](const auto& entry) {
      if (!entry.second.begin.starts_with(prefix)) return false;
      etcdpb::WatchResponse response = Response(entry.first);
      response.set_canceled(true);
      response.set_cancel_reason(reason);
      Send(*to, response);
      return true;
    });
  }
}

void ScriptedWatches::SendToAll(const std::string& message) {
  for (auto& [stream, watches] : streams_) stream->Send(message);
}

void ScriptedWatches::BreakAll() {
  responses_left = kMany;
  for (auto& [stream, watches] : streams_) {
    stream->Finish({grpc::StatusCode::UNAVAILABLE, "the script wants it so"});
  }
}

std::size_t ScriptedWatches::size() const {
  std::size_t count = 0;
  for (const auto& [stream, watches] : streams_) count += watches.size();
  return count;
}

bool ScriptedWatches::Holds(const Watch& watch) const {
  return std::any_of(held.begin(), held.end(),
                     [&](const std::string& prefix) { return watch.begin.starts_with(prefix); });
}

}  // namespace turnout::testing
