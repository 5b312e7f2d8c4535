// The processes of a stage: this program, started as one of its servers or clients.
#ifndef TURNOUT_TESTS_FAULTS_ROLES_H_
#define TURNOUT_TESTS_FAULTS_ROLES_H_

#include <string>
#include <vector>

namespace turnout::faults {

struct ServerFlags {
  std::vector<std::string> etcd;
  std::string service, version, id;
  std::string listen;     // `127.0.0.1:port`
  std::string advertise;  // empty: the same
  std::string log;        // file for what the library logs
};
// Serves, registered, until SIGTERM, which drains it. Prints a line when it serves and one when it
// is registered. The exit status.
int RunServer(const ServerFlags& flags);

struct ClientFlags {
  std::vector<std::string> etcd;
  int threads = 4;    // of unary calls; as many more call streams
  std::string cache;  // folder of the disk cache
  std::string log;
};
// Calls all the time until SIGTERM, and prints its events (event.h).
int RunClient(const ClientFlags& flags);

inline constexpr char kServingLine[] = "serving";
inline constexpr char kRegisteredLine[] = "registered";

// For both: what the library logs goes to the end of `file`, with the time.
void LogTo(const std::string& file);
// Both end by SIGTERM. Before any thread is started.
void BlockEnd();
void WaitForEnd();

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_ROLES_H_
