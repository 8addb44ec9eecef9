#include "engine/self_text.h"
