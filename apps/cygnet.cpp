// cygnet: the command.
#include "cli/main.hpp"

int main(int argc, char** argv) { return cygnet::cli::run(argc, argv, CYGNET_VERSION); }
