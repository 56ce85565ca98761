#include "ike/exchange/configuration.hpp"

#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

constexpr std::size_t kServersMax = 16;  // name servers, subnets and domains taken from a reply

wire::CfgAttribute attribute(CfgAttributeType type, ByteView value = {}) {
  return {.type = type, .value = to_bytes(value)};
}

wire::CfgAttribute address_attribute(const IpAddress& address) {
  if (address.is_v4()) return attribute(CfgAttributeType::internal_ip4_address, address.bytes());
  // An IPv6 address and one octet of prefix length (RFC 7296 §3.15.1).
  Bytes value = to_bytes(address.bytes());
  value.push_back(128);
  return {.type = CfgAttributeType::internal_ip6_address, .value = std::move(value)};
}

std::optional<IpAddress> address_from(const Bytes& value, std::size_t size) {
  if (value.size() < size) return std::nullopt;
  const auto parsed = IpAddress::from_bytes(ByteView{value}.first(size));
  return parsed ? std::optional{*parsed} : std::nullopt;
}

void add(std::vector<IpAddress>& out, std::optional<IpAddress> address) {
  if (address && out.size() < kServersMax) out.push_back(*address);
}

std::optional<Prefix> ip4_subnet(const Bytes& value) {
  const auto address = address_from(value, 4);
  if (!address || value.size() != 8) return std::nullopt;
  unsigned length = 0;
  for (std::size_t bit = 0; bit < 32; ++bit) {
    if ((value[4 + bit / 8] & (0x80U >> (bit % 8))) == 0) break;
    ++length;
  }
  return Prefix{*address, length};
}

}  // namespace

wire::CpPayload configuration_request(const std::vector<IpAddress>& vips) {
  wire::CpPayload request{.type = CfgType::request};
  bool v4 = false;
  bool v6 = false;
  for (const IpAddress& vip : vips) {
    (vip.is_v4() ? v4 : v6) = true;
    if (vip.is_any()) {
      request.attributes.push_back(attribute(vip.is_v4() ? CfgAttributeType::internal_ip4_address
                                                         : CfgAttributeType::internal_ip6_address));
    } else {
      request.attributes.push_back(address_attribute(vip));
    }
  }
  if (v4) request.attributes.push_back(attribute(CfgAttributeType::internal_ip4_dns));
  if (v6) request.attributes.push_back(attribute(CfgAttributeType::internal_ip6_dns));
  request.attributes.push_back(attribute(CfgAttributeType::internal_dns_domain));
  return request;
}

std::vector<IpAddress> requested_addresses(const wire::CpPayload& request) {
  std::vector<IpAddress> out;
  if (request.type != CfgType::request) return out;
  for (const wire::CfgAttribute& one : request.attributes) {
    if (out.size() == kRequestedAddressesMax) break;
    if (one.type == CfgAttributeType::internal_ip4_address) {
      out.push_back(address_from(one.value, 4).value_or(IpAddress::any(IpFamily::v4)));
    } else if (one.type == CfgAttributeType::internal_ip6_address) {
      out.push_back(address_from(one.value, 16).value_or(IpAddress::any(IpFamily::v6)));
    }
  }
  return out;
}

wire::CpPayload configuration_reply(const answer::Leased& lease) {
  wire::CpPayload reply{.type = CfgType::reply};
  for (const IpAddress& address : lease.addresses) {
    reply.attributes.push_back(address_attribute(address));
  }
  for (const IpAddress& server : lease.dns) {
    reply.attributes.push_back(attribute(
        server.is_v4() ? CfgAttributeType::internal_ip4_dns : CfgAttributeType::internal_ip6_dns,
        server.bytes()));
  }
  for (const IpAddress& server : lease.nbns) {
    if (server.is_v4()) {
      reply.attributes.push_back(attribute(CfgAttributeType::internal_ip4_nbns, server.bytes()));
    }
  }
  for (const Prefix& subnet : lease.subnets) {
    Bytes value = to_bytes(subnet.address().bytes());
    if (subnet.address().is_v4()) {
      const IpAddress mask = Prefix{IpAddress::last(IpFamily::v4), subnet.length()}.address();
      append(value, mask.bytes());
      reply.attributes.push_back(
          {.type = CfgAttributeType::internal_ip4_subnet, .value = std::move(value)});
    } else {
      value.push_back(static_cast<std::uint8_t>(subnet.length()));
      reply.attributes.push_back(
          {.type = CfgAttributeType::internal_ip6_subnet, .value = std::move(value)});
    }
  }
  for (const std::string& domain : lease.dns_domains) {
    reply.attributes.push_back(attribute(CfgAttributeType::internal_dns_domain, as_bytes(domain)));
  }
  return reply;
}

answer::Leased read_configuration(const wire::CpPayload& reply) {
  answer::Leased out;
  for (const wire::CfgAttribute& one : reply.attributes) {
    switch (one.type) {
      case CfgAttributeType::internal_ip4_address:
        add(out.addresses, address_from(one.value, 4));
        break;
      case CfgAttributeType::internal_ip6_address:
        add(out.addresses, address_from(one.value, 16));
        break;
      case CfgAttributeType::internal_ip4_dns:
        add(out.dns, address_from(one.value, 4));
        break;
      case CfgAttributeType::internal_ip6_dns:
        add(out.dns, address_from(one.value, 16));
        break;
      case CfgAttributeType::internal_ip4_nbns:
        add(out.nbns, address_from(one.value, 4));
        break;
      case CfgAttributeType::internal_ip4_subnet:
        if (const auto subnet = ip4_subnet(one.value); subnet && out.subnets.size() < kServersMax) {
          out.subnets.push_back(*subnet);
        }
        break;
      case CfgAttributeType::internal_ip6_subnet:
        if (const auto address = address_from(one.value, 16);
            address && one.value.size() == 17 && out.subnets.size() < kServersMax) {
          out.subnets.emplace_back(*address, one.value[16]);
        }
        break;
      case CfgAttributeType::internal_dns_domain:
        if (!one.value.empty() && out.dns_domains.size() < kServersMax) {
          out.dns_domains.push_back(cygnet::to_string(ByteView{one.value}));
        }
        break;
      default:
        break;
    }
  }
  return out;
}

}  // namespace cygnet::ike
