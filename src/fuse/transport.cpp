// SPDX-License-Identifier: MIT
#include "fuse/transport.h"

#include <stdexcept>
#include <system_error>

#include "base/memfd.h"
#include "fuse/passthrough.h"

namespace watchq {

TransportInUse choose_transport(Transport wanted, int device_fd, bool offered) {
  if (wanted == Transport::pagecache) return {wanted, "--transport pagecache asks for this one"};
  std::string why = "the kernel offers no FUSE passthrough (Linux 6.9)";
  if (offered) {
    try {
      const UniqueFd file = create_memfd("watchq-probe");
      static_cast<void>(BackingId(device_fd, file.get()));
      return {Transport::passthrough, ""};
    } catch (const std::system_error& error) {
      why = std::string("FUSE passthrough needs CAP_SYS_ADMIN: ") + error.what();
    }
  }
  if (wanted == Transport::passthrough) {
    throw std::runtime_error("--transport passthrough: " + why + "; use --transport auto");
  }
  return {Transport::pagecache, why};
}

}  // namespace watchq
