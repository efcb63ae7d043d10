// SPDX-License-Identifier: MIT
// Config: what an administrator can set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/user_limit.h"
#include "fuse/patient_calls.h"
#include "fuse/transport.h"
#include "source/key_source.h"
#include "source/mount_source.h"
#include "source/network_detector.h"
#include "source/space_detector.h"

namespace watchq {

/// What users may hold, each and all together. Rings are counted in pages of 4096 bytes.
struct LimitOptions {
  std::uint32_t max_ring_pages = 4096;
  UserLimit::Most queues{8192, 32768};
  UserLimit::Most pages{65536, 262144};
  UserLimit::Most watches{16384, 131072};
  UserLimit::Most probes{64, 512};
  UserLimit::Most texts{1024, 16384};
  PatientCalls::Limits calls;
};

/// Streams of events. With all of them full to the brim they take streams.in_all * buffer_bytes.
struct StreamOptions {
  std::size_t buffer_bytes = std::size_t{1} << 20;  ///< what each keeps for a slow reader
  UserLimit::Most streams{256, 1024};
};

struct Config {
  std::string path;  ///< where it was read from; empty: nowhere
  LimitOptions limits;
  StreamOptions streams;
  MountSourceOptions mounts;
  KeyOptions keys;
  SpaceOptions space;
  NetworkOptions network;
  MountBackend mount_backend = MountBackend::automatic;
  Transport transport = Transport::automatic;
  bool for_own_user = false;  ///< without root, and for nobody else
};

/// Reads a JSON configuration file: the keys of watchqd.conf(5). What the file does not name has
/// its default. Throws std::runtime_error whose text names the file, the line in it and what is
/// wrong.
Config read_config(const std::string& path);

/// Takes over what the file of another configuration says, and nothing that only options of the
/// command line say. Returns what has changed, a line for each key: "KEY: BEFORE -> NOW".
std::vector<std::string> update_config(Config& config, const Config& fresh);

}  // namespace watchq
