#include "sim/configs.hpp"

#include <fmt/format.h>

#include <utility>

namespace cygnet::sim {
namespace {

using std::chrono::seconds;

model::Identity identity(std::string_view name) {
  return {.type = IdType::fqdn, .data = to_bytes(name)};
}

config::SharedSecret secret(std::string_view peer, std::string_view value) {
  config::SharedSecret out{.name = std::string{peer}};
  out.owners = {identity(peer)};
  out.value = Secret{as_bytes(value)};
  return out;
}

IpRange only(const IpAddress& address) { return {address, address}; }

std::vector<model::AddressPattern> gateway_patterns(const Terms& terms) {
  if (terms.by_name) return {model::HostName{std::string{kGatewayName}}};
  std::vector<model::AddressPattern> out;
  for (const IpAddress& address : terms.gateway) out.emplace_back(only(address));
  return out;
}

model::Connection connection(const Terms& terms, std::string_view local, unsigned edition) {
  model::Connection out{.name = "home"};
  out.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike);
  out.local = {.method = model::AuthClass::psk, .id = identity(local)};
  out.remote.method = model::AuthClass::psk;
  out.dpd_delay = terms.dpd;
  out.lifetime = {.rekey = terms.ike_rekey,
                  .life = terms.ike_rekey + terms.ike_rekey / 10,
                  .jitter = terms.ike_rekey / 10};
  model::ChildTemplate child{.name = "net"};
  child.esp_proposals = *model::parse_proposals("aes128gcm16-x25519", ProtocolId::esp);
  const Duration rekey = terms.child_rekey + seconds{edition};
  child.lifetime = {.rekey = rekey,
                    .life = rekey + rekey / 10,
                    .jitter = terms.child_rekey / 10,
                    .rekey_packets = terms.rekey_packets,
                    .life_packets = 2 * terms.rekey_packets};
  out.children.push_back(std::move(child));
  return out;
}

model::SelectorTemplate network_of(std::size_t end, std::size_t network) {
  return *model::parse_selector(Prefix{host_of(end, network), 24}.text());
}

/// How one end of a line between sites is configured: both call.
model::Connection line_to(const Terms& terms, std::string_view own_name, std::size_t own_end,
                          std::string_view other_name, std::size_t other_end, unsigned edition) {
  model::Connection out = connection(terms, own_name, edition);
  out.name = fmt::format("to-{}", other_name);
  out.remote_addrs = gateway_patterns(terms);
  if (other_end != 0) out.remote_addrs = {only(site_address(terms, other_end))};
  out.remote.id = identity(other_name);
  const model::ChildTemplate pattern = out.children[0];
  out.children.clear();
  for (std::size_t network = 0; network < terms.networks; ++network) {
    model::ChildTemplate child = pattern;
    child.name = network == 0 ? "net" : "more";
    child.local_ts = {network_of(own_end, network)};
    child.remote_ts = {network_of(other_end, network)};
    child.keep_up = !terms.traps;
    if (terms.traps) {
      child.start_action = child.close_action = child.dpd_action = model::ChildAction::trap;
      child.inactivity = terms.inactivity;
    }
    out.children.push_back(std::move(child));
  }
  return out;
}

/// What an operator has added: a connection that nobody uses.
void add_spare(config::Loaded& out, unsigned edition) {
  if (edition % 2 == 0 || out.connections.empty()) return;
  model::Connection spare = out.connections.front();
  spare.name = "spare";
  spare.remote.id = identity("spare.example");
  spare.remote_addrs = {model::AnyAddress{}};
  for (model::ChildTemplate& child : spare.children) {
    child.keep_up = false;
    child.start_action = model::ChildAction::none;
  }
  out.connections.push_back(std::move(spare));
}

}  // namespace

IpAddress outer_address(IpFamily family, std::uint32_t number) {
  if (family == IpFamily::v4) return IpAddress::v4(0xcb007100 + number);
  return *IpAddress::parse(fmt::format("2001:db8:0:{:x}::1", number));
}

