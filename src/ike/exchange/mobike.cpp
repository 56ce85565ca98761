#include "ike/exchange/mobike.hpp"

#include <algorithm>

#include "base/writer.hpp"
#include "ike/limits.hpp"
#include "ike/select.hpp"

namespace cygnet::ike {
namespace {

constexpr std::size_t kCookie2Size = 16;  // RFC 4555 §4.2.5: 8 to 64 octets

wire::NotifyPayload notify(NotifyType type, Bytes data = {}) {
  return {.type = type, .data = std::move(data)};
}

bool encapsulates(const IkeSa& sa, const EngineConfig& config) {
  return config.force_udp_encap || sa.connection.encap;
}

void judge_again(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& payloads) {
  const wire::Header header{.spi_i = sa.spi_i, .spi_r = sa.spi_r};
  const NatVerdict verdict = judge_nat(cx.crypto, header, payloads, sa.local, sa.remote);
  if (!verdict.supported) return;
  sa.nat_local = verdict.local;
  sa.nat_remote = verdict.remote;
}

template <class T>
bool has_task(const IkeSa& sa) {
  const auto is_it = [](const Task& task) { return std::holds_alternative<T>(task); };
  return std::ranges::any_of(sa.tasks, is_it) || (sa.active && is_it(*sa.active));
}

bool is_queued(const IkeSa& sa) {
  return std::ranges::any_of(
      sa.tasks, [](const Task& task) { return std::holds_alternative<UpdateAddresses>(task); });
}

/// Somebody can be there: neither any, loopback, multicast, link-local nor broadcast.
bool is_callable(const IpAddress& address) {
  const ByteView raw = address.bytes();
  if (address.is_any()) return false;
  if (address.is_v4()) {
    return raw[0] != 0 && raw[0] != 127 && raw[0] < 224 && !(raw[0] == 169 && raw[1] == 254);
  }
  return raw[0] != 0 && raw[0] != 0xff && !(raw[0] == 0xfe && (raw[1] & 0xc0) == 0x80);
}

/// What NO_NATS_ALLOWED says: source and destination, addresses and ports (RFC 4555 §4.2.6).
Bytes addresses_of(const Received& received) {
  Writer out;
  out.put(received.remote.address.bytes());
  out.put(received.local.address.bytes());
  out.be(received.remote.port);
  out.be(received.local.port);
  return out.take();
}

/// Where IKE messages go; false when that is where they went.
bool move_ike(IkeSa& sa, Context& cx, const Endpoint& local, const Endpoint& remote) {
  if (sa.local == local && sa.remote == remote) return false;
  if (sa.is_established()) {
    cx.emit(event::IkeMoved{.sa = sa.id,
                            .connection = sa.connection.name,
                            .local = local,
                            .remote = remote,
                            .before = snapshot(sa)});
  }
  sa.local = local;
  sa.remote = remote;
  return true;
}

/// From now on along this path; the peer hears of it next.
void go_to(IkeSa& sa, Context& cx, const Path& path) {
  cx.attention.push_back(sa.id);
  move_to(sa, cx, {.address = path.local, .port = cx.config.natt_port},
          {.address = path.remote, .port = kPeerNattPort});
  if (!is_queued(sa)) sa.tasks.emplace_front(UpdateAddresses{});
}

}  // namespace

void add_mobike_supported(const IkeSa& sa, std::vector<wire::Payload>& out) {
  if (sa.connection.mobike) out.emplace_back(notify(NotifyType::mobike_supported));
}

void learn_mobike(IkeSa& sa, const std::vector<wire::Payload>& payloads) {
  sa.peer.mobike =
      sa.connection.mobike && find_notify(payloads, NotifyType::mobike_supported) != nullptr;
}

std::vector<wire::Payload> nat_notifies_of(const IkeSa& sa, Context& cx, const Endpoint& local,
                                           const Endpoint& remote) {
  const wire::Header header{.spi_i = sa.spi_i, .spi_r = sa.spi_r};
  return nat_notifies(cx.crypto, cx.rng, header, local, remote, encapsulates(sa, cx.config));
}

void move_to(IkeSa& sa, Context& cx, const Endpoint& local, const Endpoint& remote) {
  if (move_ike(sa, cx, local, remote)) move_children(sa, cx, sa.local, sa.remote);
}

bool checks_path(const IkeSa& sa) { return has_task<CheckPath>(sa); }

void move_children(IkeSa& sa, Context& cx, const Endpoint& local, const Endpoint& remote) {
  sa.children_at.reset();
  if (local != sa.local || remote != sa.remote) sa.children_at = Ends{local, remote};
  for (const Child& child : sa.children.all()) {
    cx.out.emplace_back(action::Relocate{.child = child.id, .local = local, .remote = remote});
  }
}

void add_addresses(const IkeSa& sa, Context& cx, std::vector<wire::Payload>& out) {
  std::size_t count = 0;
  for (const IpAddress& address : cx.shared.addresses) {
    if (address == sa.local.address || !is_callable(address)) continue;
    if (address_rank(sa.connection.local_addrs, address) == 0) continue;
    if (++count == kPeerAddressesMax) break;
    out.emplace_back(notify(
        address.is_v4() ? NotifyType::additional_ip4_address : NotifyType::additional_ip6_address,
        to_bytes(address.bytes())));
  }
}

void learn_addresses(IkeSa& sa, const std::vector<wire::Payload>& payloads) {
  if (!sa.first_initiator || !sa.peer.mobike) return;
  sa.peer.addresses = {sa.remote.address};
  for (const wire::Payload& payload : payloads) {
    const auto* one = std::get_if<wire::NotifyPayload>(&payload);
    const bool names = one != nullptr && (one->type == NotifyType::additional_ip4_address ||
                                          one->type == NotifyType::additional_ip6_address);
    if (!names || sa.peer.addresses.size() >= kPeerAddressesMax) continue;
    const auto address = IpAddress::from_bytes(one->data);
    const bool fits = address && is_callable(*address) &&
                      address->is_v4() == (one->type == NotifyType::additional_ip4_address);
    if (fits && std::ranges::find(sa.peer.addresses, *address) == sa.peer.addresses.end()) {
      sa.peer.addresses.push_back(*address);
    }
  }
}

void tell_addresses(IkeSa& sa, Context& cx) {
  if (sa.first_initiator || !sa.peer.mobike || !sa.is_established() || !sa.is_current()) return;
  if (!has_task<TellAddresses>(sa)) enqueue(sa, cx, TellAddresses{});
}

// --- other paths ---------------------------------------------------------------------------------

void seek_path(IkeSa& sa, Context& cx) {
  const bool choice = sa.first_initiator && sa.peer.mobike && sa.is_established() &&
                      sa.is_current() && !sa.peer.addresses.empty() && !sa.paths_ask;
  if (!choice) return;
  sa.paths_ask = cx.next_ask(sa.id);
  cx.out.emplace_back(Ask{.id = *sa.paths_ask, .what = ask::Paths{.remotes = sa.peer.addresses}});
}

void take_paths(IkeSa& sa, Context& cx, const Answer& answer) {
  sa.paths_ask.reset();
  const auto* found = std::get_if<answer::Paths>(&answer.result);
  if (found == nullptr || !sa.is_established() || !sa.is_current()) return;
  sa.paths = found->paths;
  const auto leads_there = [&sa](const Path& path) { return path.remote == sa.remote.address; };
  if (!sa.paths.empty() && std::ranges::none_of(sa.paths, leads_there)) {
    go_to(sa, cx, sa.paths.front());
    if (sa.window.hurry(cx.now)) transmit(sa, cx, sa.window.retransmit(cx.now).datagrams);
    return start_next(sa, cx);
  }
  const Path ours{.local = sa.local.address, .remote = sa.remote.address};
  for (const Path& path : sa.paths) {
    if (path == ours) continue;
    for (const Bytes& datagram : sa.window.outstanding()) {
      cx.out.emplace_back(action::Send{.local = {path.local, cx.config.natt_port},
                                       .remote = {path.remote, kPeerNattPort},
                                       .bytes = datagram});
    }
  }
}

void follow_answer(IkeSa& sa, Context& cx, const Received& received) {
  if (!sa.first_initiator || !sa.peer.mobike) return;
  const Path ours{.local = sa.local.address, .remote = sa.remote.address};
  const Path path{.local = received.local.address, .remote = received.remote.address};
  if (path == ours) return;
  if (std::ranges::find(sa.paths, path) != sa.paths.end()) go_to(sa, cx, path);
}

void change_local(IkeSa& sa, Context& cx, const IpAddress& local) {
  // Whoever was called stays where it was called.
  if (sa.local.address == local || sa.is_closed() || !sa.first_initiator) return;
  cx.attention.push_back(sa.id);
  if (!sa.peer.mobike) {
    const std::vector<model::ChildTemplate> children = current_children(sa);
    close(sa, cx, "our address has changed, and the peer has no MOBIKE");
    return want_again(sa, cx, children, "our address has changed");
  }
  move_to(sa, cx, {.address = local, .port = cx.config.natt_port}, sa.remote);
  // A request that is under way goes out again at once, from the new address (RFC 4555 §3.5).
  if (sa.window.hurry(cx.now)) transmit(sa, cx, sa.window.retransmit(cx.now).datagrams);
  if (is_queued(sa)) return;
  sa.tasks.emplace_front(UpdateAddresses{});
  start_next(sa, cx);
}

void notice_mapping(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply) {
  const auto* seen = find_notify(reply, NotifyType::nat_detection_destination_ip);
  if (seen == nullptr) return;
  // The first one has nothing to be compared with: the mapping may have changed since IKE_AUTH.
  const Bytes before = std::exchange(sa.seen_as, seen->data);
  if (before == sa.seen_as || !sa.first_initiator || !sa.peer.mobike) return;
  if (!has_task<UpdateAddresses>(sa)) enqueue(sa, cx, UpdateAddresses{});
}

// --- the initiator's side ------------------------------------------------------------------------

std::optional<Request> UpdateAddresses::build(IkeSa& sa, Context& cx) {
  if (!sa.is_current()) return std::nullopt;
  told_local = sa.local;
  told_remote = sa.remote;
  std::vector<wire::Payload> payloads{notify(NotifyType::update_sa_addresses)};
  for (wire::Payload& one : nat_notifies_of(sa, cx, sa.local, sa.remote)) {
    payloads.push_back(std::move(one));
  }
  return Request{.exchange = ExchangeType::informational, .payloads = std::move(payloads)};
}

Step UpdateAddresses::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  if (told_local != sa.local || told_remote != sa.remote) {  // we have moved on meanwhile
    if (is_queued(sa)) return Done{};
    return Again{};
  }
  if (const auto* error = find_error(reply)) {
    report(sa, cx,
           {.phase = "MOBIKE",
            .reason = Reason::peer_refused,
            .field = "mobike",
            .theirs = to_string(error->type),
            .advice = "the peer does not accept our new address; its remote_addrs must admit it"});
    end_and_want_again(sa, cx, "the peer does not accept our new address");
    return Done{};
  }
  judge_again(sa, cx, reply);
  if (const auto* seen = find_notify(reply, NotifyType::nat_detection_destination_ip)) {
    sa.seen_as = seen->data;
  }
  return Done{};
}

