#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pki/identity.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const IpAddress kGatewayAddress = IpAddress::v4(0xc6336401);  // 198.51.100.1
constexpr std::string_view kGatewayName = "gw.example";
constexpr std::string_view kMediaServer = "t520.example";

/// What all ends of one world share.
struct Terms {
  Duration child_rekey{0};
  Duration ike_rekey{0};
  Duration dpd{0};
  Duration reauth{0};
  std::uint64_t rekey_packets = 0;  ///< 0: no limit
  // Of sites only:
  bool traps = false;  ///< traffic asks for the children; else they are kept up
  Duration inactivity{0};
  std::size_t networks = 1;  ///< of each end, and so children
};

model::Identity identity(std::string_view name) {
  return {.type = IdType::fqdn, .data = to_bytes(name)};
}

config::SharedSecret secret(std::string_view client, std::string_view value) {
  config::SharedSecret out{.name = std::string{client}};
  out.owners = {identity(client)};
  out.value = Secret{as_bytes(value)};
  return out;
}

std::string password_of(std::string_view client) { return fmt::format("secret of {}", client); }

model::Connection connection(const Terms& terms, std::string_view local) {
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
  child.lifetime = {.rekey = terms.child_rekey,
                    .life = terms.child_rekey + terms.child_rekey / 10,
                    .jitter = terms.child_rekey / 10,
                    .rekey_packets = terms.rekey_packets,
                    .life_packets = 2 * terms.rekey_packets};
  out.children.push_back(std::move(child));
  return out;
}

// --- sites ---------------------------------------------------------------------------------------

std::string site_name(std::size_t number) { return fmt::format("site{}.example", number); }
IpAddress site_address(std::size_t number) {
  return IpAddress::v4(0xcb007102 + static_cast<std::uint32_t>(number));
}
/// The host in one network of an end: 10.END.NETWORK.1; the head office is end 0.
IpAddress host_of(std::size_t end, std::size_t network) {
  return IpAddress::v4(0x0a000001 + 65536 * static_cast<std::uint32_t>(end) +
                       256 * static_cast<std::uint32_t>(network));
}
model::SelectorTemplate network_of(std::size_t end, std::size_t network) {
  return *model::parse_selector(Prefix{host_of(end, network), 24}.text());
}

/// How one end of a line between sites is configured: both call.
model::Connection line_to(const Terms& terms, std::string_view own_name, std::size_t own_end,
                          std::string_view other_name, std::size_t other_end,
                          const IpAddress& other_address) {
  model::Connection out = connection(terms, own_name);
  out.name = fmt::format("to-{}", other_name);
  out.remote_addrs = {IpRange{other_address, other_address}};
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

std::string line_password(std::size_t site) { return fmt::format("secret of the line {}", site); }

config::Loaded site_configuration(const Terms& terms, std::size_t site) {
  config::Loaded out;
  out.connections = {line_to(terms, site_name(site), site, kGatewayName, 0, kGatewayAddress)};
  out.shared_secrets.push_back(secret(kGatewayName, line_password(site)));
  return out;
}

config::Loaded head_office_configuration(const Terms& terms, std::size_t sites) {
  config::Loaded out;
  for (std::size_t site = 1; site <= sites; ++site) {
    out.connections.push_back(
        line_to(terms, kGatewayName, 0, site_name(site), site, site_address(site)));
    out.shared_secrets.push_back(secret(site_name(site), line_password(site)));
  }
  return out;
}

void add_sites(Scenario& out, const Terms& terms, std::size_t sites) {
  out.nodes.push_back(
      {.name = std::string{kGatewayName},
       .address = kGatewayAddress,
       .nat = std::nullopt,
       .configuration = [terms, sites] { return head_office_configuration(terms, sites); },
       .gateway = true});
  for (std::size_t site = 1; site <= sites; ++site) {
    NodeSpec spec{.name = site_name(site),
                  .address = site_address(site),
                  .nat = std::nullopt,
                  .configuration = [terms, site] { return site_configuration(terms, site); }};
    for (std::size_t network = 0; network < terms.networks; ++network) {
      spec.inner.push_back(host_of(site, network));
    }
    out.nodes.push_back(std::move(spec));
  }
}

// --- roadwarriors --------------------------------------------------------------------------------

config::Loaded client_configuration(const Terms& terms, const std::string& name, bool enemy) {
  config::Loaded out;
  model::Connection home = connection(terms, name);
  home.remote_addrs = {IpRange{kGatewayAddress, kGatewayAddress}};
  home.remote.id = identity(kGatewayName);
  home.reauth_time = terms.reauth;
  home.vips = {IpAddress::any(IpFamily::v4)};
  home.children[0].remote_ts = {*model::parse_selector("10.0.0.0/24")};
  home.children[0].keep_up = true;
  out.connections.push_back(std::move(home));
  // The enemy knows everything but the key.
  out.shared_secrets.push_back(
      secret(kGatewayName, enemy ? std::string{kGuessedKey} : password_of(name)));
  return out;
}

config::Loaded gateway_configuration(const Terms& terms, const std::vector<std::string>& clients) {
  config::Loaded out;
  const auto pool = [&](const char* name, std::uint32_t first, std::uint32_t last) {
    out.pools.push_back({.name = name, .range = {IpAddress::v4(first), IpAddress::v4(last)}});
  };
  pool("warriors", 0x0a090002, 0x0a0900fe);
  pool("media", 0x0a090001, 0x0a090001);
  model::Connection warriors = connection(terms, kGatewayName);
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
  return out;
}

Weather make_weather(test::SeededRng& rng) {
  Weather out{.delay = milliseconds{1 + rng.below(150)}};
  if (rng.below(3) != 0) out.loss = rng.below(250);
  if (rng.below(2) == 0) out.duplicates = rng.below(200);
  if (rng.below(3) == 0) out.damage = rng.below(50);
  if (rng.below(2) == 0) out.jitter = milliseconds{rng.below(400)};
  return out;
}

Duration between(test::SeededRng& rng, Duration low, Duration high) {
  return low + Duration{static_cast<Duration::rep>(
                   rng.below(static_cast<std::uint64_t>((high - low).count()) + 1))};
}

/// Short histories are much more frequent than long ones: each doubling is as likely as the next.
Duration history(test::SeededRng& rng, Duration low, Duration high) {
  const double factor = static_cast<double>(high.count()) / static_cast<double>(low.count());
  const double position = static_cast<double>(rng.below(1'000'000)) / 1e6;
  const double picked = static_cast<double>(low.count()) * std::pow(factor, position);
  return Duration{static_cast<Duration::rep>(picked)};
}

}  // namespace

