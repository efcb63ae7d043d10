// SPDX-License-Identifier: MIT
#include "source/probe_process.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "kernel/pidfd.h"

namespace watchq {

using boost::asio::posix::stream_descriptor;

/// What the waits for the process and for its answers hold on to.
struct ProbeProcess::State : std::enable_shared_from_this<State> {
  stream_descriptor socket;
  /// The pidfd. Its wait keeps it, longer than the process lives.
  std::shared_ptr<stream_descriptor> process;
  bool ready;
  bool ended = false;
  std::optional<ProbeQuestion> asked;
  Answered answered;
  Sent sent;

  State(boost::asio::io_context& io, SpawnedProbe probe, bool is_ready)
      : socket(io, probe.socket.release()),
        process(std::make_shared<stream_descriptor>(io, probe.process.release())),
        ready(is_ready) {}

  void reap() {
    process->async_wait(stream_descriptor::wait_read, [process = process](
                                                          const boost::system::error_code& error) {
      siginfo_t info{};
      if (!error) {
        ::waitid(P_PIDFD, static_cast<id_t>(process->native_handle()), &info, WEXITED | WNOHANG);
      }
    });
  }

  void send(ProbeQuestion device) {
    if (const Sent tell = std::exchange(sent, nullptr)) tell();
    // One message fits an empty socket. Where the process has gone, the wait tells.
    static_cast<void>(
        ::send(socket.native_handle(), &device, sizeof device, MSG_NOSIGNAL | MSG_DONTWAIT));
  }

  void wait() {
    socket.async_wait(stream_descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error) self->receive();
                      });
  }

  void receive() {
    ProbeAnswer answer;
    const ssize_t got = ::recv(socket.native_handle(), &answer, sizeof answer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return wait();
    const bool whole = got == static_cast<ssize_t>(sizeof answer);
    if (whole && answer.error == 0 && !std::exchange(ready, true)) {
      if (asked) send(*asked);
      return wait();
    }
    if (whole) {
      wait();
    } else {
      ended = true;
    }
    give(whole ? std::optional(answer) : std::nullopt);
  }

  void give(const std::optional<ProbeAnswer>& answer) {
    asked.reset();
    if (const Answered tell = std::exchange(answered, nullptr)) {
      tell(answer);
    }
  }
};

ProbeProcess::ProbeProcess(boost::asio::io_context& io, SpawnedProbe probe, bool ready)
    : state_(std::make_shared<State>(io, std::move(probe), ready)), life_(state_->process) {
  state_->reap();
  state_->wait();
}

ProbeProcess::~ProbeProcess() {
  send_signal(state_->process->native_handle(), SIGKILL);
  state_->answered = nullptr;
  state_->sent = nullptr;
  boost::system::error_code ignored;
  state_->socket.close(ignored);
}

void ProbeProcess::ask(std::uint64_t device, Answered answered, Sent sent) {
  state_->asked = device;
  state_->answered = std::move(answered);
  state_->sent = std::move(sent);
  if (state_->ended) {
    boost::asio::post(state_->socket.get_executor(), [state = state_] { state->give({}); });
  } else if (state_->ready) {
    state_->send(device);
  }
}

}  // namespace watchq
