// SPDX-License-Identifier: MIT
#include "source/key_backend.h"

#include "source/key_bpf_backend.h"
#include "source/key_pipe_backend.h"
#include "source/key_trace_backend.h"

namespace watchq {
namespace {

template <typename Backend>
KeyBackendChoice choice(const char* name) {
  return {name,
          [](boost::asio::io_context& io, KeyBackendSink& sink) -> std::unique_ptr<KeyBackend> {
            return std::make_unique<Backend>(io, sink);
          }};
}

}  // namespace

const std::vector<KeyBackendChoice>& key_backend_choices() {
  static const std::vector<KeyBackendChoice> kChoices = {choice<KeyPipeBackend>("pipe"),
                                                         choice<KeyBpfBackend>("bpf"),
                                                         choice<KeyTraceBackend>("trace")};
  return kChoices;
}

}  // namespace watchq
