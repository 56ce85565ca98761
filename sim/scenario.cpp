#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/configs.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kEnemyName = "enemy.example";
constexpr std::string_view kImpostorName = "impostor.example";

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

std::vector<IpAddress> gateway_addresses(test::SeededRng& rng) {
  switch (rng.below(8)) {
    case 0:
      return {gateway_address(IpFamily::v6)};
    case 1:
      return {gateway_address(IpFamily::v4), gateway_address(IpFamily::v4, 2)};
    case 2:
    case 3:
      return {gateway_address(IpFamily::v4), gateway_address(IpFamily::v6)};
    default:
      return {gateway_address(IpFamily::v4)};
  }
}

/// What one process is set to: mostly as shipped, sometimes so that it must cut IKE messages into
/// fragments, or that few half-open IKE_SAs are too many.
ike::EngineConfig make_engine(test::SeededRng& rng) {
  ike::EngineConfig out;
  if (rng.below(4) == 0) out.fragment_size = 150 + rng.below(100);
  if (rng.below(5) == 0) {
    out.half_open_max = 4 + rng.below(20);
    out.cookie_threshold = rng.below(2) == 0 ? out.half_open_max / 2 : 1000;
  }
  return out;
}

void add_gateway(Scenario& out, const Terms& terms,
                 std::function<config::Loaded(unsigned)> configuration) {
  out.nodes.push_back({.name = std::string{kGatewayName},
                       .addresses = terms.gateway,
                       .nat = std::nullopt,
                       .configuration = std::move(configuration)});
}

/// Somebody who has the gateway's configuration, but for the keys.
void add_impostor(Scenario& out) {
  const auto copied = out.nodes.front().configuration;
  out.nodes.push_back({.name = std::string{kImpostorName},
                       .addresses = {outer_address(IpFamily::v4, 250)},
                       .nat = std::nullopt,
                       .configuration = [copied](unsigned) { return as_impostor(copied(0)); },
                       .role = NodeSpec::Role::impostor});
}

void add_sites(Scenario& out, const Terms& terms, std::size_t sites) {
  add_gateway(out, terms, [terms, sites](unsigned edition) {
    return head_office_configuration(terms, sites, edition);
  });
  for (std::size_t site = 1; site <= sites; ++site) {
    NodeSpec spec{.name = site_name(site),
                  .addresses = {site_address(terms, site)},
                  .nat = std::nullopt,
                  .configuration = [terms, site](unsigned edition) {
                    return site_configuration(terms, site, edition);
                  }};
    for (std::size_t network = 0; network < terms.networks; ++network) {
      spec.inner.push_back(host_of(site, network));
    }
    out.nodes.push_back(std::move(spec));
  }
}

/// A home of its own, or next to somebody else's device.
void put_behind_nat(Scenario& out, NodeSpec& spec, std::uint32_t index, test::SeededRng& rng) {
  if (out.nats.empty() || rng.below(3) != 0) {
    const auto number = static_cast<std::uint32_t>(out.nats.size());
    out.nats.push_back({.address = outer_address(IpFamily::v4, 128 + number),
                        .timeout = between(rng, seconds{30}, seconds{180})});
  }
  spec.nat = out.nats.size() - 1;
  spec.addresses = {IpAddress::v4(0xc0a80002 + index)};  // 192.168.0.2...
}

void add_clients(Scenario& out, const Terms& terms, test::SeededRng& rng) {
  // 2 to 20 nodes, mostly few: the square makes the large worlds rare.
  const std::uint64_t roll = rng.below(100);
  const std::size_t clients = 1 + static_cast<std::size_t>(roll * roll * 18 / 10'000);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < clients; ++i) {
    names.push_back(i == 1 ? std::string{kMediaServer} : fmt::format("client{}.example", i));
  }
  const bool enemy = clients > 1 && rng.below(3) == 0;
  // Under its own name, whose key it does not know, or under somebody else's.
  const std::string alias = rng.below(2) == 0 ? names.front() : std::string{kEnemyName};
  if (enemy) names.emplace_back(kEnemyName);
  add_gateway(out, terms, [terms, names](unsigned edition) {
    return gateway_configuration(terms, names, edition);
  });
  const IpFamily family = terms.gateway.front().family();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_enemy = enemy && i + 1 == names.size();
    const auto index = static_cast<std::uint32_t>(i);
    NodeSpec spec{.name = names[i],
                  .addresses = {outer_address(family, 2 + index)},
                  .nat = std::nullopt,
                  .configuration = {},
                  .role = is_enemy ? NodeSpec::Role::enemy : NodeSpec::Role::honest};
    spec.configuration = [terms, is_enemy, name = is_enemy ? alias : names[i]](unsigned edition) {
      const std::string key = is_enemy ? std::string{kGuessedKey} : password_of(name);
      return client_configuration(terms, name, key, edition);
    };
    if (family == IpFamily::v4 && rng.below(2) == 0) put_behind_nat(out, spec, index, rng);
    out.nodes.push_back(std::move(spec));
  }
}

}  // namespace

Scenario make_handshake() {
  const Terms terms{.child_rekey = std::chrono::hours{1},
                    .ike_rekey = std::chrono::hours{4},
                    .gateway = {gateway_address(IpFamily::v4)}};
  const std::string name = "client0.example";
  Scenario out;
  add_gateway(out, terms, [terms, name](unsigned) { return gateway_configuration(terms, {name}); });
  out.nodes.push_back({.name = name,
                       .addresses = {outer_address(IpFamily::v4, 2)},
                       .nat = std::nullopt,
                       .configuration = [terms, name](unsigned) {
                         config::Loaded out_config =
                             client_configuration(terms, name, password_of(name));
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
  out.calm = rng.below(6) == 0;
  out.attacked = !out.calm || rng.below(2) == 0;
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
              .rekey_packets = rng.below(4) == 0 ? 10 + rng.below(40) : 0,
              .gateway = gateway_addresses(rng),
              .by_name = rng.below(3) == 0};
  out.dead_address = !out.calm && terms.gateway.size() > 1 && rng.below(3) == 0;
  out.fault_interval = out.time / static_cast<int>(5 + rng.below(30));
  out.traffic_interval = out.time / static_cast<int>(100 + rng.below(400));

  if (rng.below(3) == 0) {
    terms.traps = rng.below(2) == 0;
    if (terms.traps && rng.below(3) == 0) terms.inactivity = between(rng, pace, 2 * pace);
    terms.networks = 1 + rng.below(2);
    out.traps = terms.traps;
    out.lossless = !terms.traps;
    if (!terms.traps) out.quiet = seconds{20};
    add_sites(out, terms, 1 + rng.below(3));
  } else {
    out.silent = rng.below(3) == 0;
    add_clients(out, terms, rng);
  }
  const bool raw = rng.below(6) == 0;
  for (NodeSpec& spec : out.nodes) {
    spec.engine = make_engine(rng);
    spec.udp_encap_only = !raw;
  }
  if (!out.calm && rng.below(4) == 0) add_impostor(out);
  return out;
}

}  // namespace cygnet::sim
