// Keeps the support library from being empty; helpers with a body have files of their own.
#include "toys/rng.hpp"
