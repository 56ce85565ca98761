// A copy of what is true now, for status displays.
#include <algorithm>

#include "ike/engine_impl.hpp"

namespace cygnet::ike {
namespace {

ChildStatus status_of(const Child& child) {
  ChildStatus out{.id = child.id,
                  .name = child.wanted.name,
                  .spi_in = child.spi_in,
                  .spi_out = child.spi_out,
                  .suite = child.suite,
                  .mode = child.wanted.mode,
                  .udp_encap = child.udp_encap,
                  .local_ts = child.local_ts,
                  .remote_ts = child.remote_ts,
                  .installed = child.installed,
                  .rekey_at = child.rekey_at,
                  .expires_at = child.expires_at};
  if (!child.is_current()) {
    out.state = ChildStatus::State::deleting;
  } else if (child.rekeying) {
    out.state = ChildStatus::State::rekeying;
  }
  return out;
}

IkeStatus::State state_of(const IkeSa& sa) {
  if (!sa.is_established()) return IkeStatus::State::connecting;
  if (!sa.is_current()) return IkeStatus::State::deleting;
  if (sa.active && std::holds_alternative<DeleteIke>(*sa.active)) return IkeStatus::State::deleting;
  if (sa.active && std::holds_alternative<RekeyIke>(*sa.active)) return IkeStatus::State::rekeying;
  return IkeStatus::State::established;
}

IkeStatus status_of(const IkeSa& sa) {
  return {.id = sa.id,
          .connection = sa.connection.name,
          .state = state_of(sa),
          .initiator = sa.initiator,
          .first_initiator = sa.first_initiator,
          .spi_i = sa.spi_i,
          .spi_r = sa.spi_r,
          .local = sa.local,
          .remote = sa.remote,
          .local_id = sa.local_id,
          .remote_id = sa.remote_id,
          .nat_local = sa.nat_local,
          .nat_remote = sa.nat_remote,
          .suite = sa.suite,
          .local_vips = sa.local_vips,
          .remote_vips = sa.remote_vips,
          .dns = sa.dns,
          .established = sa.established,
          .rekey_at = sa.rekey_at,
          .reauth_at = sa.reauth_at,
          .waiting = sa.tasks.size() + sa.delayed.size()};
}

}  // namespace

IkeStatus snapshot(const IkeSa& sa, const std::vector<model::ChildId>& children) {
  IkeStatus out = status_of(sa);
  for (const model::ChildId id : children) {
    const auto at = std::ranges::find(sa.children.all(), id, &Child::id);
    if (at != sa.children.all().end()) out.children.push_back(status_of(*at));
  }
  return out;
}

Status Engine::status() const {
  Status out;
  out.half_open = impl_->half_open.size();
  for (const auto& [id, sa] : impl_->sas) {
    if (sa.is_closed()) continue;
    IkeStatus one = status_of(sa);
    for (const Child& child : sa.children.all()) one.children.push_back(status_of(child));
    out.sas.push_back(std::move(one));
  }
  for (const RoutedChild& route : impl_->routed) {
    out.routed.push_back({.id = route.id,
                          .connection = route.connection,
                          .name = route.wanted.name,
                          .state = ChildStatus::State::routed,
                          .local_ts = route.local_ts,
                          .remote_ts = route.remote_ts,
                          .installed = route.installed});
  }
  return out;
}

}  // namespace cygnet::ike
