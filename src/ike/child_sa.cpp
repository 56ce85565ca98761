#include "ike/child_sa.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/writer.hpp"
#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

/// The template's proposals as this exchange and this plane can offer them.
std::vector<model::Proposal> usable_proposals(const model::ChildTemplate& wanted,
                                              const EngineConfig& config, bool in_ike_auth) {
  std::vector<model::Proposal> out;
  for (model::Proposal proposal : wanted.esp_proposals) {
    std::erase_if(proposal.transforms, [&](const model::Transform& transform) {
      // IKE_AUTH has no key exchange of its own (RFC 7296 §1.2).
      if (in_ike_auth && transform.type == TransformType::ke) return true;
      return !config.esn && transform.type == TransformType::esn &&
             transform.id == static_cast<std::uint16_t>(EsnId::esn);
    });
    if (!proposal.has(TransformType::esn)) {
      proposal.transforms.push_back(
          {.type = TransformType::esn, .id = static_cast<std::uint16_t>(EsnId::none)});
    }
    if (std::ranges::find(out, proposal) == out.end()) out.push_back(std::move(proposal));
  }
  return out;
}

std::optional<EspSpi> spi_from(const Bytes& bytes) {
  const auto spi = from_wire<EspSpi>(bytes);
  if (!spi || spi->value() < 256) return std::nullopt;  // reserved (RFC 4303 §2.1)
  return spi;
}

Refusal no_proposal(const std::vector<model::Proposal>& ours,
                    const std::vector<model::Proposal>& theirs, const model::Mismatch& mismatch) {
  return {.notify = NotifyType::no_proposal_chosen,
          .record = {.reason = Reason::no_common_proposal,
                     .field = "esp_proposals",
                     .ours = text_of(ours),
                     .theirs = text_of(theirs),
                     .advice = "the nearest proposals differ in " + to_string(mismatch.type) +
                               ": add one that both ends list"}};
}

Refusal malformed(std::string what) {
  return {.notify = NotifyType::invalid_syntax,
          .record = {.reason = Reason::malformed, .theirs = std::move(what)}};
}

using Selectors = std::vector<model::TrafficSelector>;

bool share_a_family(const Selectors& a, const Selectors& b) {
  return std::ranges::any_of(a, [&b](const model::TrafficSelector& one) {
    return std::ranges::find(b, one.family(), &model::TrafficSelector::family) != b.end();
  });
}

/// What to do where our `field` and what the peer has there have nothing in common.
std::string selector_advice(std::string_view field, const Selectors& ours,
                            const Selectors& theirs) {
  const std::string_view mirror = field == "local_ts" ? "remote_ts" : "local_ts";
  if (!ours.empty() && !theirs.empty() && !share_a_family(ours, theirs)) {
    const bool v6 = theirs.front().family() == IpFamily::v6;
    return fmt::format("{} has no {} selector: add one, or take it out of the peer's {}", field,
                       v6 ? "IPv6" : "IPv4", mirror);
  }
  return fmt::format("make {} here overlap the peer's {}: addresses, protocol and ports", field,
                     mirror);
}

Refusal no_selectors(const Selectors& our_local, const Selectors& our_remote,
                     const Selectors& their_local, const Selectors& their_remote) {
  Refusal out{.notify = NotifyType::ts_unacceptable,
              .record = {.reason = Reason::no_common_selectors,
                         .field = "local_ts, remote_ts",
                         .ours = text_of(our_local) + " === " + text_of(our_remote),
                         .theirs = text_of(their_local) + " === " + text_of(their_remote),
                         .advice = "make local_ts of one end overlap remote_ts of the other"}};
  const bool local_fits = !model::intersect(our_local, their_local).empty();
  const bool remote_fits = !model::intersect(our_remote, their_remote).empty();
  if (local_fits == remote_fits) return out;
  out.record.field = remote_fits ? "local_ts" : "remote_ts";
  out.record.advice = remote_fits ? selector_advice(out.record.field, our_local, their_local)
                                  : selector_advice(out.record.field, our_remote, their_remote);
  return out;
}

