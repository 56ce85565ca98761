#include "control/report.hpp"

#include <fmt/format.h>

#include "pki/identity.hpp"
#include "registry/registry.hpp"

namespace cygnet::control {
namespace {

std::string text_of(const std::optional<model::Identity>& identity) {
  return identity ? pki::to_text(*identity) : "%any";
}

std::string_view state_text(ike::IkeStatus::State state) {
  switch (state) {
    case ike::IkeStatus::State::connecting:
      return "CONNECTING";
    case ike::IkeStatus::State::established:
      return "ESTABLISHED";
    case ike::IkeStatus::State::rekeying:
      return "REKEYING";
    case ike::IkeStatus::State::deleting:
      return "DELETING";
  }
  return "UNKNOWN";
}

std::string_view state_text(ike::ChildStatus::State state) {
  switch (state) {
    case ike::ChildStatus::State::installing:
      return "INSTALLING";
    case ike::ChildStatus::State::installed:
      return "INSTALLED";
    case ike::ChildStatus::State::rekeying:
      return "REKEYING";
    case ike::ChildStatus::State::deleting:
      return "DELETING";
    case ike::ChildStatus::State::routed:
      return "ROUTED";
  }
  return "UNKNOWN";
}

std::uint64_t seconds(Duration span) {
  if (span < Duration{0}) return 0;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(span).count());
}

template <class T>
vici::List texts(const std::vector<T>& values) {
  vici::List out;
  for (const T& value : values) out.push_back(value.text());
  return out;
}

void add_suite(vici::Message& to, const model::Suite& suite) {
  to.add("encr-alg", to_string(suite.encr));
  if (suite.key_bits != 0) to.add("encr-keysize", std::uint64_t{suite.key_bits});
  if (suite.integ != IntegId::none) to.add("integ-alg", to_string(suite.integ));
}

void add_stats(vici::Message& to, const model::SaStats& stats) {
  to.add("bytes-in", stats.bytes_in).add("packets-in", stats.packets_in);
  if (stats.idle_in) to.add("use-in", seconds(*stats.idle_in));
  to.add("bytes-out", stats.bytes_out).add("packets-out", stats.packets_out);
  if (stats.idle_out) to.add("use-out", seconds(*stats.idle_out));
}

vici::Message child_message(const ike::ChildStatus& child, const View& view, Instant now) {
  vici::Message out;
  out.add("name", child.name).add("uniqueid", std::uint64_t{child.id.value()});
  out.add("reqid", std::uint64_t{child.id.value()}).add("state", state_text(child.state));
  out.add("mode", "TUNNEL").add("protocol", "ESP");
  if (child.udp_encap) out.add_flag("encap", true);
  out.add("spi-in", fmt::format("{:08x}", child.spi_in.value()));
  out.add("spi-out", fmt::format("{:08x}", child.spi_out.value()));
  add_suite(out, child.suite);
  if (child.suite.ke != KeId::none) out.add("dh-group", to_string(child.suite.ke));
  if (child.suite.esn == EsnId::esn) out.add("esn", "1");
  out.add("proposal", child.suite.text(ProtocolId::esp));
  if (const auto stats = view.stats(child.id)) add_stats(out, *stats);
  if (child.rekey_at) out.add("rekey-time", seconds(*child.rekey_at - now));
  if (child.expires_at) out.add("life-time", seconds(*child.expires_at - now));
  out.add("install-time", seconds(now - child.installed));
  out.add("local-ts", texts(child.local_ts)).add("remote-ts", texts(child.remote_ts));
  return out;
}

vici::List address_list(const std::vector<model::AddressPattern>& addresses) {
  vici::List out;
  for (const model::AddressPattern& address : addresses) {
    if (const auto* range = std::get_if<IpRange>(&address)) {
      out.push_back(range->first == range->last ? range->first.text() : range->text());
    } else if (const auto* host = std::get_if<model::HostName>(&address)) {
      out.push_back(host->name);
    } else {
      out.emplace_back("%any");
    }
  }
  return out;
}

std::string_view class_text(model::AuthClass method) {
  return method == model::AuthClass::psk ? "pre-shared key" : "public key";
}

std::string_view mode_text(model::ChildMode mode) {
  switch (mode) {
    case model::ChildMode::tunnel:
      return "TUNNEL";
    case model::ChildMode::transport:
      return "TRANSPORT";
    case model::ChildMode::pass:
      return "PASS";
    case model::ChildMode::drop:
      return "DROP";
  }
  return "UNKNOWN";
}

}  // namespace

