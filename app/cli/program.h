// What `ladimo` and its engine have in common: each offers commands.
#pragma once

#include <vector>

#include "commands.h"

namespace ladimo::cli {

struct Offer {
  const char* name;
  const char* description;
  Command (*add)(CLI::App&);
};

/// Parses the arguments, runs the command that they name and returns the exit status.
int run(int argc, char** argv, const std::vector<Offer>& offers);

/// The commands that need no weights, so that `ladimo` answers them without loading libtorch.
std::vector<Offer> light_commands();
/// All commands. Only a program that is linked with the engine has them.
std::vector<Offer> engine_commands();

}  // namespace ladimo::cli
