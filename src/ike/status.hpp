// What an engine can tell about itself: a copy of what is true now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "ike/ids.hpp"
#include "model/connection.hpp"
#include "model/data_plane.hpp"
#include "model/identity.hpp"
#include "model/proposal.hpp"

namespace cygnet::ike {

struct ChildStatus {
  model::ChildId id;
  std::string connection{};  ///< of a trap or shunt; a child of an IKE_SA has that one's
  std::string name;
  enum class State : std::uint8_t {
    installing,
    installed,
    rekeying,
    deleting,
    routed
  } state = State::installed;
  EspSpi spi_in;
  EspSpi spi_out;
  model::Suite suite;
  model::ChildMode mode = model::ChildMode::tunnel;
  bool udp_encap = true;
  std::vector<model::TrafficSelector> local_ts;
  std::vector<model::TrafficSelector> remote_ts;
  Instant installed;
  std::optional<Instant> rekey_at;
  std::optional<Instant> expires_at;
};
struct IkeStatus {
  SaId id;
  std::string connection;
  enum class State : std::uint8_t {
    connecting,
    established,
    rekeying,
    deleting
  } state = State::connecting;
  bool initiator = false;
  bool first_initiator = false;  ///< we initiated the first of a row of rekeyed IKE_SAs
  IkeSpi spi_i;
  IkeSpi spi_r;
  Endpoint local;
  Endpoint remote;
  std::optional<model::Identity> local_id;
  std::optional<model::Identity> remote_id;
  bool nat_local = false;
  bool nat_remote = false;
  model::Suite suite;
  std::vector<IpAddress> local_vips;
  std::vector<IpAddress> remote_vips;
  std::vector<IpAddress> dns;  ///< that the gateway gave us
  Instant established;
  std::optional<Instant> rekey_at;
  std::optional<Instant> reauth_at;
  std::size_t waiting = 0;  ///< exchanges of ours that wait for their turn or their time
  std::vector<ChildStatus> children;
};
struct Status {
  std::vector<IkeStatus> sas;
  std::vector<ChildStatus> routed;  ///< traps and shunts
  std::size_t half_open = 0;
};

}  // namespace cygnet::ike
