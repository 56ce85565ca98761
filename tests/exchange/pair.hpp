// Two engines, virtual time and a wire between them that the test holds in its hands.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ike/engine.hpp"
#include "toys/rng.hpp"

namespace cygnet::test {

/// One end: an engine, its configuration, what it believes is installed, and stand-ins for
/// control (keys, leases) that answer every Ask at once.
class Node {
 public:
  Node(std::string name, Endpoint address, ike::EngineConfig config, std::uint64_t seed,
       const crypto::Provider& crypto);

  void command(ike::Command command);
  void plane(const model::PlaneEvent& event);
  void rekey_child() { command(ike::command::Rekey{.filter = {.child = "net"}}); }
  void rekey_ike() { command(ike::command::Rekey{}); }
  void terminate() { command(ike::command::Terminate{.request = ike::RequestId{99}}); }

  [[nodiscard]] ike::Status status() const { return engine.status(); }
  /// Inbound and outbound SPIs of what the plane holds, as the other end would name them.
  [[nodiscard]] std::vector<std::uint32_t> spis_in() const;
  [[nodiscard]] std::vector<std::uint32_t> spis_out() const;
  [[nodiscard]] std::size_t failures(ike::Reason reason) const;
  template <class E>
  [[nodiscard]] std::vector<E> events_of() const {
    std::vector<E> out;
    for (const ike::Event& event : events) {
      if (const E* one = std::get_if<E>(&event)) out.push_back(*one);
    }
    return out;
  }

  std::string name;
  Endpoint address;
  const crypto::Provider& crypto;
  SeededRng rng;
  ike::Engine engine;
  Instant now{std::chrono::hours{1}};
  Bytes shared_key = to_bytes(std::string_view{"correct horse battery staple"});
  std::unique_ptr<crypto::PrivateKey> key;  ///< for pubkey; its "certificate" is the SPKI itself
  Bytes stolen;                ///< somebody else's "certificate", shown instead of the one of `key`
  std::vector<Bytes> trusted;  ///< SPKIs accepted from the peer
  std::size_t padding_certificates = 0;  ///< makes IKE_AUTH long, for fragmentation
  std::vector<IpAddress> pool;           ///< to lease, in order
  bool refuse_leases = false;
  bool generous = false;         ///< leases the whole pool to whoever asks
  bool refuse_installs = false;  ///< the plane takes no more children
  std::optional<Duration> idle;  ///< what the plane says of every child
  std::vector<ike::Path> paths;  ///< those there is a route for

  struct Installed {
    model::ChildSpec spec;
    bool outbound = false;
  };
  std::map<model::ChildId, Installed> installed;
  std::vector<ike::Event> events;
  std::deque<ike::action::Send> outbox;
  std::vector<std::string> sent;  ///< traced messages

  void carry_out(ike::Actions actions);

 private:
  friend class Pair;
  [[nodiscard]] ike::Answer answer(const ike::Ask& ask);
};

/// Two nodes and the datagrams between them.
class Pair {
 public:
  struct Options {
    std::function<void(model::Connection&)> initiator;  ///< adjusts a's connection
    std::function<void(model::Connection&)> responder;  ///< adjusts b's connection
    std::function<void(Node&, Node&)> nodes;
    ike::EngineConfig config_a{};
    ike::EngineConfig config_b{};
    const crypto::Provider& crypto = crypto::openssl();
    bool trace = true;  ///< keep a transcript
  };
  Pair();
  explicit Pair(const Options& options);

  /// `node` initiates `child` (none: only the IKE_SA) of connection "home" as request 5, perhaps
  /// instead of an IKE_SA that it reauthenticates.
  void initiate_from(Node& node, const std::string& child, ike::SaId instead_of = {});
  /// Brings the child "net" of connection "home" up, a to b, as request 1.
  void initiate();
  /// Delivers everything until both ends are quiet; at most 1000 datagrams.
  void settle();
  /// Delivers the next datagram that `from` has sent; false when there is none.
  bool deliver_from(Node& from);
  /// Moves both clocks on and lets the engines tick.
  void pass(Duration time);
  /// Moves one clock on and lets its engine tick.
  void pass(Node& node, Duration time);
  /// Every message sent so far, one line each, blanks normalised: "a CREATE_CHILD_SA #2 request SA
  /// Ni".
  [[nodiscard]] std::string transcript() const { return transcript_; }
  void forget() { transcript_.clear(); }
  /// Both ends hold the same SAs, mirrored.
  [[nodiscard]] bool mirrored() const;

  Node a;
  Node b;
  std::function<bool(const ike::action::Send&)> lose;  ///< true: this datagram never arrives
  /// The public address of the router before a; what is sent to another one never arrives.
  std::optional<IpAddress> nat;

 private:
  void collect(Node& node);
  std::string transcript_;
};

/// The connection both ends start from: PSK, P-256 (the fastest), one child "net".
[[nodiscard]] model::Connection basic_connection(bool initiator);

}  // namespace cygnet::test
