// Exchanges this end starts once an IKE_SA is established, one after the other.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ike/actions.hpp"
#include "wire/message.hpp"

namespace cygnet::ike {

struct IkeSa;
struct Context;
struct Agreement;

/// A request to seal and send.
struct Request {
  ExchangeType exchange = ExchangeType::informational;
  std::vector<wire::Payload> payloads;
};

/// What comes after a response: nothing, the same exchange again at once (with what we learned),
/// or again later because the peer was busy (RFC 7296 §2.25).
struct Done {};
struct Again {};
struct RetryAt {
  Instant at;
};
using Step = std::variant<Done, Again, RetryAt>;

/// The ephemeral half of a CREATE_CHILD_SA exchange, made in build() and used up by on_response().
struct KeyOffer {
  Bytes nonce;
  std::optional<Instant> busy_since{};            ///< the first TEMPORARY_FAILURE in a row
  KeId group = KeId::none;                        ///< learned from INVALID_KE_PAYLOAD, or chosen
  std::unique_ptr<crypto::KeyExchange> exchange;  ///< empty without a key exchange
  unsigned restarts = 0;
};

/// Each task: build() makes the request, or nothing when it has become pointless; on_response()
/// takes the answer. Declared here, defined in exchange/<name>.cpp.
struct CreateChild {
  model::ChildTemplate wanted;
  std::optional<model::PacketFlow> trigger;
  RequestId request;
  KeyOffer keys{};
  std::optional<EspSpi> spi_in{};

  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);

 private:
  [[nodiscard]] bool is_useless(const IkeSa& sa, const Agreement& agreed) const;
};
struct RekeyChild {
  model::ChildId old;
  RequestId request;
  model::ChildTemplate wanted{};  ///< the old child's; it may be gone when the answer comes
  bool superseded = false;        ///< the peer's own rekey took over while ours was under way
  KeyOffer keys{};
  std::optional<EspSpi> spi_in{};

  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);

 private:
  [[nodiscard]] Step on_error(IkeSa& sa, const wire::NotifyPayload& error, Context& cx);
};
struct RekeyIke {
  RequestId request;
  KeyOffer keys{};
  IkeSpi spi{};

  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);
};
struct DeleteChildren {
  std::vector<model::ChildId> children;
  RequestId request;
  std::string why;
  bool for_good = false;          ///< also what has replaced them until the request is made
  std::string named{};            ///< also every child of this name there is then
  std::vector<EspSpi> orphans{};  ///< inbound SPIs of ours that only the peer has a child for

  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);
};
struct DeleteIke {
  RequestId request;
  std::string why;

  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);
};
struct Liveness {
  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);
};
/// Tells the peer where we are now (RFC 4555 §3.5).
struct UpdateAddresses {
  Endpoint told_local{};  ///< what the request under way says
  Endpoint told_remote{};

  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);
};
/// Asks whether the peer is really where it says (RFC 4555 §3.7).
struct CheckPath {
  Bytes cookie{};
  Endpoint local{};  ///< the path that is checked
  Endpoint remote{};

  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);
};
/// Tells the initiator where else we can be reached (RFC 4555 §3.6).
struct TellAddresses {
  [[nodiscard]] std::optional<Request> build(IkeSa& sa, Context& cx);
  [[nodiscard]] Step on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx);
  void abandon(Context& cx, const std::string& why);
};
using Task = std::variant<CreateChild, RekeyChild, RekeyIke, DeleteChildren, DeleteIke, Liveness,
                          UpdateAddresses, CheckPath, TellAddresses>;

}  // namespace cygnet::ike
