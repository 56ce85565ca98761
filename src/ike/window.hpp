// Message IDs, retransmission, the cached response, reassembly.  RFC 7296 §2.1-§2.3, RFC 7383 §2.6
#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "ike/engine.hpp"
#include "wire/message.hpp"

namespace cygnet::ike {

/// Fragments of one message, opened and verified before they come here (RFC 7383 §2.6).
class Reassembly {
 public:
  /// The whole plaintext and its first payload's type, once the last piece is there.
  struct Whole {
    PayloadType first = PayloadType::none;
    Bytes text;
  };
  [[nodiscard]] std::optional<Whole> add(const wire::Sealed& sealed, Bytes text);
  /// True when this fragment is already held or impossible: nothing need be decrypted for it.
  [[nodiscard]] bool pointless(const wire::Sealed& sealed) const;
  void clear();

 private:
  std::uint16_t total_ = 0;
  PayloadType first_ = PayloadType::none;
  std::vector<std::optional<Bytes>> pieces_;
  std::size_t bytes_ = 0;
};

/// What a peer's request is, by its Message ID and the one that is expected next (RFC 7296 §2.2).
enum class Inbound : std::uint8_t { fresh, repeated, stale };
[[nodiscard]] Inbound classify(MessageId id, MessageId expected);

/// The only owner of an IKE_SA's Message IDs. Window size is 1 both ways.
class Window {
 public:
  // --- our requests -------------------------------------------------------------------------
  [[nodiscard]] bool idle() const { return !outstanding_; }
  [[nodiscard]] MessageId next_request() const { return next_request_; }
  /// Records a request that is being sent now and starts its retransmission timer.
  void request_sent(std::vector<Bytes> datagrams, Instant now, const RetransmitRule& rule);
  /// Somebody says the peer does not know this IKE_SA: a few quick repeats decide (RFC 7296
  /// §2.21.4). Once for each request.
  void doubt(Instant now);
  /// True if a response with this ID answers the outstanding request.
  [[nodiscard]] bool awaits(MessageId id) const;
  /// The awaited response was taken: the next request may go out.
  void response_taken();
  /// IKE_SA_INIT starts anew with the same Message ID 0 (RFC 7296 §2.6, §1.2).
  void restart_init();
  /// The path has changed: the outstanding request is due now. False when there is none.
  bool hurry(Instant now);
  /// Due at `deadline()`: the datagrams to repeat, or nothing when tries are used up.
  struct Retransmission {
    bool gave_up = false;
    std::vector<Bytes> datagrams;
  };
  [[nodiscard]] Retransmission retransmit(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// The request under way as it was sent; empty when there is none.
  [[nodiscard]] std::vector<Bytes> outstanding() const {
    return outstanding_ ? outstanding_->datagrams : std::vector<Bytes>{};
  }
  [[nodiscard]] unsigned transmissions() const { return outstanding_ ? outstanding_->tries : 0; }

  // --- the peer's requests ------------------------------------------------------------------
  [[nodiscard]] Inbound classify(MessageId id) const { return ike::classify(id, expected_); }
  [[nodiscard]] MessageId expected_request() const { return expected_; }
  /// Remembers the answer to the expected request; a repeat gets it again, bit by bit.
  void response_sent(std::vector<Bytes> datagrams);
  [[nodiscard]] const std::vector<Bytes>& cached_response() const { return cached_; }

  Reassembly& reassembly(bool response) { return response ? responses_ : requests_; }

 private:
  struct Outstanding {
    MessageId id;
    std::vector<Bytes> datagrams;
    RetransmitRule rule;
    unsigned tries = 1;
    Duration wait{0};
    Instant due;
    bool doubted = false;
  };
  MessageId next_request_{0};
  std::optional<Outstanding> outstanding_;
  MessageId expected_{0};
  std::vector<Bytes> cached_;
  Reassembly requests_;
  Reassembly responses_;
};

}  // namespace cygnet::ike
