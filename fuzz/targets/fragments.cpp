// SK and SKF framing: where the views point, and writing the head again.  RFC 7296 §3.14, RFC 7383
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {
namespace {

Bytes written_again(const wire::Header& header, const wire::Sealed& sealed) {
  Bytes out = sealed.fragment == 0
                  ? wire::write_sk_head(header, sealed.first_inner, sealed.body.size())
                  : wire::write_skf_head(header, sealed.first_inner, sealed.fragment, sealed.total,
                                         sealed.body.size());
  append(out, sealed.body);
  return out;
}

}  // namespace

void fuzz_fragments(ByteView input) {
  const Bytes datagram = wire::with_length(input);
  const auto parsed = wire::parse_message(datagram);
  if (!parsed) return wire::check_error(parsed.error(), datagram.size());
  if (!parsed->sealed) return;
  const wire::Sealed& sealed = *parsed->sealed;

  // Associated data and body cover the datagram without a gap.
  CYG_CHECK(sealed.associated.data() == datagram.data());
  CYG_CHECK(sealed.associated.data() + sealed.associated.size() == sealed.body.data());
  CYG_CHECK(sealed.associated.size() + sealed.body.size() == datagram.size());
  CYG_CHECK((sealed.fragment == 0) == (sealed.total == 0));
  CYG_CHECK(sealed.fragment <= sealed.total);

  const Bytes written = written_again(parsed->header, sealed);
  const auto again = wire::parse_message(written);
  CYG_CHECK(again.has_value() && again->sealed.has_value());
  CYG_CHECK(again->header == parsed->header);
  CYG_CHECK(again->payloads.empty());
  CYG_CHECK(again->sealed->first_inner == sealed.first_inner);
  CYG_CHECK(again->sealed->fragment == sealed.fragment && again->sealed->total == sealed.total);
  CYG_CHECK(equal(again->sealed->body, sealed.body));
  CYG_CHECK(again->sealed->associated.size() + sealed.body.size() == written.size());
}

}  // namespace cygnet
