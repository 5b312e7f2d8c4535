#include "src/base/thread.h"

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

#include "src/base/fork.h"

namespace turnout::base {

void StartThread(const std::string& name, std::function<void()> body) {
  NoteOwningProcess();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a thread begins with its creator's mask
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), name.c_str());
  thread.detach();
}

}  // namespace turnout::base
