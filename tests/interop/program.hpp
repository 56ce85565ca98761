// What the test programs share.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace cygnet::program {

inline std::string name;  ///< for messages

/// Ends the program with a message.
[[noreturn]] inline void die(const std::string& text) {
  std::cerr << name << ": " << text << "\n";
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result) die(result.error().text());
  return *std::move(result);
}

}  // namespace cygnet::program
