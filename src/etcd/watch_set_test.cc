#include "src/etcd/watch_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace turnout::etcd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kClusterId = 77;

// Writes down in one list what the set asks of its host and tells its observers.
class WatchSetTest : public ::testing::Test, private WatchSet::Host {
 protected:
  class Observer final : public Client::WatchObserver {
   public:
    Observer(std::vector<std::string>& log, std::string name) : log_(log), name_(std::move(name)) {}
    void OnEvents(std::vector<Event> events, Revision revision) override {
      std::string line = absl::StrCat(name_, " events to ", revision, ":");
      for (const Event& event : events) absl::StrAppend(&line, " ", event.kv.key);
      log_.push_back(line);
    }
    void OnCompacted(Revision revision) override {
      log_.push_back(absl::StrCat(name_, " compacted ", revision));
    }
    void OnInterrupted(const absl::Status& why) override {
      log_.push_back(absl::StrCat(name_, " interrupted: ", why.message()));
    }
    void OnResumed() override { log_.push_back(name_ + " resumed"); }

   private:
    std::vector<std::string>& log_;
    const std::string name_;
  };

  void Send(etcdpb::WatchRequest request) override {
    if (request.has_create_request()) {
      const auto& create = request.create_request();
      EXPECT_TRUE(create.fragment());
      log_.push_back(absl::StrCat("create ", create.watch_id(), " ", create.key(), " to ",
                                  create.range_end(), " from ", create.start_revision()));
    } else {
      log_.push_back(absl::StrCat("cancel ", request.cancel_request().watch_id()));
    }
  }
  void RetryLater() override { log_.push_back("retry later"); }
  void AskWhyRefused(WatchSet::Id id, const std::string& prefix, const absl::Status& why) override {
    if (know_why_refused_) return set_.OnRefused(id, why);
    log_.push_back("refused: " + prefix);
  }
  void AskNewestRevision(WatchSet::Id id, const std::string& key) override {
    log_.push_back(absl::StrCat("ask for ", id, " at ", key));
  }

  static etcdpb::WatchResponse Response(WatchSet::Id id, Revision header_revision) {
    etcdpb::WatchResponse response;
    response.mutable_header()->set_cluster_id(kClusterId);
    response.mutable_header()->set_revision(header_revision);
    response.set_watch_id(id);
    return response;
  }
  static etcdpb::WatchResponse Created(WatchSet::Id id, Revision header_revision) {
    etcdpb::WatchResponse response = Response(id, header_revision);
    response.set_created(true);
    return response;
  }
  static etcdpb::WatchResponse Canceled(WatchSet::Id id, const std::string& reason) {
    etcdpb::WatchResponse response = Response(id, 1);
    response.set_canceled(true);
    response.set_cancel_reason(reason);
    return response;
  }
  static etcdpb::WatchResponse Events(WatchSet::Id id,
                                      const std::vector<std::pair<std::string, Revision>>& events) {
    etcdpb::WatchResponse response = Response(id, events.back().second);
    for (const auto& [key, revision] : events) {
      etcdpb::KeyValue& kv = *response.add_events()->mutable_kv();
      kv.set_key(key);
      kv.set_mod_revision(revision);
    }
    return response;
  }

  // What has been written since the last time.
  std::vector<std::string> Log() { return std::exchange(log_, {}); }

  // A watch of /a/ from revision 10 that runs, with an empty log.
  WatchSet::Id RunningWatch() {
    set_.OnStreamOpened();
    const WatchSet::Id id = set_.Add("/a/", 10, &a_);
    set_.OnResponse(Created(id, 9));
    Log();
    return id;
  }

  std::vector<std::string> log_;
  Observer a_{log_, "a"}, b_{log_, "b"};
  WatchSet set_{*this};
  bool know_why_refused_ = true;
};

TEST_F(WatchSetTest, CreatesWatchesOnceTheStreamIsOpen) {
  set_.Add("/a/", 10, &a_);
  EXPECT_THAT(Log(), IsEmpty());
  set_.OnStreamOpened();
  EXPECT_THAT(Log(), ElementsAre("create 1 /a/ to /a0 from 10"));
  set_.Add("/b/", 20, &b_);
  EXPECT_THAT(Log(), ElementsAre("create 2 /b/ to /b0 from 20"));
  set_.OnResponse(Created(1, 30));
  set_.OnResponse(Created(2, 30));
  EXPECT_THAT(Log(), ElementsAre("a resumed", "b resumed"));
}

