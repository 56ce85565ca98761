// Names of the drop reasons.
#include "esp/drop.hpp"

namespace cygnet::esp {

std::string_view to_string(Drop reason) {
  switch (reason) {
    case Drop::none:
      return "none";
    case Drop::inner_malformed:
      return "inner_malformed";
    case Drop::no_policy:
      return "no_policy";
    case Drop::policy_drop:
      return "policy_drop";
    case Drop::policy_pass:
      return "policy_pass";
    case Drop::fragment_opaque:
      return "fragment_opaque";
    case Drop::trap_full:
      return "trap_full";
    case Drop::trap_stale:
      return "trap_stale";
    case Drop::expired:
      return "expired";
    case Drop::sequence_exhausted:
      return "sequence_exhausted";
    case Drop::too_big:
      return "too_big";
    case Drop::too_big_quiet:
      return "too_big_quiet";
    case Drop::no_room:
      return "no_room";
    case Drop::crypto_failed:
      return "crypto_failed";
    case Drop::runt:
      return "runt";
    case Drop::unknown_spi:
      return "unknown_spi";
    case Drop::bad_alignment:
      return "bad_alignment";
    case Drop::replayed:
      return "replayed";
    case Drop::bad_icv:
      return "bad_icv";
    case Drop::bad_padding:
      return "bad_padding";
    case Drop::bad_next_header:
      return "bad_next_header";
    case Drop::dummy:
      return "dummy";
    case Drop::bad_inner:
      return "bad_inner";
    case Drop::selector_mismatch:
      return "selector_mismatch";
    case Drop::ecn_illegal:
      return "ecn_illegal";
    case Drop::count_:
      break;
  }
  return "unknown";
}

}  // namespace cygnet::esp
