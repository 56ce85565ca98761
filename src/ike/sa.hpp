// One IKE_SA: its data, and what every exchange does with it.     RFC 7296 §1, §2
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "ike/child_table.hpp"
#include "ike/context.hpp"
#include "ike/cookie.hpp"
#include "ike/engine.hpp"
#include "ike/nat.hpp"
#include "ike/pace.hpp"
#include "ike/payloads.hpp"
#include "ike/spi.hpp"
#include "ike/state.hpp"
#include "ike/task.hpp"
#include "ike/window.hpp"

namespace cygnet::ike {

/// What the peer told us it can do.
struct PeerAbilities {
  bool fragmentation = false;      ///< RFC 7383
  bool mobike = false;             ///< RFC 4555
  bool digital_signature = false;  ///< RFC 7427
  std::vector<HashId> hashes;
  std::vector<Bytes> authorities;  ///< from its CERTREQs
  bool childless = false;          ///< RFC 6023
  std::string product;             ///< its likely one, by its vendor IDs; empty when unknown
  /// Where a responder with MOBIKE says it can be reached, first where we called it.
  std::vector<IpAddress> addresses;
};

/// Whether an IKE_SA is the one that counts between its two ends.
enum class Standing : std::uint8_t {
  current,    ///< owns its children
  undecided,  ///< made by a rekey whose race is not decided yet: waits for children
  outlived    ///< a rekey's successor has the children: waits for its Delete
};

/// Both ends of a path, with ports.
struct Ends {
  Endpoint local;
  Endpoint remote;
  friend bool operator==(const Ends&, const Ends&) = default;
};

struct IkeSa {
  SaId id;
  bool initiator = false;        ///< we are the initiator of this IKE_SA (a rekey may change that)
  bool first_initiator = false;  ///< we initiated the first of a row of rekeyed IKE_SAs
  IkeSpi spi_i;
  IkeSpi spi_r;
  Endpoint local;
  Endpoint remote;
  model::Connection connection;  ///< may be revised until the peer is authenticated
  model::Suite suite;
  PeerAbilities peer;
  bool nat_local = false;
  bool nat_remote = false;
  std::optional<Ends> children_at;  ///< where packets go, while IKE's messages go elsewhere
  std::vector<Path> paths;          ///< where a request that is not answered is also sent
  std::optional<AskId> paths_ask;   ///< the question that will tell them
  /// A hash of the address the peer sees us at and of the SPIs, from its NAT notifies: after a
  /// rekey there is nothing to compare it with.
  Bytes seen_as;
  std::optional<model::Identity> local_id;
  std::optional<model::Identity> remote_id;
  std::vector<IpAddress> local_vips;
  std::vector<IpAddress> remote_vips;
  std::vector<IpAddress> dns;
  std::vector<std::string> dns_domains;
  /// As responder of the first of a row: where its first request came from. Whoever has proved to
  /// have the keys has been there.
  Endpoint init_remote;
  bool initial_contact = false;  ///< whoever initiated has no other IKE_SA (RFC 7296 §2.4)
  bool leased = false;           ///< a lease was taken for the peer
  bool reauthenticates = false;  ///< as responder: the peer has an IKE_SA that still carries
  bool crowded = false;          ///< as responder: the peer has kTwinsMax IKE_SAs already

  Window window;
  State state = Closed{};
  ChildTable children;
  std::deque<Task> tasks;
  std::optional<Task> active;
  struct Delayed {
    Instant at;
    Task task;
  };
  std::vector<Delayed> delayed;
  struct Lingering {
    Instant at;
    model::ChildId child;
    EspSpi spi_in;
  };
  std::vector<Lingering> lingering;  ///< replaced children that still receive
  struct Retirement {
    Instant at;
    std::string why;
  };
  std::optional<Retirement> retirement;  ///< its Delete, when another IKE_SA has taken its place

  std::optional<model::ChildTemplate> first_child;  ///< to be made by IKE_AUTH
  RequestId first_request;                          ///< waits for it
  std::optional<model::PacketFlow> first_trigger;   ///< the packet that asked for it
  std::string doomed;              ///< why this SA will be deleted once established, if so
  std::string ends_bare;           ///< why it will be when it has no child and none is coming
  std::vector<std::string> asked;  ///< children that a reauthentication has asked for
  Pace requests;                   ///< how fast the peer may ask for children and keys

  Standing standing = Standing::current;
  RekeyFacts race;                  ///< what replaces this IKE_SA
  std::optional<SaId> our_fresh;    ///< the IKE_SA our rekey made
  std::optional<SaId> their_fresh;  ///< the IKE_SA the peer's rekey made
  SaId rekeyed_from;                ///< the IKE_SA whose rekey made this one
  SaId first_of_row;  ///< the first of a row of rekeyed IKE_SAs, if it is not this one
  SaId instead_of;    ///< the IKE_SA that this one reauthenticates
  Attempt attempt;    ///< the nonces that made the first of a row of rekeyed IKE_SAs
  /// SPIs the peer deleted before we had the answer that tells us of them.
  std::vector<EspSpi> early_deletes;

  Instant born;
  Instant established;
  Instant last_inbound;
  Instant last_outbound;
  std::optional<Instant> half_open_until;
  std::optional<Instant> rekey_at;
  std::optional<Instant> expires_at;
  std::optional<Instant> reauth_at;
  std::optional<Instant> linger_until;  ///< when a closed or outlived IKE_SA is forgotten
  bool counted_half_open = false;       ///< in the engine's half-open table
  std::optional<Instant> alarm;         ///< as the engine has it in its queue

