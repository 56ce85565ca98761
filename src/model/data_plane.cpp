#include "model/data_plane.hpp"

namespace cygnet::model {

SaSpec SaSpec::clone() const {
  return {.spi = spi,
          .encr = encr,
          .key_bits = key_bits,
          .integ = integ,
          .encr_key = encr_key.clone(),
          .integ_key = integ_key.clone(),
          .esn = esn};
}

}  // namespace cygnet::model
