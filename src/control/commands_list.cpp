// Showing what is configured.
#include <fmt/format.h>

#include <algorithm>

#include "control/commands.hpp"
#include "control/report.hpp"

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
  for (const model::Connection& connection : self.configuration_.connections()) {
    if (only.empty() || connection.name == only) {
      stream("list-conn", connection_message(connection));
    }
  }
  respond({});
}

void Commands::get_conns() {
  vici::List names;
  for (const model::Connection& connection : self.configuration_.connections()) {
    names.push_back(connection.name);
  }
  vici::Message answer;
  answer.add("conns", std::move(names));
  respond(std::move(answer));
}

void Commands::list_certs() {
  const Credentials& credentials = self.configuration_.credentials();
  const auto each = [&](const std::vector<pki::Certificate>& all, std::string_view flag) {
    for (const pki::Certificate& one : all) {
      const std::string_view subject = request.text("subject");
      const bool fits = admits(request.text("type"), "X509") &&
                        admits(request.text("flag"), flag) &&
                        (subject.empty() || names_subject(one, subject));
      if (fits) stream("list-cert", certificate_message(one, flag, credentials.has_key(one)));
    }
  };
  each(credentials.trust().intermediates, "NONE");
  // Those that connections name are nobody else's.
  std::vector<pki::Certificate> named;
  for (const model::Connection& connection : self.configuration_.connections()) {
    for (const Bytes& der : connection.local.certs) {
      auto one = pki::Certificate::parse(der);
      if (!one || std::ranges::find(named, *one) != named.end()) continue;
      const auto& listed = credentials.trust().intermediates;
      if (std::ranges::find(listed, *one) == listed.end()) named.push_back(*std::move(one));
    }
  }
  each(named, "NONE");
  each(credentials.trust().anchors, "CA");
  respond({});
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
    names.push_back(one.name);
  }
  vici::Message answer;
  answer.add("authorities", std::move(names));
  respond(std::move(answer));
}

void Commands::get_pools() {
  vici::Message answer;
  const std::string_view only = request.text("name");
  for (const auto& [name, pool] : self.pools_.all()) {
    if (!only.empty() && name != only) continue;
    answer.add(name, pool_message(pool, request.flag("leases")));
  }
  respond(std::move(answer));
}

}  // namespace cygnet::control
