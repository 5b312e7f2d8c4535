// A TCP connection that blocks, with one deadline for all that is done over it.
#ifndef TURNOUT_SRC_ETCD_TCP_CONNECTION_H_
#define TURNOUT_SRC_ETCD_TCP_CONNECTION_H_

#include <chrono>
#include <string>
#include <string_view>

namespace turnout::etcd {

class TcpConnection {
 public:
  using Clock = std::chrono::steady_clock;

  // To the first address of `endpoint`, "host:port" or "[v6]:port", that accepts it.
  TcpConnection(const std::string& endpoint, Clock::time_point deadline);
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  bool connected() const { return socket_ >= 0; }
  int socket() const { return socket_; }  // does not block by itself

  // Until there is something to read, or room to write; false when the time is over.
  bool AwaitReadable() const;
  bool AwaitWritable() const;

  bool Send(std::string_view bytes) const;
  // Exactly `size` bytes; fewer at the end of the connection or of the time.
  std::string Receive(std::size_t size) const;

 private:
  bool Await(short events) const;

  const Clock::time_point deadline_;
  int socket_ = -1;
};

// "127.0.0.1" of "127.0.0.1:2379", "::1" of "[::1]:2379".
std::string HostOf(const std::string& endpoint);

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_TCP_CONNECTION_H_