IpAddress gateway_address(IpFamily family, std::uint32_t number) {
  if (family == IpFamily::v4) return IpAddress::v4(0xc6336400 + number);
  return *IpAddress::parse(fmt::format("2001:db8:1:{:x}::1", number));
}

// --- clients and their gateway -------------------------------------------------------------------

std::string password_of(std::string_view client) { return fmt::format("secret of {}", client); }

config::Loaded client_configuration(const Terms& terms, const std::string& name,
                                    std::string_view key, unsigned edition) {
  config::Loaded out;
  model::Connection home = connection(terms, name, edition);
  home.remote_addrs = gateway_patterns(terms);
  home.remote.id = identity(kGatewayName);
  home.reauth_time = terms.reauth;
  home.vips = {IpAddress::any(IpFamily::v4)};
  home.children[0].remote_ts = {*model::parse_selector("10.0.0.0/24")};
  home.children[0].keep_up = true;
  out.connections.push_back(std::move(home));
  out.shared_secrets.push_back(secret(kGatewayName, key));
  add_spare(out, edition);
  return out;
}

config::Loaded gateway_configuration(const Terms& terms, const std::vector<std::string>& clients,
                                     unsigned edition) {
  config::Loaded out;
  const auto pool = [&](const char* name, std::uint32_t first, std::uint32_t last) {
    out.pools.push_back({.name = name, .range = {IpAddress::v4(first), IpAddress::v4(last)}});
  };
  pool("warriors", 0x0a090002, 0x0a0900fe);
  pool("media", 0x0a090001, 0x0a090001);
  model::Connection warriors = connection(terms, kGatewayName, edition);
  warriors.name = "warriors";
  warriors.pools = {"warriors"};
  warriors.children[0].local_ts = {*model::parse_selector("10.0.0.0/24")};
  model::Connection media = warriors;
  media.name = "media";
  media.pools = {"media"};
  media.remote.id = identity(kMediaServer);
  out.connections = {std::move(warriors), std::move(media)};
  for (const std::string& client : clients) {
    out.shared_secrets.push_back(secret(client, password_of(client)));
  }
  add_spare(out, edition);
  return out;
}

// --- sites ---------------------------------------------------------------------------------------

std::string site_name(std::size_t number) { return fmt::format("site{}.example", number); }

IpAddress site_address(const Terms& terms, std::size_t number) {
  return outer_address(terms.gateway.front().family(), 2 + static_cast<std::uint32_t>(number));
}

IpAddress host_of(std::size_t end, std::size_t network) {
  return IpAddress::v4(0x0a000001 + 65536 * static_cast<std::uint32_t>(end) +
                       256 * static_cast<std::uint32_t>(network));
}

config::Loaded site_configuration(const Terms& terms, std::size_t site, unsigned edition) {
  config::Loaded out;
  out.connections = {line_to(terms, site_name(site), site, kGatewayName, 0, edition)};
  out.shared_secrets.push_back(secret(kGatewayName, password_of(site_name(site))));
  add_spare(out, edition);
  return out;
}

config::Loaded head_office_configuration(const Terms& terms, std::size_t sites, unsigned edition) {
  config::Loaded out;
  for (std::size_t site = 1; site <= sites; ++site) {
    out.connections.push_back(line_to(terms, kGatewayName, 0, site_name(site), site, edition));
    out.shared_secrets.push_back(secret(site_name(site), password_of(site_name(site))));
  }
  add_spare(out, edition);
  return out;
}

// --- enemies -------------------------------------------------------------------------------------

config::Loaded as_impostor(config::Loaded gateway) {
  for (model::Connection& connection : gateway.connections) {
    for (model::ChildTemplate& child : connection.children) {
      child.keep_up = false;
      child.start_action = child.dpd_action = child.close_action = model::ChildAction::none;
    }
  }
  for (config::SharedSecret& secret : gateway.shared_secrets) {
    secret.value = Secret{as_bytes(kGuessedKey)};
  }
  return gateway;
}

}  // namespace cygnet::sim
