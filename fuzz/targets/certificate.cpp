// Certificates, DER or PEM, and what is asked of every one.                    RFC 5280
// Modules: pki
#include "pki/certificate.hpp"
#include "fuzz_target.hpp"
#include "pki/identity.hpp"
#include "pki/trust.hpp"

namespace cygnet {

void fuzz_certificate(ByteView input) {
  const auto all = pki::Certificate::parse_all(input);
  const auto one = pki::Certificate::parse(input);
  if (!one) return;
  CYG_CHECK(all.has_value() || !all.error().text().empty());
  CYG_CHECK(!one->text().empty());
  const auto again = pki::Certificate::parse(one->der());
  CYG_CHECK(again.has_value() && *again == *one);
  CYG_CHECK(one->confirms(one->subject()) || one->subject().data.size() <= 2);
  // Nobody trusts it, whatever it says about itself.
  const std::vector<pki::Certificate> chain{*one};
  CYG_CHECK(!pki::validate_path({}, {.chain = chain, .identity = one->subject()}).has_value());
}

}  // namespace cygnet
