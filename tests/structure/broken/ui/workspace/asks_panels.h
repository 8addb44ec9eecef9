#include "ui/panels/panel_text.h"
