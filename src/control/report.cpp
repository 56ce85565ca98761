#include "control/report.hpp"

#include <fmt/format.h>

#include "control/option_text.hpp"
#include "pki/certificate.hpp"
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

vici::Message child_message(const ike::ChildStatus& child, const View& view, Instant now) {
  vici::Message out;
  out.add("name", child.name).add("uniqueid", std::uint64_t{child.id.value()});
  out.add("reqid", std::uint64_t{child.id.value()}).add("state", state_text(child.state));
  out.add("mode", mode_text(child.mode)).add("protocol", "ESP");
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

std::string_view class_text(model::AuthClass method) {
  return method == model::AuthClass::psk ? "pre-shared key" : "public key";
}

std::string_view unique_text(model::Uniqueness unique) {
  switch (unique) {
    case model::Uniqueness::no:
      return "UNIQUE_NO";
    case model::Uniqueness::never:
      return "UNIQUE_NEVER";
    case model::Uniqueness::keep:
      return "UNIQUE_KEEP";
    case model::Uniqueness::replace:
      return "UNIQUE_REPLACE";
  }
  return "UNKNOWN";
}

std::string_view action_text(model::ChildAction action) {
  switch (action) {
    case model::ChildAction::none:
      return "none";
    case model::ChildAction::trap:
      return "trap";
    case model::ChildAction::start:
      return "start";
  }
  return "UNKNOWN";
}

/// What there is to an authentication round besides its id.
void add_auth(vici::Message& to, model::AuthClass method, const std::vector<Bytes>& certs,
              const std::vector<Bytes>& cacerts) {
  to.add("class", class_text(method));
  to.add("groups", vici::List{}).add("cert_policy", vici::List{});
  to.add("certs", subjects(certs)).add("cacerts", subjects(cacerts));
}

/// "1 second", "3 minutes": of each unit up to two of the next.
std::string span_text(Duration span) {
  std::uint64_t count = seconds(span);
  std::string_view unit = "second";
  struct Step {
    std::uint64_t size;
    std::string_view unit;
  };
  for (const Step& step : {Step{60, "minute"}, Step{60, "hour"}, Step{24, "day"}}) {
    if (count <= 2 * step.size) break;
    count /= step.size;
    unit = step.unit;
  }
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

/// What is said of an IKE_SA, without its children.
void add_sa(vici::Message& to, const ike::IkeStatus& sa, Instant now) {
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
  if (sa.reauth_at) to.add("reauth-time", seconds(*sa.reauth_at - now));
  if (!sa.local_vips.empty()) to.add("local-vips", texts(sa.local_vips));
  if (!sa.remote_vips.empty()) to.add("remote-vips", texts(sa.remote_vips));
  if (!sa.dns.empty()) to.add("dns", texts(sa.dns));
}

std::string key_of(const ike::ChildStatus& child) {
  return fmt::format("{}-{}", child.name, child.id.value());
}

/// An IKE_SA under its connection's name, with or without what it has of children.
vici::Message whole_sa(const ike::IkeStatus& sa, const View& view, Instant now) {
  vici::Message out;
  vici::Message& to = out.section(sa.connection);
  add_sa(to, sa, now);
  vici::Message& children = to.section("child-sas");
  for (const ike::ChildStatus& child : sa.children) {
    children.add(key_of(child), child_message(child, view, now));
  }
  return out;
}
vici::Message bare_sa(const ike::IkeStatus& sa, Instant now) {
  vici::Message out;
  add_sa(out.section(sa.connection), sa, now);
  return out;
}

}  // namespace

vici::Message sa_message(const ike::IkeStatus& sa, const View& view, Instant now) {
  return whole_sa(sa, view, now);
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
  to.add("unique", unique_text(connection.unique));
  if (connection.dpd_delay > Duration{0}) to.add("dpd_delay", seconds(connection.dpd_delay));
  vici::Message& local = to.section("local-1");
  if (connection.local.id) local.add("id", pki::to_text(*connection.local.id));
  add_auth(local, connection.local.method, connection.local.certs, {});
  vici::Message& remote = to.section("remote-1");
  if (connection.remote.id) remote.add("id", pki::to_text(connection.remote.id));
  add_auth(remote, connection.remote.method, connection.remote.certs, connection.remote.cacerts);
  vici::Message& children = to.section("children");
  for (const model::ChildTemplate& child : connection.children) {
    vici::Message& one = children.section(child.name);
    one.add("mode", mode_text(child.mode));
    one.add("rekey_time", seconds(child.lifetime.rekey));
    one.add("rekey_bytes", child.lifetime.rekey_bytes);
    one.add("rekey_packets", child.lifetime.rekey_packets);
    one.add("dpd_action", action_text(child.dpd_action));
    one.add("close_action", action_text(child.close_action));
    one.add("local-ts", texts(child.local_ts)).add("remote-ts", texts(child.remote_ts));
  }
  return out;
}

vici::Message policy_message(const ike::ChildStatus& routed, const model::ChildTemplate& child) {
  vici::Message out;
  vici::Message& to = out.section(routed.connection + "/" + routed.name);
  to.add("child", routed.name).add("ike", routed.connection);
  to.add("uniqueid", std::uint64_t{routed.id.value()});
  to.add("reqid", std::uint64_t{routed.id.value()}).add("mode", mode_text(child.mode));
  to.add("local-ts", texts(routed.local_ts)).add("remote-ts", texts(routed.remote_ts));
  return out;
}

vici::Message pool_message(const Pool& pool) {
  vici::Message out;
  out.add("base", pool.config().range.first.text()).add("size", pool.size());
  out.add("online", std::uint64_t{pool.online()}).add("offline", std::uint64_t{pool.offline()});
  return out;
}

void add_leases(vici::Message& to, const Pool& pool, std::uint64_t from, std::size_t& room) {
  // What a lease has beside its address and its holder: names, lengths, "offline".
  constexpr std::size_t kFrame = 64;
  vici::Message leases;
  std::uint64_t number = 0;
  std::uint64_t left = 0;
  for (const auto& [address, lease] : pool.leases()) {
    if (number++ < from) continue;
    if (left != 0) {
      ++left;
      continue;
    }
    const std::string identity = pki::to_text(lease.identity);
    const std::string text = address.text();
    const std::size_t size = kFrame + identity.size() + text.size();
    if (size > room) {
      room = 0;
      left = 1;
      continue;
    }
    room -= size;
    vici::Message& one = leases.section(std::to_string(number - 1));
    one.add("address", text).add("identity", identity);
    one.add("status", lease.sa != 0 ? "online" : "offline");
  }
  to.add("leases", std::move(leases));
  if (left != 0) to.add("leases-left", left);
}

vici::Message failure_message(const Failure& failure, Instant now) {
  const ike::FailureRecord& record = failure.record;
  vici::Message out;
  if (failure.id != 0) out.add("id", failure.id).add("times", failure.times);
  out.add("age", seconds(now - record.at)).add("reason", ike::to_string(record.reason));
  out.add("role", record.initiator ? "initiator" : "responder").add("phase", record.phase);
  if (record.remote.port != 0) {  // else nobody could be called
    out.add("local", record.local.text()).add("remote", record.remote.text());
  }
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out.add(name, value);
  };
  add("connection", record.connection);
  add("remote-id", record.remote_identity);
  add("product", record.product);
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

// --- certificates, counters, algorithms, the process ---------------------------------------------

vici::Message certificate_message(ByteView der, std::string_view flag, bool has_key) {
  vici::Message out;
  out.add("type", "X509").add("flag", flag);
  if (has_key) out.add_flag("has_privkey", true);
  out.add("data", der);
  return out;
}

vici::Message authority_message(const config::Authority& authority) {
  vici::Message out;
  vici::Message& to = out.section(authority.name);
  if (const auto subject = pki::subject_of(authority.cacert)) {
    to.add("cacert", pki::to_text(*subject));
  }
  to.add("crl_uris", authority.crl_uris).add("ocsp_uris", authority.ocsp_uris);
  return out;
}

vici::Message stats_message(const View& view, Instant started, Instant now) {
  const ike::Status status = view.status();
  const ProcessStats process = view.process();
  vici::Message out;
  vici::Message& uptime = out.section("uptime");
  uptime.add("running", span_text(now - started));
  uptime.add("since", view.wall_clock_text(started));
  vici::Message& workers = out.section("workers");
  workers.add("total", std::uint64_t{process.threads}).add("idle", std::uint64_t{process.idle});
  workers.section("active")
      .add("critical", std::uint64_t{0})
      .add("high", std::uint64_t{0})
      .add("medium", std::uint64_t{process.threads - process.idle})
      .add("low", std::uint64_t{0});
  std::uint64_t alarms = 0;
  for (const ike::IkeStatus& sa : status.sas) alarms += sa.rekey_at ? 1U : 0U;
  out.section("queues")
      .add("critical", std::uint64_t{0})
      .add("high", std::uint64_t{0})
      .add("medium", std::uint64_t{0})
      .add("low", std::uint64_t{0});
  out.add("scheduled", alarms);
  out.section("ikesas")
      .add("total", std::uint64_t{status.sas.size()})
      .add("half-open", std::uint64_t{status.half_open});
  out.add("plugins", process.parts);
  const HeapStats& heap = process.heap;
  vici::Message& mallinfo = out.section("mallinfo");
  mallinfo.add("sbrk", heap.sbrk).add("mmap", heap.mmap);
  mallinfo.add("used", heap.used).add("free", heap.free);
  const ike::CounterBook& book = view.counters();
  vici::Message& wakes = out.section("cygnet-wakes");
  for (std::size_t i = 0; i < ike::kWakeReasons; ++i) {
    const auto reason = static_cast<ike::WakeReason>(i);
    wakes.add(to_string(reason), book.of(reason));
  }
  vici::Message& limits = out.section("cygnet-limits");
  for (std::size_t i = 0; i < ike::kLimits; ++i) {
    const auto limit = static_cast<ike::Limit>(i);
    limits.add(to_string(limit), book.of(limit));
  }
  return out;
}

vici::Message counts_message(const ike::Counts& counts) {
  vici::Message out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    out.add(ike::to_string(static_cast<ike::Counter>(i)), counts[i]);
  }
  return out;
}