Scenario make_handshake() {
  const Terms terms{.child_rekey = std::chrono::hours{1}, .ike_rekey = std::chrono::hours{4}};
  const std::string name = "client0.example";
  Scenario out;
  out.nodes.push_back(
      {.name = std::string{kGatewayName},
       .address = kGatewayAddress,
       .nat = std::nullopt,
       .configuration = [terms, name] { return gateway_configuration(terms, {name}); },
       .gateway = true});
  out.nodes.push_back({.name = name,
                       .address = IpAddress::v4(0xcb007102),
                       .nat = std::nullopt,
                       .configuration = [terms, name] {
                         config::Loaded out_config = client_configuration(terms, name, false);
                         model::ChildTemplate& child = out_config.connections[0].children[0];
                         child.keep_up = false;
                         child.start_action = model::ChildAction::start;
                         return out_config;
                       }});
  return out;
}

Scenario make_scenario(const Options& options, test::SeededRng& rng) {
  Scenario out;
  out.time = history(rng, options.time_min, options.time_max);
  out.calm = rng.below(8) == 0;
  out.weather = make_weather(rng);
  if (out.calm) {
    out.weather = {.delay = milliseconds{1 + rng.below(100)}};
    if (rng.below(2) == 0) out.weather.jitter = milliseconds{rng.below(30)};
  }
  // About as many rekeys, faults and packets in a long history as in a short one.
  const Duration pace = std::max<Duration>(out.time / 40, seconds{30});
  Terms terms{.child_rekey = between(rng, pace, 4 * pace),
              .ike_rekey = between(rng, 2 * pace, 10 * pace),
              .dpd = between(rng, seconds{10}, seconds{30}),
              .reauth = rng.below(3) == 0 ? between(rng, 3 * pace, 12 * pace) : Duration{0},
              .rekey_packets = rng.below(4) == 0 ? 10 + rng.below(40) : 0};
  out.fault_interval = out.time / static_cast<int>(5 + rng.below(30));
  out.traffic_interval = out.time / static_cast<int>(100 + rng.below(400));

  if (rng.below(3) == 0) {
    terms.traps = rng.below(2) == 0;
    if (terms.traps && rng.below(3) == 0) terms.inactivity = between(rng, pace, 2 * pace);
    terms.networks = 1 + rng.below(2);
    out.lossless = !terms.traps;
    if (!terms.traps) out.quiet = seconds{20};
    add_sites(out, terms, 1 + rng.below(3));
    return out;
  }

  out.silent = rng.below(3) == 0;
  // 2 to 20 nodes, mostly few: the square makes the large worlds rare.
  const std::uint64_t roll = rng.below(100);
  const std::size_t clients = 1 + static_cast<std::size_t>(roll * roll * 18 / 10'000);
  const bool enemy = clients > 1 && rng.below(3) == 0;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < clients; ++i) {
    names.push_back(i == 1 ? std::string{kMediaServer} : fmt::format("client{}.example", i));
  }
  if (enemy) names.push_back("enemy.example");
  out.nodes.push_back(
      {.name = std::string{kGatewayName},
       .address = kGatewayAddress,
       .nat = std::nullopt,
       .configuration = [terms, names] { return gateway_configuration(terms, names); },
       .gateway = true});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_enemy = enemy && i + 1 == names.size();
    const auto index = static_cast<std::uint32_t>(i);
    NodeSpec spec{
        .name = names[i],
        .address = IpAddress::v4(0xcb007102 + index),  // 203.0.113.2...
        .nat = std::nullopt,
        .configuration = [terms, name = names[i],
                          is_enemy] { return client_configuration(terms, name, is_enemy); },
        .enemy = is_enemy};
    if (rng.below(2) == 0) {
      // A home of its own, or next to somebody else's device.
      if (out.nats.empty() || rng.below(3) != 0) {
        const auto number = static_cast<std::uint32_t>(out.nats.size());
        out.nats.push_back({.address = IpAddress::v4(0xcb007180 + number),
                            .timeout = between(rng, seconds{30}, seconds{180})});
      }
      spec.nat = out.nats.size() - 1;
      spec.address = IpAddress::v4(0xc0a80002 + index);  // 192.168.0.2...
    }
    out.nodes.push_back(std::move(spec));
  }
  return out;
}

}  // namespace cygnet::sim