/// A client that asks for no address where we would give one stays outside of remote_ts.
void blame_missing_address(const IkeSa& sa, Refusal& refusal) {
  const bool given = !sa.remote_vips.empty() || sa.initiator || sa.connection.pools.empty();
  if (given || refusal.record.field != "remote_ts") return;
  refusal.record.advice =
      "the client asks for no address of our pools: set vips = 0.0.0.0 there, or widen remote_ts";
}

/// One template against a request's selectors.
struct Narrowed {
  std::vector<model::TrafficSelector> local;
  std::vector<model::TrafficSelector> remote;
  std::vector<model::TrafficSelector> our_local;
  std::vector<model::TrafficSelector> our_remote;
  [[nodiscard]] bool empty() const { return local.empty() || remote.empty(); }
};

Narrowed narrow(const IkeSa& sa, const model::ChildTemplate& wanted, const wire::TsPayload& theirs,
                const wire::TsPayload& mine) {
  Narrowed out;
  out.our_local = resolve(wanted.local_ts, local_hosts(sa));
  out.our_remote = resolve(wanted.remote_ts, remote_hosts(sa));
  out.local = model::intersect(out.our_local, mine.selectors);
  out.remote = model::intersect(out.our_remote, theirs.selectors);
  return out;
}

model::SaSpec sa_spec(const model::Suite& suite, EspSpi spi, const Secret& encr,
                      const Secret& integ) {
  return {.spi = spi,
          .encr = suite.encr,
          .key_bits = suite.key_bits,
          .integ = suite.integ,
          .encr_key = encr.clone(),
          .integ_key = integ.clone(),
          .esn = suite.esn == EsnId::esn};
}

void start_timers(Child& child, Context& cx) {
  const model::Lifetime& life = child.wanted.lifetime;
  child.installed = cx.now;
  if (life.rekey > Duration{0}) {
    const auto jitter = static_cast<std::uint64_t>(std::max<std::int64_t>(life.jitter.count(), 0));
    child.rekey_at =
        cx.now + life.rekey - Duration{static_cast<std::int64_t>(cx.rng.below(jitter))};
  }
  if (life.life > Duration{0}) child.expires_at = cx.now + life.life;
}

}  // namespace

std::vector<IpAddress> local_hosts(const IkeSa& sa) {
  return sa.local_vips.empty() ? std::vector{sa.packet_ends().local.address} : sa.local_vips;
}
std::vector<IpAddress> remote_hosts(const IkeSa& sa) {
  if (!sa.remote_vips.empty()) return sa.remote_vips;
  // Where a NAT puts a caller is for anybody to claim who has its keys; its first message was
  // answered where it came from.
  const bool claims = sa.nat_remote && !sa.first_initiator;
  return {claims ? sa.init_remote.address : sa.packet_ends().remote.address};
}

std::vector<model::TrafficSelector> resolve(const std::vector<model::SelectorTemplate>& templates,
                                            const std::vector<IpAddress>& hosts) {
  std::vector<model::TrafficSelector> out;
  for (const model::SelectorTemplate& one : templates) {
    for (const model::TrafficSelector& selector : one.resolve(hosts)) out.push_back(selector);
  }
  return out;
}

KeId first_group(const model::ChildTemplate& wanted) {
  for (const model::Proposal& proposal : wanted.esp_proposals) {
    for (const model::Transform& transform : proposal.of(TransformType::ke)) {
      return static_cast<KeId>(transform.id);
    }
  }
  return KeId::none;
}