TEST_F(WatchSetTest, DeliversEventsToTheirWatch) {
  RunningWatch();
  set_.Add("/b/", 10, &b_);
  set_.OnResponse(Created(2, 9));
  Log();
  set_.OnResponse(Events(2, {{"/b/1", 10}}));
  set_.OnResponse(Events(1, {{"/a/1", 11}, {"/a/2", 11}, {"/a/1", 12}}));
  EXPECT_THAT(Log(), ElementsAre("b events to 10: /b/1", "a events to 12: /a/1 /a/2 /a/1"));
}

TEST_F(WatchSetTest, JoinsTheFragmentsOfAResponse) {
  RunningWatch();
  set_.Add("/b/", 10, &b_);
  set_.OnResponse(Created(2, 9));
  Log();
  etcdpb::WatchResponse first = Events(1, {{"/a/1", 10}});
  first.set_fragment(true);
  set_.OnResponse(first);
  set_.OnResponse(Events(2, {{"/b/1", 11}}));
  set_.OnResponse(Events(1, {{"/a/2", 10}}));
  EXPECT_THAT(Log(), ElementsAre("b events to 11: /b/1", "a events to 10: /a/1 /a/2"));
}

TEST_F(WatchSetTest, ContinuesBehindTheLastDeliveredRevision) {
  RunningWatch();
  set_.OnResponse(Events(1, {{"/a/1", 15}}));
  etcdpb::WatchResponse half = Events(1, {{"/a/lost", 16}});
  half.set_fragment(true);
  set_.OnResponse(half);
  Log();
  set_.OnStreamBroken(absl::UnavailableError("gone"));
  set_.OnStreamBroken(absl::UnavailableError("still gone"));
  EXPECT_THAT(Log(), ElementsAre("a interrupted: gone"));
  set_.OnStreamOpened();
  set_.OnResponse(Created(1, 16));
  set_.OnResponse(Events(1, {{"/a/2", 16}}));
  EXPECT_THAT(Log(),
              ElementsAre("create 1 /a/ to /a0 from 16", "a resumed", "a events to 16: /a/2"));
  set_.OnStreamBroken(absl::UnavailableError("again"));
  EXPECT_THAT(Log(), ElementsAre("a interrupted: again"));
}

TEST_F(WatchSetTest, ProgressNeverMovesTheRevision) {
  RunningWatch();
  set_.OnResponse(Response(-1, 100));
  set_.OnResponse(Response(1, 100));
  set_.OnStreamBroken(absl::UnavailableError("gone"));
  Log();
  set_.OnStreamOpened();
  EXPECT_THAT(Log(), ElementsAre("create 1 /a/ to /a0 from 10"));
}

TEST_F(WatchSetTest, ACompactedWatchEnds) {
  RunningWatch();
  etcdpb::WatchResponse response = Canceled(1, "");
  response.set_compact_revision(50);
  set_.OnResponse(response);
  EXPECT_THAT(Log(), ElementsAre("a compacted 50"));
  EXPECT_TRUE(set_.empty());
}

TEST_F(WatchSetTest, ARefusedCreationIsTheOldestOneThatWaits) {
  set_.Add("/a/", 10, &a_);
  set_.Add("/b/", 10, &b_);
  set_.OnStreamOpened();
  Log();
  etcdpb::WatchResponse refused = Canceled(-1, "permission denied");
  refused.set_created(true);
  set_.OnResponse(refused);
  set_.OnResponse(Created(2, 9));
  EXPECT_THAT(Log(), ElementsAre("retry later",
                                 "a interrupted: etcd refuses to watch /a/: permission denied",
                                 "b resumed"));
  set_.CreateMissing();
  set_.OnResponse(refused);
  EXPECT_THAT(Log(), ElementsAre("create 1 /a/ to /a0 from 10", "retry later"));
  set_.CreateMissing();
  set_.OnResponse(Created(1, 9));
  EXPECT_THAT(Log(), ElementsAre("create 1 /a/ to /a0 from 10", "a resumed"));
}

TEST_F(WatchSetTest, AWatchThatEtcdCancelsIsAskedForAgain) {
  RunningWatch();
  set_.OnResponse(Canceled(1, "no leader"));
  EXPECT_THAT(Log(),
              ElementsAre("retry later", "a interrupted: etcd refuses to watch /a/: no leader"));
  set_.CreateMissing();
  set_.CreateMissing();
  EXPECT_THAT(Log(), ElementsAre("create 1 /a/ to /a0 from 10"));
}

