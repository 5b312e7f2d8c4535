#include "src/base/fork.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>

#include "src/base/serial_thread.h"

namespace turnout::base {
namespace {

// What `child` returned, as the exit status of a process forked off here.
int InChild(int (*child)()) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Fork, TheChildKnowsAndTheParentDoesNotCare) {
  NoteOwningProcess();
  NoteOwningProcess();
  EXPECT_EQ(InChild([] { return InForkedChild() ? 42 : 1; }), 42);
  EXPECT_FALSE(InForkedChild());
}

TEST(Fork, AChildDropsTasksInsteadOfHanging) {
  std::promise<void> entered, let_go;
  ReportThread().Run([&] {
    entered.set_value();
    let_go.get_future().wait();
  });
  entered.get_future().wait();
  EXPECT_EQ(InChild([] {
              ReportThread().Run([] { _exit(1); });
              return ReportThread().waiting() == 0 && !ReportThread().OnThread() ? 42 : 2;
            }),
            42);
  let_go.set_value();
}

}  // namespace
}  // namespace turnout::base
