// The Configuration payload: addresses, name servers, domains.    RFC 7296 §2.19, §3.15, RFC 8598
#pragma once

#include <vector>

#include "ike/actions.hpp"
#include "wire/message.hpp"

namespace cygnet::ike {

/// CFG_REQUEST for these addresses (an any-address asks for whichever) and for name servers.
[[nodiscard]] wire::CpPayload configuration_request(const std::vector<IpAddress>& vips);
/// The addresses a CFG_REQUEST asks for, at most kRequestedAddressesMax; an empty attribute is
/// an any-address.
[[nodiscard]] std::vector<IpAddress> requested_addresses(const wire::CpPayload& request);
/// CFG_REPLY with what was leased.
[[nodiscard]] wire::CpPayload configuration_reply(const answer::Leased& lease);
/// What a CFG_REPLY gives; attributes that do not parse are left out.
[[nodiscard]] answer::Leased read_configuration(const wire::CpPayload& reply);

}  // namespace cygnet::ike