std::vector<wire::Payload> offer_child(const IkeSa& sa, const EngineConfig& config,
                                       const model::ChildTemplate& wanted, EspSpi spi_in,
                                       const OfferRules& rules) {
  wire::SaPayload offer;
  for (model::Proposal& proposal : usable_proposals(wanted, config, rules.in_ike_auth)) {
    offer.proposals.push_back({.number = static_cast<std::uint8_t>(offer.proposals.size() + 1),
                               .spi = to_wire(spi_in),
                               .proposal = std::move(proposal)});
    if (offer.proposals.size() == wire::kProposalsMax) break;
  }
  // Before the gateway has given us addresses, `dynamic` asks for whatever it will give.
  std::vector<IpAddress> hosts = local_hosts(sa);
  const bool asks_addresses = rules.in_ike_auth && !sa.connection.vips.empty();
  std::vector<model::TrafficSelector> local;
  if (asks_addresses) {
    for (const model::SelectorTemplate& one : wanted.local_ts) {
      if (!one.dynamic) {
        local.push_back(one.selector);
        continue;
      }
      for (const IpAddress& vip : sa.connection.vips) {
        model::TrafficSelector any = model::TrafficSelector::any(vip.family());
        any.protocol = one.selector.protocol;
        any.start_port = one.selector.start_port;
        any.end_port = one.selector.end_port;
        if (std::ranges::find(local, any) == local.end()) local.push_back(any);
      }
    }
  } else {
    local = resolve(wanted.local_ts, hosts);
  }
  std::vector<model::TrafficSelector> remote = resolve(wanted.remote_ts, remote_hosts(sa));
  if (rules.trigger) {
    local.insert(local.begin(), rules.trigger->source_selector());
    remote.insert(remote.begin(), rules.trigger->destination_selector());
  }
  // What is beyond was never configured (config/load_child.cpp): addresses multiply `dynamic`.
  local.resize(std::min(local.size(), wire::kSelectorsMax));
  remote.resize(std::min(remote.size(), wire::kSelectorsMax));
  return {std::move(offer), wire::TsPayload{.initiator = true, .selectors = std::move(local)},
          wire::TsPayload{.initiator = false, .selectors = std::move(remote)}};
}

namespace {

/// An offer's parts, all there.
struct Offer {
  const wire::SaPayload& sa;
  const wire::TsPayload& ts_i;
  const wire::TsPayload& ts_r;
};

/// What this template makes of the offer.
std::expected<Agreement, Refusal> answer_with(const IkeSa& sa, const EngineConfig& config,
                                              const model::ChildTemplate& wanted,
                                              const Offer& offer, bool in_ike_auth) {
  if (wanted.mode == model::ChildMode::transport && !config.transport_mode) {
    return std::unexpected(
        Refusal{.record = {.reason = Reason::transport_mode,
                           .field = "mode",
                           .ours = "transport",
                           .advice = "this data plane has tunnel mode only; set mode = tunnel"}});
  }
  Narrowed narrowed = narrow(sa, wanted, offer.ts_i, offer.ts_r);
  if (narrowed.empty()) {
    Refusal refusal = no_selectors(narrowed.our_local, narrowed.our_remote, offer.ts_r.selectors,
                                   offer.ts_i.selectors);
    blame_missing_address(sa, refusal);
    return std::unexpected(std::move(refusal));
  }
  const auto ours = usable_proposals(wanted, config, in_ike_auth);
  const auto choice = model::choose(ours, offer.sa.offers(), {.ignore_ke = in_ike_auth});
  if (!choice) return std::unexpected(no_proposal(ours, offer.sa.offers(), choice.error()));
  const wire::OfferedProposal& theirs = offer.sa.proposals[choice->theirs];
  const auto spi_out = spi_from(theirs.spi);
  if (!spi_out) return std::unexpected(malformed("an ESP SPI that is not 4 octets or is reserved"));
  return Agreement{.wanted = &wanted,
                   .proposal_number = theirs.number,
                   .suite = choice->suite,
                   .spi_out = *spi_out,
                   .local_ts = std::move(narrowed.local),
                   .remote_ts = std::move(narrowed.remote)};
}

/// The packet that made the peer ask, if there was one, would be carried (RFC 7296 §2.9).
bool has_first(const Agreement& agreed, const Offer& offer) {
  const auto has = [](const auto& selectors, const wire::TsPayload& theirs) {
    return std::ranges::any_of(selectors, [&theirs](const model::TrafficSelector& one) {
      return !theirs.selectors.empty() && one.contains(theirs.selectors.front());
    });
  };
  return has(agreed.local_ts, offer.ts_r) && has(agreed.remote_ts, offer.ts_i);
}

/// The refusal that tells most: of a template that got further than the selectors.
bool tells_more(const Refusal& one, const std::optional<Refusal>& other) {
  return !other || one.record.reason != Reason::no_common_selectors;
}

}  // namespace