void UpdateAddresses::abandon(Context&, const std::string&) {}

// --- the responder's side ------------------------------------------------------------------------

namespace {

/// Why the peer may not be where its UPDATE_SA_ADDRESSES has come from, if it may not.
std::optional<NotifyType> objection_to_move(const IkeSa& sa, Context& cx, const Received& received,
                                            const std::vector<wire::Payload>& request) {
  //= RFC4555#3.9 "If the values do not match, a NAT is likely to be present ... the responder
  //=              replies with an UNEXPECTED_NAT_DETECTED notification"
  if (const auto* told = find_notify(request, NotifyType::no_nats_allowed)) {
    if (told->data != addresses_of(received)) return NotifyType::unexpected_nat_detected;
  }
  const bool allowed = address_rank(sa.connection.remote_addrs, received.remote.address) != 0 &&
                       address_rank(sa.connection.local_addrs, received.local.address) != 0;
  if (allowed) return std::nullopt;
  report(sa, cx,
         {.phase = "MOBIKE",
          .reason = Reason::no_connection,
          .field = "remote_addrs",
          .theirs = received.remote.address.text(),
          .advice = "the peer has moved to an address that remote_addrs does not admit"});
  return NotifyType::unacceptable_addresses;
}

//= RFC4555#3.7 "By default, the return routability check SHOULD be done before updating the IPsec
//=              SAs"
/// IKE goes on with the new address at once, packets when the peer has answered from there.
void follow_peer(IkeSa& sa, Context& cx, const Received& received,
                 const std::vector<wire::Payload>& request) {
  const Ends packets = sa.packet_ends();
  const bool moved = move_ike(sa, cx, received.local, received.remote);
  judge_again(sa, cx, request);
  if (!moved && !sa.children_at) return;
  sa.children_at = packets;
  // A request that is under way goes where the peer is now.
  if (sa.window.hurry(cx.now)) transmit(sa, cx, sa.window.retransmit(cx.now).datagrams);
  if (!has_task<CheckPath>(sa)) sa.tasks.emplace_front(CheckPath{});
  cx.attention.push_back(sa.id);  // it starts once this request is answered
}

}  // namespace