vici::Message algorithms_message(const crypto::Provider& crypto) {
  vici::Message out;
  const auto add = [&](std::string_view kind, const auto& list, const auto& wanted) {
    vici::Message& to = out.section(kind);
    for (const auto id : list) {
      if (wanted(id)) to.add(to_string(id), std::string_view{crypto.name});
    }
  };
  const auto all = [](const auto&) { return true; };
  add("encryption", crypto.encrs, [](EncrId id) { return !find(id)->aead; });
  add("integrity", crypto.integs, all);
  add("aead", crypto.encrs, [](EncrId id) { return find(id)->aead; });
  add("prf", crypto.prfs, all);
  add("ke", crypto.kes, all);
  return out;
}

// --- events --------------------------------------------------------------------------------------

namespace {

/// What strongSwan's alert of this kind is called; empty when it has none.
std::string_view alert_of(const ike::FailureRecord& record) {
  const bool child = record.phase == "CREATE_CHILD_SA" || record.field == "esp_proposals";
  switch (record.reason) {
    case ike::Reason::no_common_proposal:
      return child ? "proposal-mismatch-child" : "proposal-mismatch-ike";
    case ike::Reason::no_common_selectors:
      return "ts-mismatch";
    case ike::Reason::certificate_expired:
    case ike::Reason::certificate_not_yet_valid:
      return "cert-expired";
    case ike::Reason::certificate_untrusted:
      return "cert-untrusted-root";
    case ike::Reason::certificate_profile:
      return "cert-validation-failed";
    case ike::Reason::certificate_revoked:
      return "cert-revoked";
    case ike::Reason::certificate_missing:
      return "cert-no-issuer";
    case ike::Reason::identity_mismatch:
    case ike::Reason::identity_not_in_certificate:
    case ike::Reason::auth_method_mismatch:
    case ike::Reason::auth_rule:
    case ike::Reason::psk_missing:
    case ike::Reason::psk_wrong:
    case ike::Reason::signature_wrong:
      return "peer-auth-failed";
    case ike::Reason::pool_exhausted:
    case ike::Reason::no_pool:
      return "vip-failure";
    case ike::Reason::unreachable:
      return "peer-addr-failed";
    case ike::Reason::no_response:
      return record.phase == "IKE_SA_INIT" ? "peer-init-unreachable" : "retransmit-send-timeout";
    case ike::Reason::peer_refused:
      return "local-auth-failed";
    case ike::Reason::malformed:
      return "parse-error-body";
    case ike::Reason::install_failed:
      return "install-child-sa-failed";
    case ike::Reason::no_connection:
      return "peer-auth-failed";
    case ike::Reason::limit:
    case ike::Reason::childless_only:
    case ike::Reason::transport_mode:
    case ike::Reason::internal:
      break;
  }
  return {};
}

/// The vici event that an engine's event is; empty when it is none.
std::string_view name_of(const ike::event::IkeUp&) { return "ike-updown"; }
std::string_view name_of(const ike::event::IkeDown&) { return "ike-updown"; }
std::string_view name_of(const ike::event::ChildUp&) { return "child-updown"; }
std::string_view name_of(const ike::event::ChildDown&) { return "child-updown"; }
std::string_view name_of(const ike::event::IkeRekeyed&) { return "ike-rekey"; }
std::string_view name_of(const ike::event::ChildRekeyed&) { return "child-rekey"; }
std::string_view name_of(const ike::event::IkeMoved&) { return "ike-update"; }
std::string_view name_of(const ike::event::Failed& e) {
  return alert_of(e.record).empty() ? "" : "alert";
}

vici::Message updown(bool up, vici::Message sa) {
  vici::Message message;
  if (up) message.add_flag("up", true);
  for (const vici::Item& item : sa.items()) {
    message.add(item.name, std::get<vici::Message>(item.content));
  }
  return message;
}

vici::Message message_of(const ike::event::IkeUp& e, const View&, Instant now) {
  return updown(true, bare_sa(e.status, now));
}
vici::Message message_of(const ike::event::IkeDown& e, const View&, Instant now) {
  return updown(false, bare_sa(e.status, now));
}
vici::Message message_of(const ike::event::ChildUp& e, const View& view, Instant now) {
  return updown(true, whole_sa(e.status, view, now));
}
vici::Message message_of(const ike::event::ChildDown& e, const View& view, Instant now) {
  return updown(false, whole_sa(e.status, view, now));
}
vici::Message message_of(const ike::event::IkeRekeyed& e, const View&, Instant now) {
  vici::Message message;
  vici::Message& sa = message.section(e.connection);
  add_sa(sa.section("old"), e.before, now);
  add_sa(sa.section("new"), e.after, now);
  return message;
}
vici::Message message_of(const ike::event::ChildRekeyed& e, const View& view, Instant now) {
  vici::Message message;
  vici::Message& sa = message.section(e.connection);
  add_sa(sa, e.status, now);
  vici::Message& child = sa.section("child-sas").section(e.name);
  for (const ike::ChildStatus& one : e.status.children) {
    child.add(one.id == e.old ? "old" : "new", child_message(one, view, now));
  }
  return message;
}
vici::Message message_of(const ike::event::IkeMoved& e, const View&, Instant now) {
  vici::Message message;
  message.add("local-host", e.local.address.text()).add("local-port", std::uint64_t{e.local.port});
  message.add("remote-host", e.remote.address.text());
  message.add("remote-port", std::uint64_t{e.remote.port});
  add_sa(message.section(e.connection), e.before, now);
  return message;
}
vici::Message message_of(const ike::event::Failed& e, const View&, Instant now) {
  vici::Message message;
  message.add("type", alert_of(e.record));
  message.add("cygnet", failure_message({.record = ike::shortened(e.record)}, now));
  return message;
}

}  // namespace

std::optional<ViciEvent> event_message(const ike::Event& event, const View& view, Instant now) {
  return std::visit(
      [&](const auto& one) -> std::optional<ViciEvent> {
        if constexpr (requires { name_of(one); }) {
          const std::string_view name = name_of(one);
          if (name.empty() || !view.anybody_hears(name)) return std::nullopt;
          return ViciEvent{std::string{name}, message_of(one, view, now)};
        } else {
          return std::nullopt;
        }
      },
      event);
}

}  // namespace cygnet::control