std::expected<Agreement, Refusal> answer_offer(const IkeSa& sa, const EngineConfig& config,
                                               const std::vector<wire::Payload>& request,
                                               const AnswerRules& rules) {
  const auto* offered = first_of<wire::SaPayload>(request);
  const wire::TsPayload* ts_i = find_ts(request, true);
  const wire::TsPayload* ts_r = find_ts(request, false);
  if (offered == nullptr || ts_i == nullptr || ts_r == nullptr) {
    return std::unexpected(malformed("SA, TSi or TSr is missing"));
  }
  const Offer offer{*offered, *ts_i, *ts_r};
  if (rules.rekeyed != nullptr) {
    return answer_with(sa, config, rules.rekeyed->wanted, offer, rules.in_ike_auth);
  }
  std::optional<Agreement> first;
  std::optional<Refusal> refusal;
  for (const model::ChildTemplate& wanted : sa.connection.children) {
    if (wanted.is_shunt()) continue;
    auto agreed = answer_with(sa, config, wanted, offer, rules.in_ike_auth);
    if (!agreed) {
      if (tells_more(agreed.error(), refusal)) refusal = std::move(agreed).error();
      continue;
    }
    if (has_first(*agreed, offer)) return *std::move(agreed);
    if (!first) first = *std::move(agreed);
  }
  if (first) return *std::move(first);
  if (!refusal) {
    refusal = no_selectors({}, {}, ts_r->selectors, ts_i->selectors);
    refusal->record.ours = "no children configured";
  }
  return std::unexpected(*std::move(refusal));
}

std::vector<wire::Payload> answer_child(const Agreement& agreed, EspSpi spi_in) {
  wire::SaPayload answer;
  answer.proposals.push_back({.number = agreed.proposal_number,
                              .spi = to_wire(spi_in),
                              .proposal = model::proposal_of(agreed.suite, ProtocolId::esp)});
  return {std::move(answer), wire::TsPayload{.initiator = true, .selectors = agreed.remote_ts},
          wire::TsPayload{.initiator = false, .selectors = agreed.local_ts}};
}

std::expected<Agreement, Refusal> take_answer(const IkeSa& sa, const EngineConfig& config,
                                              const model::ChildTemplate& wanted,
                                              const std::vector<wire::Payload>& reply,
                                              bool in_ike_auth) {
  const auto* answer = first_of<wire::SaPayload>(reply);
  const wire::TsPayload* ts_i = find_ts(reply, true);
  const wire::TsPayload* ts_r = find_ts(reply, false);
  if (answer == nullptr || ts_i == nullptr || ts_r == nullptr) {
    return std::unexpected(malformed("SA, TSi or TSr is missing in the answer"));
  }
  if (answer->proposals.size() != 1) {
    return std::unexpected(malformed("the answer does not choose exactly one proposal"));
  }
  const auto ours = usable_proposals(wanted, config, in_ike_auth);
  const auto choice = model::choose(ours, answer->offers(), {.ignore_ke = in_ike_auth});
  if (!choice) return std::unexpected(no_proposal(ours, answer->offers(), choice.error()));
  const auto spi_out = spi_from(answer->proposals[0].spi);
  if (!spi_out) return std::unexpected(malformed("an ESP SPI that is not 4 octets or is reserved"));

  const auto our_local = resolve(wanted.local_ts, local_hosts(sa));
  const auto our_remote = resolve(wanted.remote_ts, remote_hosts(sa));
  Agreement agreed{.wanted = &wanted,
                   .suite = choice->suite,
                   .spi_out = *spi_out,
                   .local_ts = model::intersect(our_local, ts_i->selectors),
                   .remote_ts = model::intersect(our_remote, ts_r->selectors)};
  if (agreed.local_ts.empty() || agreed.remote_ts.empty()) {
    return std::unexpected(no_selectors(our_local, our_remote, ts_i->selectors, ts_r->selectors));
  }
  return agreed;
}