std::vector<wire::Payload> answer_mobike(IkeSa& sa, const Received& received,
                                         const std::vector<wire::Payload>& request, Context& cx) {
  std::vector<wire::Payload> out;
  const bool lists = find_notify(request, NotifyType::additional_ip4_address) != nullptr ||
                     find_notify(request, NotifyType::additional_ip6_address) != nullptr ||
                     find_notify(request, NotifyType::no_additional_addresses) != nullptr;
  if (lists) learn_addresses(sa, request);
  const bool moves = find_notify(request, NotifyType::update_sa_addresses) != nullptr &&
                     !sa.first_initiator && sa.peer.mobike;
  if (moves) {
    if (const auto refusal = objection_to_move(sa, cx, received, request)) {
      out.emplace_back(notify(*refusal));
    } else {
      follow_peer(sa, cx, received, request);
    }
  }
  if (find_notify(request, NotifyType::nat_detection_source_ip) != nullptr) {
    // Where this request has come from, which need not be where the peer was before.
    for (wire::Payload& one : nat_notifies_of(sa, cx, received.local, received.remote)) {
      out.push_back(std::move(one));
    }
  }
  //= RFC4555#3.7 "the recipient of an INFORMATIONAL request MUST copy the notification as-is to the
  //=              response"
  if (const auto* cookie = find_notify(request, NotifyType::cookie2)) {
    out.emplace_back(notify(NotifyType::cookie2, cookie->data));
  }
  return out;
}

