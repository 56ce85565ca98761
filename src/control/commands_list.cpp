// Showing what is configured.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "control/commands.hpp"
#include "control/report.hpp"
#include "pki/identity.hpp"

namespace cygnet::control {
namespace {

/// The parts of a list-certs request; ANY and nothing mean all.
bool admits(std::string_view text, std::string_view value) {
  const std::string wanted = upper_case(text);
  return wanted.empty() || wanted == "ANY" || wanted == value;
}

}  // namespace

void Commands::list_conns() {
  const std::string_view only = request.text("ike");
  std::deque<Listing::Part> parts;
  for (const model::Connection& connection : self.configuration_.connections()) {
    if (only.empty() || connection.name == only)
      parts.emplace_back(part::Connection{connection.name});
  }
  list("list-conn", std::move(parts));
}

void Commands::get_conns() {
  vici::List names;
  for (const model::Connection& connection : self.configuration_.connections()) {
    if (self.configuration_.is_managed(connection.name)) names.push_back(connection.name);
  }
  vici::Message answer;
  answer.add("conns", std::move(names));
  respond(std::move(answer));
}

void Commands::list_certs() {
  const Credentials& credentials = self.configuration_.credentials();
  const std::string_view subject = request.text("subject");
  const auto wanted = pki::parse_identity(subject);
  std::deque<Listing::Part> parts;
  const auto add = [&](const pki::Certificate& one, std::string_view flag) {
    if (!subject.empty() && !(wanted && one.confirms(*wanted))) return;
    parts.emplace_back(part::Certificate{to_bytes(one.der()), flag, credentials.has_key(one)});
  };
  if (admits(request.text("type"), "X509") && admits(request.text("flag"), "NONE")) {
    for (const pki::Certificate& one : credentials.others().all()) add(one, "NONE");
    // Those that connections name are nobody else's.
    std::set<Bytes> named;
    for (const model::Connection& connection : self.configuration_.connections()) {
      for (const Bytes& der : connection.local.certs) {
        if (credentials.others().contains(der) || !named.insert(der).second) continue;
        if (const auto one = pki::Certificate::parse(der)) add(*one, "NONE");
      }
    }
  }
  if (admits(request.text("type"), "X509") && admits(request.text("flag"), "CA")) {
    for (const pki::Certificate& one : credentials.trust().anchors) add(one, "CA");
  }
  list("list-cert", std::move(parts));
}

void Commands::list_authorities() {
  const std::string_view only = request.text("name");
  for (const config::Authority& authority : self.configuration_.credentials().authorities()) {
    if (only.empty() || authority.name == only) {
      stream("list-authority", authority_message(authority));
    }
  }
  respond({});
}

void Commands::get_authorities() {
  vici::List names;
  for (const config::Authority& one : self.configuration_.credentials().authorities()) {
    if (one.origin == config::Origin::swanctl) names.push_back(one.name);
  }
  vici::Message answer;
  answer.add("authorities", std::move(names));
  respond(std::move(answer));
}

/// Those of ipsec.conf are not swanctl's; our own command asks for all.
void Commands::get_pools() {
  vici::Message answer;
  const std::string_view only = request.text("name");
  std::size_t room = request.flag("leases") ? kLeaseOctetsMax : 0;
  for (const auto& [name, pool] : self.pools_.all()) {
    if (!only.empty() && name != only) continue;
    if (!request.flag("all") && !self.pools_.is_managed(name)) continue;
    vici::Message one = pool_message(pool);
    if (request.flag("leases")) add_leases(one, pool, request.number("from").value_or(0), room);
    answer.add(name, std::move(one));
  }
  respond(std::move(answer));
}

// --- part by part --------------------------------------------------------------------------------

void Commands::list(std::string event, std::deque<Listing::Part> parts) {
  self.listings_.insert_or_assign(
      client, Listing{.event = std::move(event), .parts = std::move(parts), .last = {}});
  self.resume(client, view, now, out);
}

void Controller::resume(ClientId client, const View& view, Instant now, Effects& out) {
  const auto at = listings_.find(client);
  if (at == listings_.end()) return;  // it has gone
  Listing& listing = at->second;
  for (std::size_t i = 0; i < kPartsAtOnce && !listing.parts.empty(); ++i) {
    if (auto message = message_of(listing.parts.front(), view, now)) {
      out.emplace_back(effect::Stream{client, listing.event, *std::move(message)});
    }
    listing.parts.pop_front();
  }
  if (!listing.parts.empty()) {
    out.emplace_back(effect::Resume{client});
    return;
  }
  out.emplace_back(effect::Respond{client, std::move(listing.last)});
  listings_.erase(at);
}

std::optional<vici::Message> Controller::message_of(const Listing::Part& part, const View& view,
                                                    Instant now) const {
  if (const auto* sa = std::get_if<part::Sa>(&part)) return sa_message(sa->status, view, now);
  if (const auto* certificate = std::get_if<part::Certificate>(&part)) {
    return certificate_message(certificate->der, certificate->flag, certificate->has_key);
  }
  if (const auto* policy = std::get_if<part::Policy>(&part)) {
    const model::Connection* connection = find(policy->routed.connection);
    const model::ChildTemplate* child =
        connection == nullptr ? nullptr : connection->find_child(policy->routed.name);
    return policy_message(policy->routed, child == nullptr ? model::ChildTemplate{} : *child);
  }
  if (const auto* change = std::get_if<part::Change>(&part)) return change->told;
  const model::Connection* connection = find(std::get<part::Connection>(part).name);
  if (connection == nullptr) return std::nullopt;
  return connection_message(*connection);
}

}  // namespace cygnet::control
