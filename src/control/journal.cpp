#include "control/journal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/upper_case.hpp"
#include "pki/identity.hpp"

namespace cygnet::control {
namespace {

using model::LogGroup;
using model::LogLevel;

std::string subject(const std::string& connection, ike::SaId sa) {
  if (connection.empty() && sa.value() == 0) return "ike";
  return fmt::format("{}[{}]", connection.empty() ? "?" : connection, sa.value());
}

std::string because(const std::string& why) { return why.empty() ? "" : ": " + why; }

template <class T>
std::string texts(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) out += (out.empty() ? "" : ", ") + value.text();
  return out;
}

std::string number(const auto& id) { return id.value() == 0 ? "" : std::to_string(id.value()); }

/// A line about an IKE_SA.
LogLine about(LogLevel level, std::string_view event, const std::string& connection, ike::SaId sa,
              const std::string& what) {
  LogLine out{.level = level,
              .group = LogGroup::ike,
              .sentence = subject(connection, sa) + ": " + what,
              .event = event};
  out.with("connection", connection).with("ike_id", number(sa));
  return out;
}

/// A line about one of its children.
template <class Event>
LogLine about_child(LogLevel level, std::string_view event, const Event& e, model::ChildId id,
                    const std::string& what) {
  LogLine out = about(level, event, e.connection, e.sa,
                      fmt::format("child {}[{}] {}", e.name, id.value(), what));
  out.group = LogGroup::chd;
  out.with("child", e.name).with("child_id", number(id));
  return out;
}

/// A line about a child that is not there.
template <class Event>
LogLine about_wish(std::string_view event, const Event& e, std::string_view what) {
  LogLine out{.level = LogLevel::info,
              .group = LogGroup::chd,
              .sentence = fmt::format("{}/{} {}{}", e.connection, e.child, what, because(e.why)),
              .event = event};
  out.with("connection", e.connection).with("child", e.child).with("why", e.why);
  return out;
}

/// Who is at the other end, and where; the text ends with it when this is `told`.
LogLine& with_peer(LogLine& line, const ike::IkeStatus& status, bool told = false) {
  if (status.remote == Endpoint{}) return line;
  line.with("peer", status.remote.text(), told);
  return line.with("peer_id", status.remote_id ? pki::to_text(*status.remote_id) : "", told);
}

using Line = std::optional<LogLine>;

Line line(const ike::event::IkeUp& e) {
  LogLine out = about(LogLevel::notice, "ike-up", e.connection, e.sa, "IKE_SA established");
  return with_peer(out, e.status, true);
}
Line line(const ike::event::IkeDown& e) {
  LogLine out =
      about(LogLevel::notice, "ike-down", e.connection, e.sa, "IKE_SA closed" + because(e.why));
  return with_peer(out, e.status).with("why", e.why);
}
Line line(const ike::event::IkeRekeyed& e) {
  LogLine out = about(LogLevel::info, "ike-rekeyed", e.connection, e.fresh,
                      fmt::format("IKE_SA rekeyed, was [{}]", e.old.value()));
  return with_peer(out, e.after).with("old_ike_id", number(e.old));
}
Line line(const ike::event::VirtualIps& e) {
  LogLine out =
      about(LogLevel::info, "virtual-ips", e.connection, e.sa, "virtual IP " + texts(e.addresses));
  if (!e.dns.empty()) out.sentence += "; DNS " + texts(e.dns);
  return out.with("virtual_ips", texts(e.addresses)).with("dns", texts(e.dns));
}
Line line(const ike::event::VirtualIpsGone& e) {
  LogLine out = about(LogLevel::debug, "virtual-ips-gone", e.connection, e.sa,
                      "virtual IP given back " + texts(e.addresses));
  return out.with("virtual_ips", texts(e.addresses));
}
Line line(const ike::event::IkeMoved& e) {
  LogLine out = about(LogLevel::notice, "ike-moved", e.connection, e.sa,
                      fmt::format("moved to {} - {}", e.local.text(), e.remote.text()));
  out.with("local", e.local.text()).with("peer", e.remote.text());
  return out.with("peer_id", e.before.remote_id ? pki::to_text(*e.before.remote_id) : "");
}
Line line(const ike::event::ChildUp& e) {
  LogLine out = about_child(LogLevel::notice, "child-up", e, e.child, "up");
  for (const ike::ChildStatus& child : e.status.children) {
    if (child.id != e.child) continue;
    out.with("local_ts", texts(child.local_ts), true);
    out.with("remote_ts", texts(child.remote_ts), true);
  }
  return with_peer(out, e.status);
}
Line line(const ike::event::ChildDown& e) {
  LogLine out = about_child(LogLevel::notice, "child-down", e, e.child, "down" + because(e.why));
  return with_peer(out, e.status).with("why", e.why);
}
Line line(const ike::event::ChildRekeyed& e) {
  LogLine out = about_child(LogLevel::info, "child-rekeyed", e, e.fresh,
                            fmt::format("rekeyed, was [{}]", e.old.value()));
  return with_peer(out, e.status).with("old_child_id", number(e.old));
}
Line line(const ike::event::Failed& e) {
  const ike::FailureRecord& record = e.record;
  LogLine out{.level = LogLevel::warning,
              .group = LogGroup::ike,
              .sentence = record.line(),
              .event = "failure"};
  out.with("connection", record.connection).with("local", record.local.text());
  out.with("peer", record.remote.text()).with("peer_id", record.remote_identity);
  out.with("product", record.product);
  out.with("role", record.initiator ? "initiator" : "responder").with("phase", record.phase);
  out.with("reason", std::string{to_string(record.reason)}).with("field", record.field);
  out.with("ours", record.ours).with("theirs", record.theirs);
  return out.with("advice", record.advice);
}
Line line(const ike::event::CommandDone&) { return std::nullopt; }
Line line(const ike::event::WantReauth& e) {
  return about(LogLevel::info, "reauthenticating", e.connection, e.sa, "reauthenticating")
      .with("peer", e.remote.text());
}
Line line(const ike::event::WantUp& e) { return about_wish("wanted", e, "wanted"); }
Line line(const ike::event::WantRoute& e) {
  return about_wish("trap-wanted", e, "waits for traffic");
}
Line line(const ike::event::Unrouted&) { return std::nullopt; }  // its failure was told
Line line(const ike::event::Quiet&) { return std::nullopt; }
Line line(const ike::event::Note& e) {
  const bool message = e.level >= 2;
  LogLine out = about(message ? LogLevel::debug : LogLevel::info, message ? "message" : "note",
                      e.connection, e.sa, e.text);
  if (message) out.group = LogGroup::enc;
  return out;
}

/// As strongSwan counts.
std::uint64_t charon_level(LogLevel level) {
  if (level <= LogLevel::notice) return 0;
  return level == LogLevel::info ? 1 : level == LogLevel::debug ? 2 : 3;
}

}  // namespace

vici::Message log_message(const LogLine& line, std::optional<unsigned> thread) {
  vici::Message out;
  out.add("group", upper_case(to_string(line.group))).add("level", charon_level(line.level));
  if (thread) out.add("thread", std::uint64_t{*thread});
  const std::string_view connection = line.value("connection");
  if (!connection.empty()) out.add("ikesa-name", connection);
  const std::string_view sa = line.value("ike_id");
  if (!sa.empty()) out.add("ikesa-uniqueid", sa);
  out.add("msg", line.text());
  return out;
}

std::optional<LogLine> line_of(const ike::Event& event) {
  return std::visit([](const auto& one) { return line(one); }, event);
}

}  // namespace cygnet::control
