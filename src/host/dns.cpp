// Name servers that gateways gave us (RFC 7296 §3.15.1, RFC 8598): recorded and reported.
#include "host/dns.hpp"

#include <algorithm>
#include <utility>

namespace cygnet::host {
namespace {

/// Letters, digits, hyphens, underscores and dots: what may be printed and handed to a resolver.
bool is_domain(const std::string& name) {
  if (name.empty() || name.size() > DnsRecords::kDomainLengthMax) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

void DnsRecords::learned(Owner owner, DnsSettings settings) {
  refused_ += std::erase_if(settings.domains, [](const std::string& d) { return !is_domain(d); });
  refused_ += std::erase_if(settings.servers, [](const IpAddress& a) { return a.is_any(); });
  if (settings.servers.size() > kServersPerOwnerMax) {
    refused_ += settings.servers.size() - kServersPerOwnerMax;
    settings.servers.resize(kServersPerOwnerMax);
  }
  if (settings.domains.size() > kDomainsPerOwnerMax) {
    refused_ += settings.domains.size() - kDomainsPerOwnerMax;
    settings.domains.resize(kDomainsPerOwnerMax);
  }
  if (settings.servers.empty()) {
    owners_.erase(owner);
    return;
  }
  owners_.insert_or_assign(owner, std::move(settings));
}

std::vector<DnsRecords::Entry> DnsRecords::all() const {
  std::vector<Entry> out;
  for (const auto& [owner, settings] : owners_) {
    out.push_back(Entry{.owner = owner, .settings = settings, .applied = false});
  }
  return out;
}

}  // namespace cygnet::host
