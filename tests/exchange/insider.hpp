// A peer that is authenticated and hostile: it has the keys and says what it likes.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "ike/keys.hpp"
#include "pair.hpp"
#include "wire/message.hpp"

namespace cygnet::test {

/// Two ends that are connected; a, the initiator, then does only what the test says. The toy
/// crypto makes its keys known.
class Insider {
 public:
  /// `start` brings the tunnel up, from a.
  explicit Insider(
      Pair::Options options = {},
      const std::function<void(Pair&)>& start = [](Pair& pair) { pair.initiate(); });
  /// What a datagram of either end says.
  [[nodiscard]] std::vector<wire::Payload> read(const Bytes& datagram) const;
  /// The selectors that a offered for the first child, in IKE_AUTH: its own, b's.
  [[nodiscard]] std::pair<model::TrafficSelector, model::TrafficSelector> first_selectors() const;

  /// a's next request; the payloads of b's answer (empty also when there is none).
  std::vector<wire::Payload> ask(ExchangeType exchange, const std::vector<wire::Payload>& payloads);
  /// The same with octets that need not parse.
  std::vector<wire::Payload> ask(ExchangeType exchange, const wire::Chain& chain);
  /// a's answer to b's newest request.
  void answer(const std::vector<wire::Payload>& payloads);

  Pair pair;

 private:
  void connect(const std::function<void(Pair&)>& start);
  Bytes seal(const wire::Header& header, const wire::Chain& chain);

  ike::SkKeys keys_;
  wire::Header header_;
  Bytes auth_request_;
  std::uint32_t next_id_ = 2;
  std::uint64_t sealed_ = 1'000'000;  ///< beyond what a's engine has used
};

}  // namespace cygnet::test
