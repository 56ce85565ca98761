#include "ike/window.hpp"

#include <algorithm>
#include <utility>

#include "ike/limits.hpp"

namespace cygnet::ike {

Inbound classify(MessageId id, MessageId expected) {
  if (id == expected) return Inbound::fresh;
  if (id.next() == expected) return Inbound::repeated;
  return Inbound::stale;
}

bool Reassembly::pointless(const wire::Sealed& sealed) const {
  if (sealed.fragment == 0 || sealed.total == 0 || sealed.fragment > sealed.total) return true;
  if (sealed.total > kFragmentsMax) return true;
  // Fragments of a coarser cut than the one we collect are discarded (RFC 7383 §2.6).
  if (sealed.total < total_) return true;
  return sealed.total == total_ && pieces_[sealed.fragment - 1U].has_value();
}

std::optional<Reassembly::Whole> Reassembly::add(const wire::Sealed& sealed, Bytes text) {
  if (pointless(sealed)) return std::nullopt;
  if (sealed.total > total_) {
    // The sender found the path narrower and cut anew: what we hold is of the old cut.
    clear();
    total_ = sealed.total;
    pieces_.resize(total_);
  }
  if (bytes_ + text.size() > kReassemblyBytesMax) {
    clear();
    return std::nullopt;
  }
  if (sealed.fragment == 1) first_ = sealed.first_inner;
  bytes_ += text.size();
  pieces_[sealed.fragment - 1U] = std::move(text);

  Whole whole{.first = first_};
  for (const std::optional<Bytes>& piece : pieces_) {
    if (!piece) return std::nullopt;
    append(whole.text, *piece);
  }
  clear();
  return whole;
}

void Reassembly::clear() {
  total_ = 0;
  first_ = PayloadType::none;
  pieces_.clear();
  bytes_ = 0;
}

void Window::request_sent(std::vector<Bytes> datagrams, Instant now, const RetransmitRule& rule) {
  outstanding_ = Outstanding{.id = next_request_,
                             .datagrams = std::move(datagrams),
                             .rule = rule,
                             .wait = rule.timeout,
                             .due = now + rule.timeout};
}

bool Window::hurry(Instant now) {
  if (!outstanding_) return false;
  // What was lost on the old path does not count.
  outstanding_->tries = 1;
  outstanding_->wait = outstanding_->rule.timeout;
  outstanding_->due = now;
  return true;
}

void Window::doubt(Instant now) {
  if (!outstanding_ || std::exchange(outstanding_->doubted, true)) return;
  const unsigned left = std::min(kDoubtTries, outstanding_->rule.tries);
  outstanding_->tries = std::max(outstanding_->tries, outstanding_->rule.tries + 1 - left);
  outstanding_->rule.wait_max = kDoubtWait;
  outstanding_->due = now;
}

bool Window::awaits(MessageId id) const { return outstanding_ && outstanding_->id == id; }

void Window::response_taken() {
  outstanding_.reset();
  responses_.clear();
  // At 2^32-1 the ID stays: the engine has long rekeyed, and a stuck ID is refused by the peer.
  if (const auto next = next_request_.next()) next_request_ = *next;
}

void Window::restart_init() {
  outstanding_.reset();
  next_request_ = MessageId{0};
}

Window::Retransmission Window::retransmit(Instant now) {
  if (!outstanding_ || now < outstanding_->due) return {};
  const RetransmitRule& rule = outstanding_->rule;
  if (outstanding_->tries > rule.tries) return {.gave_up = true};
  ++outstanding_->tries;
  outstanding_->wait =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::nano>(
          static_cast<double>(outstanding_->wait.count()) * rule.base));
  if (rule.wait_max > Duration{0}) outstanding_->wait = std::min(outstanding_->wait, rule.wait_max);
  outstanding_->due = now + outstanding_->wait;
  return {.datagrams = outstanding_->datagrams};
}

std::optional<Instant> Window::deadline() const {
  if (!outstanding_) return std::nullopt;
  return outstanding_->due;
}

void Window::response_sent(std::vector<Bytes> datagrams) {
  cached_ = std::move(datagrams);
  requests_.clear();
  if (const auto next = expected_.next()) expected_ = *next;
}

}  // namespace cygnet::ike
