#include "run/recipe.h"