vici::Message sa_message(const ike::IkeStatus& sa, const View& view, Instant now) {
  vici::Message out;
  vici::Message& to = out.section(sa.connection);
  to.add("uniqueid", std::uint64_t{sa.id.value()}).add("version", "2");
  to.add("state", state_text(sa.state));
  to.add("local-host", sa.local.address.text()).add("local-port", std::uint64_t{sa.local.port});
  to.add("local-id", text_of(sa.local_id));
  to.add("remote-host", sa.remote.address.text());
  to.add("remote-port", std::uint64_t{sa.remote.port}).add("remote-id", text_of(sa.remote_id));
  if (sa.initiator) to.add_flag("initiator", true);
  to.add("initiator-spi", fmt::format("{:016x}", sa.spi_i.value()));
  to.add("responder-spi", fmt::format("{:016x}", sa.spi_r.value()));
  if (sa.nat_local) to.add_flag("nat-local", true);
  if (sa.nat_remote) to.add_flag("nat-remote", true);
  if (sa.nat_local || sa.nat_remote) to.add_flag("nat-any", true);
  const bool agreed = sa.suite.ke != KeId::none;
  if (agreed) {
    add_suite(to, sa.suite);
    to.add("prf-alg", to_string(sa.suite.prf)).add("dh-group", to_string(sa.suite.ke));
    to.add("proposal", sa.suite.text(ProtocolId::ike));
  }
  if (sa.state != ike::IkeStatus::State::connecting) {
    to.add("established", seconds(now - sa.established));
  }
  if (sa.rekey_at) to.add("rekey-time", seconds(*sa.rekey_at - now));
  if (!sa.local_vips.empty()) to.add("local-vips", texts(sa.local_vips));
  if (!sa.remote_vips.empty()) to.add("remote-vips", texts(sa.remote_vips));
  if (!sa.dns.empty()) to.add("dns", texts(sa.dns));
  vici::Message& children = to.section("child-sas");
  for (const ike::ChildStatus& child : sa.children) {
    children.add(fmt::format("{}-{}", child.name, child.id.value()),
                 child_message(child, view, now));
  }
  return out;
}

vici::Message connection_message(const model::Connection& connection) {
  vici::Message out;
  vici::Message& to = out.section(connection.name);
  to.add("local_addrs", address_list(connection.local_addrs));
  to.add("remote_addrs", address_list(connection.remote_addrs));
  to.add("local_port", std::uint64_t{connection.local_port});
  to.add("remote_port", std::uint64_t{connection.remote_port});
  to.add("version", "IKEv2").add("reauth_time", seconds(connection.reauth_time));
  to.add("rekey_time", seconds(connection.lifetime.rekey));
  vici::Message& local = to.section("local-1");
  local.add("class", class_text(connection.local.method));
  if (connection.local.id) local.add("id", pki::to_text(*connection.local.id));
  vici::Message& remote = to.section("remote-1");
  remote.add("class", class_text(connection.remote.method));
  if (connection.remote.id) remote.add("id", pki::to_text(connection.remote.id));
  vici::Message& children = to.section("children");
  for (const model::ChildTemplate& child : connection.children) {
    vici::Message& one = children.section(child.name);
    one.add("mode", mode_text(child.mode));
    one.add("rekey_time", seconds(child.lifetime.rekey));
    one.add("rekey_bytes", child.lifetime.rekey_bytes);
    one.add("rekey_packets", child.lifetime.rekey_packets);
    one.add("local-ts", texts(child.local_ts)).add("remote-ts", texts(child.remote_ts));
  }
  return out;
}

vici::Message policy_message(const ike::ChildStatus& routed, const model::ChildTemplate& child) {
  const std::size_t slash = routed.name.rfind('/');
  vici::Message out;
  vici::Message& to = out.section(routed.name);
  to.add("child", routed.name.substr(slash + 1)).add("ike", routed.name.substr(0, slash));
  to.add("mode", mode_text(child.mode));
  to.add("local-ts", texts(routed.local_ts)).add("remote-ts", texts(routed.remote_ts));
  return out;
}

vici::Message pool_message(const Pool& pool, bool with_leases) {
  vici::Message out;
  out.add("base", pool.config().range.first.text()).add("size", pool.size());
  out.add("online", std::uint64_t{pool.online()}).add("offline", std::uint64_t{pool.offline()});
  if (!with_leases) return out;
  vici::Message& leases = out.section("leases");
  std::size_t number = 0;
  for (const auto& [address, lease] : pool.leases()) {
    vici::Message& one = leases.section(std::to_string(number++));
    one.add("address", address.text()).add("identity", pki::to_text(lease.identity));
    one.add("status", lease.sa != 0 ? "online" : "offline");
  }
  return out;
}

vici::Message failure_message(const ike::FailureRecord& record, Instant now) {
  vici::Message out;
  out.add("age", seconds(now - record.at)).add("reason", ike::to_string(record.reason));
  out.add("role", record.initiator ? "initiator" : "responder").add("phase", record.phase);
  out.add("local", record.local.text()).add("remote", record.remote.text());
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out.add(name, value);
  };
  add("connection", record.connection);
  add("remote-id", record.remote_identity);
  add("field", record.field);
  add("ours", record.ours);
  add("theirs", record.theirs);
  add("advice", record.advice);
  vici::Message& candidates = out.section("candidates");
  for (std::size_t i = 0; i < record.candidates.size(); ++i) {
    const ike::Candidate& candidate = record.candidates[i];
    vici::Message& one = candidates.section(std::to_string(i));
    one.add("connection", candidate.connection).add("field", candidate.field);
    one.add("ours", candidate.ours).add("theirs", candidate.theirs);
  }
  return out;
}

}  // namespace cygnet::control
