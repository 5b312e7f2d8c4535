// Has this process been forked off one that used the library? Its threads do not exist here.
#ifndef TURNOUT_SRC_BASE_FORK_H_
#define TURNOUT_SRC_BASE_FORK_H_

namespace turnout::base {

// Remembers the calling process as the one that owns the threads; the first call counts.
void NoteOwningProcess();
// True in a child forked after NoteOwningProcess.
bool InForkedChild();

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_FORK_H_
