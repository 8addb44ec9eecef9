#include "commands/self_text.h"