Child& install_child(IkeSa& sa, Context& cx, const Agreement& agreed, const ChildKeys& keys,
                     const InstallPlan& plan) {
  const Secret& encr_in = plan.we_started ? keys.encr_r : keys.encr_i;
  const Secret& integ_in = plan.we_started ? keys.integ_r : keys.integ_i;
  const Secret& encr_out = plan.we_started ? keys.encr_i : keys.encr_r;
  const Secret& integ_out = plan.we_started ? keys.integ_i : keys.integ_r;

  const Child* old = plan.replaces ? sa.children.find(*plan.replaces) : nullptr;
  Child child{.id = cx.next_child(),
              .wanted = *agreed.wanted,
              .suite = agreed.suite,
              .spi_in = plan.spi_in,
              .spi_out = agreed.spi_out,
              .local_ts = agreed.local_ts,
              .remote_ts = agreed.remote_ts,
              .udp_encap =
                  cx.config.force_udp_encap || sa.nat_local || sa.nat_remote || sa.connection.encap,
              .we_made = old == nullptr ? plan.we_started : old->we_made,
              .attempt = old == nullptr ? plan.attempt : old->attempt};
  start_timers(child, cx);
  if (child.wanted.inactivity > Duration{0}) {
    child.last_use = old == nullptr ? cx.now : old->last_use;
    // Until the answer says when the old one was used last, and when to look again.
    child.idle_check_at = cx.now + child.wanted.inactivity;
    if (old != nullptr) ask_use(sa, cx, child, old->id);
  }
  model::ChildSpec spec{.id = child.id,
                        .name = sa.connection.name + "/" + child.wanted.name,
                        .action = model::PolicyAction::protect,
                        .local_ts = child.local_ts,
                        .remote_ts = child.remote_ts,
                        .local = sa.packet_ends().local,
                        .remote = sa.packet_ends().remote,
                        .udp_encap = child.udp_encap,
                        .local_vips = sa.local_vips,
                        .replaces = plan.replaces,
                        .lifetime = child.wanted.lifetime,
                        .replay_window = child.wanted.replay_window,
                        .copy_df = child.wanted.copy_df,
                        .copy_ecn = child.wanted.copy_ecn,
                        .copy_dscp = child.wanted.copy_dscp};
  spec.inbound = sa_spec(child.suite, child.spi_in, encr_in, integ_in);
  model::SaSpec outbound = sa_spec(child.suite, child.spi_out, encr_out, integ_out);
  if (plan.hold_outbound) {
    child.waiting_outbound = std::move(outbound);
  } else {
    spec.outbound = std::move(outbound);
  }
  cx.out.emplace_back(action::Install{.child = std::move(spec)});
  return sa.children.add(std::move(child));
}

void announce_child(const IkeSa& sa, Context& cx, model::ChildId id) {
  IkeStatus status = snapshot(sa, {id});
  if (status.children.empty()) return;
  status.state = IkeStatus::State::established;  // in IKE_AUTH it is about to be
  std::string name = status.children.front().name;
  cx.emit(event::ChildUp{.sa = sa.id,
                         .child = id,
                         .connection = sa.connection.name,
                         .name = std::move(name),
                         .status = std::move(status)});
}

bool carries(const std::vector<model::TrafficSelector>& local,
             const std::vector<model::TrafficSelector>& remote, const model::PacketFlow& packet) {
  const auto has = [](const auto& selectors, const model::TrafficSelector& one) {
    return std::ranges::any_of(selectors, [&one](const auto& s) { return s.contains(one); });
  };
  return has(local, packet.source_selector()) && has(remote, packet.destination_selector());
}

bool has_child_for(const IkeSa& sa, std::string_view name, const model::PacketFlow& packet) {
  return std::ranges::any_of(sa.children.all(), [&](const Child& child) {
    return child.wanted.name == name && child.is_current() &&
           carries(child.local_ts, child.remote_ts, packet);
  });
}

void ask_use(const IkeSa& sa, Context& cx, Child& child, model::ChildId about) {
  child.use_ask = cx.next_ask(sa.id);
  cx.out.emplace_back(Ask{.id = *child.use_ask, .what = ask::ChildUse{.child = about}});
}

void activate_child(IkeSa&, Context& cx, Child& child) {
  if (!child.waiting_outbound) return;
  cx.out.emplace_back(
      action::Activate{.child = child.id, .outbound = *std::move(child.waiting_outbound)});
  child.waiting_outbound.reset();
  child.activate_at.reset();
}

}  // namespace cygnet::ike
