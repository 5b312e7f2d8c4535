// What the user's threads hold of a Registration, which lives on the event loop.
#ifndef TURNOUT_SRC_REGISTRY_HANDLE_H_
#define TURNOUT_SRC_REGISTRY_HANDLE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "src/base/mutex.h"
#include "src/registry/registration.h"
#include "turnout/registrar.h"

namespace turnout::registry {

// Thread-safe. Not for forked children: the loop's thread is not there, and the lock may have been
// held by a thread that is not there either.
class Handle {
 public:
  // Begins to register `instance`. `options` have been checked, their registry is complete.
  Handle(Instance instance, const RegistrarOptions& options);
  ~Handle();  // as Registrar's
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  absl::Status WaitUntilRegistered(std::chrono::milliseconds timeout);

  // Announces the drain, waits, deletes the record. False if the end had begun before.
  bool DrainAndDeregister();

  RegistrationState state() const;
  absl::Status last_error() const;
  const std::string& id() const { return id_; }
  const std::string& key() const { return key_; }
  const std::string& address() const { return address_; }

 private:
  void Post(std::function<void(Registration&)> task);
  // True for the first caller.
  bool BeginToEnd();
  // Is there something that clients may see, so that it is worth waiting?
  bool AnnounceDraining();
  void EndWithin(std::chrono::milliseconds limit);
  void OnState(RegistrationState state, const absl::Status& error);

  const std::chrono::milliseconds drain_delay_;
  const std::string id_;
  const std::string address_;
  const std::string key_;
  std::shared_ptr<Registration> registration_;  // touched on the loop's thread only

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  RegistrationState state_ ABSL_GUARDED_BY(mutex_) = RegistrationState::kRegistering;
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool announced_ ABSL_GUARDED_BY(mutex_) = false;
  bool listed_ ABSL_GUARDED_BY(mutex_) = true;  // until the announcement says otherwise
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_HANDLE_H_