  /// Where packets go: a place that the peer has proved, or that its packets came from.
  [[nodiscard]] Ends packet_ends() const { return children_at.value_or(Ends{local, remote}); }
  [[nodiscard]] IkeSpi our_spi() const { return initiator ? spi_i : spi_r; }
  /// The same for all IKE_SAs of a row of rekeys.
  [[nodiscard]] SaId row() const { return first_of_row == SaId{} ? id : first_of_row; }
  [[nodiscard]] bool is_established() const { return std::holds_alternative<Established>(state); }
  [[nodiscard]] bool is_closed() const { return std::holds_alternative<Closed>(state); }
  [[nodiscard]] bool is_current() const { return standing == Standing::current && !is_closed(); }
  /// Answered IKE_SA_INIT for somebody who has not authenticated yet.
  [[nodiscard]] bool is_half_open() const {
    return !initiator && !is_established() && !is_closed();
  }
};

/// What the caller's message looked like, for addressing the answer.
struct Received {
  Endpoint local;
  Endpoint remote;
  wire::Header header;
};

// --- messages ------------------------------------------------------------------------------------

/// Seals and sends a request and starts its retransmission. A library failure closes the SA.
void send_request(IkeSa& sa, Context& cx, const Request& request);
/// Seals, sends and caches the answer to `received`.
void send_response(IkeSa& sa, Context& cx, const Received& received,
                   const std::vector<wire::Payload>& payloads);
/// The expected request's header, for answers that had to wait for an Answer.
[[nodiscard]] Received expected_request(const IkeSa& sa, ExchangeType exchange);
enum class Way : std::uint8_t { in, out };
/// Counts a message, and with trace_messages says so: one line such as
/// "send CREATE_CHILD_SA #2 request  SA Ni TSi TSr".
void note_message(const IkeSa& sa, Context& cx, Way way, const wire::Header& header,
                  const std::vector<wire::Payload>& payloads);
/// When this SA's next request is to be repeated.
[[nodiscard]] RetransmitRule retransmit_rule(const IkeSa& sa, const EngineConfig& config);
/// Sends datagrams between the SA's endpoints.
void transmit(IkeSa& sa, Context& cx, const std::vector<Bytes>& datagrams);

// --- tasks ---------------------------------------------------------------------------------------

/// Queues a task and starts it when nothing else is under way. Beyond kTasksMax it is dropped
/// and its request fails; what ends something is not, but no IKE_SA needs two Deletes.
void enqueue(IkeSa& sa, Context& cx, Task task);
/// Starts the next task if the window is free and the SA established.
void start_next(IkeSa& sa, Context& cx);
/// Deletes the IKE_SA before anything else that waits.
void end_ike(IkeSa& sa, Context& cx, DeleteIke end);
/// end_ike() of our own accord: what is to stay up is wanted again at once, from another one.
void end_and_want_again(IkeSa& sa, Context& cx, const std::string& why);
/// It will be deleted, or is being deleted, by us.
[[nodiscard]] bool is_ending(const IkeSa& sa);
/// The children that are being made by an exchange of their own, or wait for it: queued, or later.
[[nodiscard]] std::vector<const CreateChild*> creations(const IkeSa& sa);
/// Hands a response to the active task.
void take_response(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply);

// --- life ----------------------------------------------------------------------------------------

/// The SA is up: timers, event, waiting children.
void become_established(IkeSa& sa, Context& cx);
/// Ends the SA without telling the peer: children, addresses, leases, waiting commands.
void close(IkeSa& sa, Context& cx, const std::string& why);
/// Emits `record` with the SA's endpoints, connection and peer filled in.
void report(const IkeSa& sa, Context& cx, FailureRecord record);
/// report() and close().
void fail(IkeSa& sa, Context& cx, FailureRecord record);
/// fail(), for a reason that is neither the operator's nor the peer's wish: what is to stay up is
/// wanted again.
void give_up(IkeSa& sa, Context& cx, FailureRecord record);
/// Asks for those of these children that nobody but the operator may end.
void want_again(const IkeSa& sa, Context& cx, const std::vector<model::ChildTemplate>& children,
                const std::string& why);

/// What the children that count were made from.
[[nodiscard]] std::vector<model::ChildTemplate> current_children(const IkeSa& sa);
/// What ends with the IKE_SA and nobody wished to: the children that count, those whose hard limit
/// has come, and those being made that no command waits for. For follow_up() once it is closed.
[[nodiscard]] std::vector<model::ChildTemplate> lost_children(const IkeSa& sa);
/// What it looks like now, for events; with none or some of its children.
[[nodiscard]] IkeStatus snapshot(const IkeSa& sa, const std::vector<model::ChildId>& children = {});
/// Asks for what `action`, the close_action or dpd_action of a child that has ended, says.
void follow_up(const IkeSa& sa, Context& cx, const model::ChildTemplate& child,
               model::ChildAction action, const std::string& why);
/// The answer to ask::ChildUse: a child that has carried nothing for its `inactivity` is deleted.
/// Nothing happens when nobody has asked.
void take_use(IkeSa& sa, Context& cx, const Answer& answer);
/// Ends one child here: out of the plane (a replaced one only after kRekeyedLinger, for packets
/// under way), out of the table.
void drop_child(IkeSa& sa, Context& cx, model::ChildId id, const std::string& why);
/// Starts the timers of a new or rekeyed IKE_SA.
void start_lifetime(IkeSa& sa, Context& cx);

/// Everything the SA's clock has made due.
void tick(IkeSa& sa, Context& cx);
[[nodiscard]] std::optional<Deadline> deadline(const IkeSa& sa, const EngineConfig& config);

}  // namespace cygnet::ike