std::optional<Request> TellAddresses::build(IkeSa& sa, Context& cx) {
  if (!sa.is_current()) return std::nullopt;
  Request out{.exchange = ExchangeType::informational, .payloads = {}};
  add_addresses(sa, cx, out.payloads);
  if (out.payloads.empty()) {
    out.payloads.emplace_back(notify(NotifyType::no_additional_addresses));
  }
  return out;
}

Step TellAddresses::on_response(IkeSa&, const std::vector<wire::Payload>&, Context&) {
  return Done{};
}

void TellAddresses::abandon(Context&, const std::string&) {}

std::optional<Request> CheckPath::build(IkeSa& sa, Context& cx) {
  if (!sa.is_current()) return std::nullopt;
  cookie = cx.rng.bytes(kCookie2Size);
  local = sa.local;
  remote = sa.remote;
  return Request{.exchange = ExchangeType::informational,
                 .payloads = {notify(NotifyType::cookie2, cookie)}};
}

Step CheckPath::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  const auto* echoed = find_notify(reply, NotifyType::cookie2);
  if (echoed == nullptr || echoed->data != cookie) {
    //= RFC4555#3.7 "If the values do not match, the IKE_SA MUST be closed."
    fail(sa, cx,
         {.phase = "MOBIKE",
          .reason = Reason::malformed,
          .theirs = "COOKIE2 did not come back",
          .advice = "the peer claims an address at which it does not answer"});
    return Done{};
  }
  //= RFC4555#3.7 "In this case, a new INFORMATIONAL request needs to be sent to check return
  //=              routability."
  // The peer has moved again since: what has answered need not be where it says it is.
  if (local != sa.local || remote != sa.remote) return Again{};
  move_children(sa, cx, sa.local, sa.remote);
  return Done{};
}

void CheckPath::abandon(Context&, const std::string&) {}

}  // namespace cygnet::ike