TEST_F(WatchSetTest, ARemovedWatchIsCancelledAndSilent) {
  RunningWatch();
  set_.Remove(1);
  set_.OnResponse(Events(1, {{"/a/1", 10}}));
  set_.OnResponse(Canceled(1, ""));
  EXPECT_THAT(Log(), ElementsAre("cancel 1"));
  set_.OnStreamBroken(absl::UnavailableError("gone"));
  set_.Remove(1);
  EXPECT_THAT(Log(), IsEmpty());
}

TEST_F(WatchSetTest, ALowerRevisionPromptsAQuestionToTheCluster) {
  set_.OnStreamOpened();
  set_.Add("/a/", 10, &a_);
  set_.OnResponse(Created(1, 8));
  EXPECT_THAT(Log(), ElementsAre("create 1 /a/ to /a0 from 10", "ask for 1 at /a/", "a resumed"));
  set_.OnNewestRevision(1, Revision{9});  // only the member lags behind
  EXPECT_THAT(Log(), IsEmpty());
  set_.OnNewestRevision(1, absl::UnavailableError("nobody knows"));
  EXPECT_THAT(Log(), ElementsAre("cancel 1", "retry later", "a interrupted: nobody knows"));
  set_.CreateMissing();
  set_.OnResponse(Created(1, 8));
  Log();
  set_.OnNewestRevision(1, Revision{8});  // another history
  EXPECT_THAT(Log(), ElementsAre("cancel 1", "a compacted 8"));
}

TEST_F(WatchSetTest, AnotherClustersHistoryIsNotContinued) {
  RunningWatch();
  set_.OnStreamBroken(absl::UnavailableError("gone"));
  set_.OnStreamOpened();
  Log();
  etcdpb::WatchResponse created = Created(1, 1000);
  created.mutable_header()->set_cluster_id(kClusterId + 1);
  set_.OnResponse(created);
  EXPECT_THAT(Log(), ElementsAre("cancel 1", "a compacted 1000"));
}

TEST_F(WatchSetTest, WhatComesBeforeItsConfirmationBelongsToAnOlderWatch) {
  RunningWatch();
  set_.OnResponse(Created(1, 8));  // nobody asked: no answer
  set_.OnResponse(Canceled(1, "no leader"));
  set_.CreateMissing();
  Log();
  set_.OnResponse(Events(1, {{"/a/1", 10}}));
  set_.OnResponse(Canceled(1, "told again"));
  EXPECT_THAT(Log(), IsEmpty());
  set_.OnResponse(Created(1, 10));
  set_.OnResponse(Events(1, {{"/a/1", 10}}));
  EXPECT_THAT(Log(), ElementsAre("a resumed", "a events to 10: /a/1"));
}

TEST_F(WatchSetTest, RevisionsThatCannotBeEndAWatchAsCompacted) {
  const std::vector<std::vector<std::pair<std::string, Revision>>> impossible = {
      {{"/a/1", 9}},                // delivered before
      {{"/a/1", -1}},               //
      {{"/a/1", 12}, {"/a/2", 11}}  // backwards
  };
  set_.OnStreamOpened();
  for (const auto& events : impossible) {
    const WatchSet::Id id = set_.Add("/a/", 10, &a_);
    set_.OnResponse(Created(id, 9));
    Log();
    set_.OnResponse(Events(id, events));
    EXPECT_THAT(Log(), ElementsAre(absl::StrCat("cancel ", id),
                                   absl::StrCat("a compacted ", events.back().second)));
    EXPECT_TRUE(set_.empty());
  }
  const WatchSet::Id id = RunningWatch();
  etcdpb::WatchResponse future = Events(id, {{"/a/1", 100}});
  future.mutable_header()->set_revision(99);
  set_.OnResponse(future);
  EXPECT_THAT(Log(), ElementsAre(absl::StrCat("cancel ", id), "a compacted 99"));
}

TEST_F(WatchSetTest, ObserversMayRemoveOtherWatches) {
  class Remover final : public Client::WatchObserver {
   public:
    explicit Remover(WatchSet& set) : set_(set) {}
    void OnEvents(std::vector<Event>, Revision) override {}
    void OnCompacted(Revision) override {}
    void OnInterrupted(const absl::Status&) override {
      set_.Remove(1);
      set_.Remove(2);
    }

   private:
    WatchSet& set_;
  } remover(set_);
  set_.Add("/a/", 10, &remover);
  set_.Add("/b/", 10, &b_);
  set_.OnStreamOpened();
  Log();
  set_.OnStreamBroken(absl::UnavailableError("gone"));
  EXPECT_THAT(Log(), IsEmpty());
  EXPECT_TRUE(set_.empty());
}

}  // namespace
}  // namespace turnout::etcd
