// Key exchanges.                               RFC 5903, RFC 7748, RFC 3526, RFC 6989, RFC 8031
#include <gtest/gtest.h>

#include "crypto/openssl/primitives.hpp"
#include "unit/crypto/vectors.hpp"

namespace cygnet::crypto {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }
std::string digest(ByteView bytes) { return to_hex(openssl().hash(HashId::sha2_256, bytes)); }

TEST(Exchange, RfcVectors_GivePublicValuesAndSecret) {
  for (const test::ExchangeVector& vector : test::kExchangeVectors) {
    SCOPED_TRACE(vector.source);
    auto i = exchange_from_private(vector.group, hex(vector.private_i));
    auto r = exchange_from_private(vector.group, hex(vector.private_r));
    ASSERT_TRUE(i && r);
    EXPECT_EQ(to_hex((*i)->public_value()), vector.public_i);
    EXPECT_EQ(to_hex((*r)->public_value()), vector.public_r);
    const auto of_i = (*i)->finish(hex(vector.public_r));
    const auto of_r = (*r)->finish(hex(vector.public_i));
    ASSERT_TRUE(of_i && of_r);
    //= RFC7296#2.14 test: the secret has the full length of the modulus, ECP's is the x coordinate
    EXPECT_EQ(to_hex(of_i->reveal()), vector.shared);
    EXPECT_EQ(to_hex(of_r->reveal()), vector.shared);
  }
}

TEST(Exchange, ModpVectors_EqualPythons) {
  for (const test::ModpVector& vector : test::kModpVectors) {
    SCOPED_TRACE(to_string(vector.group));
    auto i = exchange_from_private(vector.group, hex(test::kModpPrivateI));
    auto r = exchange_from_private(vector.group, hex(test::kModpPrivateR));
    ASSERT_TRUE(i && r);
    EXPECT_EQ(digest((*i)->public_value()), vector.public_i_sha256);
    EXPECT_EQ(digest((*r)->public_value()), vector.public_r_sha256);
    const auto shared = (*i)->finish((*r)->public_value());
    ASSERT_TRUE(shared.has_value());
    EXPECT_EQ(digest(shared->reveal()), vector.shared_sha256);
  }
}

TEST(EveryGroup, BothSides_Agree) {
  for (const KeId group : openssl().kes) {
    SCOPED_TRACE(to_string(group));
    auto i = openssl().begin(group, nullptr);
    ASSERT_TRUE(i.has_value());
    const auto r = openssl().respond(group, (*i)->public_value(), nullptr);
    ASSERT_TRUE(r.has_value());
    const auto shared = (*i)->finish(r->public_value);
    ASSERT_TRUE(shared.has_value());
    EXPECT_TRUE(equal_constant_time(shared->reveal(), r->shared.reveal()));
    auto other = openssl().begin(group, nullptr);
    ASSERT_TRUE(other.has_value());
    EXPECT_FALSE(equal((*i)->public_value(), (*other)->public_value()));
  }
}

/// Both halves must refuse it.
void expect_refused(KeId group, const Bytes& value, const char* what) {
  SCOPED_TRACE(to_string(group) + ": " + what);
  auto begun = openssl().begin(group, nullptr);
  ASSERT_TRUE(begun.has_value());
  EXPECT_FALSE((*begun)->finish(value).has_value());
  EXPECT_FALSE(openssl().respond(group, value, nullptr).has_value());
}

TEST(EveryGroup, ValueOfWrongLength_IsRefused) {
  for (const KeId group : openssl().kes) {
    auto good = openssl().begin(group, nullptr);
    ASSERT_TRUE(good.has_value());
    Bytes value = to_bytes((*good)->public_value());
    value.push_back(0);
    expect_refused(group, value, "one octet more");
    value.resize(value.size() - 2);
    expect_refused(group, value, "one octet less");
    expect_refused(group, {}, "empty");
  }
}

//= RFC6989#2.1 test: 1 < r < p-1
TEST(Modp, ValuesAtTheEnds_AreRefused) {
  for (const test::ModpVector& vector : test::kModpVectors) {
    auto good = openssl().begin(vector.group, nullptr);
    ASSERT_TRUE(good.has_value());
    const std::size_t size = (*good)->public_value().size();
    Bytes value(size, 0);
    expect_refused(vector.group, value, "0");
    value.back() = 1;
    expect_refused(vector.group, value, "1");
    expect_refused(vector.group, Bytes(size, 0xff), "above p");
    // RFC 3526: p ends in 64 one bits, so p-1 differs in the last octet only; p itself is known
    // from a value that must be refused one below it and at it.
  }
}

TEST(Modp, PMinusOne_IsRefused) {
  // RFC 3526 §3.
  Bytes p =
      hex("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
          "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
          "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
          "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05"
          "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
          "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
          "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
          "3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff");
  expect_refused(KeId::modp_2048, p, "p");
  p.back() = 0xfe;
  expect_refused(KeId::modp_2048, p, "p-1");
  p.back() = 0xfd;
  auto begun = openssl().begin(KeId::modp_2048, nullptr);
  ASSERT_TRUE(begun.has_value());
  EXPECT_TRUE((*begun)->finish(p).has_value());
}

//= RFC6989#2.3 test: the point is on the curve and its coordinates are below p
TEST(Ecp, PointsThatAreNone_AreRefused) {
  for (const test::ExchangeVector& vector : test::kExchangeVectors) {
    if (vector.group == KeId::curve25519 || vector.group == KeId::curve448) continue;
    Bytes value = hex(vector.public_r);
    value.back() ^= 1;
    expect_refused(vector.group, value, "off the curve");
    expect_refused(vector.group, Bytes(value.size(), 0), "zero");
    expect_refused(vector.group, Bytes(value.size(), 0xff), "above p");
  }
}

//= RFC8031#3.2 test: an all-zero result is refused. Small-order points: RFC 7748 §6.
TEST(Montgomery, PointsOfSmallOrder_AreRefused) {
  Bytes one(32, 0);
  expect_refused(KeId::curve25519, one, "0");
  one[0] = 1;
  expect_refused(KeId::curve25519, one, "1");
  expect_refused(KeId::curve25519,
                 hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
                 "order 8");
  expect_refused(KeId::curve448, Bytes(56, 0), "0");
}

TEST(Exchange, GroupWeDoNotHave_IsAnError) {
  EXPECT_FALSE(openssl().begin(static_cast<KeId>(999), nullptr).has_value());
  EXPECT_FALSE(openssl().respond(KeId::none, {}, nullptr).has_value());
}

}  // namespace
}  // namespace cygnet::crypto
